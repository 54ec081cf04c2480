// Package catalog makes addresses of the Microsoft Update Catalog, and is the one place that says which addresses
// people may be sent to. It knows nothing of where ids and addresses come from and trusts neither.
package catalog

import (
	"net/url"
	"strings"
)

// maxURL is longer than any address of the catalog, and shorter than what Slack takes for a button.
const maxURL = 2000

// URL is the catalog's page of an update. Only the catalog itself is linked to, whatever address came with the update;
// where none came, or one of another place, it is made from the KB number. It is empty where there is none either.
func URL(id, address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err == nil && u.Scheme == "https" && u.User == nil && len(address) <= maxURL &&
		(u.Host == "catalog.update.microsoft.com" || u.Host == "www.catalog.update.microsoft.com") {
		return u.String()
	}
	if isKBNumber(id) {
		return "https://www.catalog.update.microsoft.com/Search.aspx?q=KB" + id
	}
	return ""
}

// Label is the id of an update as people write it. Ids of other vendors' updates, such as RHSA-2024:9315, stand for
// themselves.
func Label(id string) string {
	if isKBNumber(id) {
		return "KB" + id
	}
	return id
}

func isKBNumber(id string) bool {
	return len(id) >= 6 && len(id) <= 8 && strings.Trim(id, "0123456789") == ""
}
