// Package catalog builds addresses of the Microsoft Update Catalog, and is the only place that decides which addresses
// people may be sent to. It knows nothing of where ids and addresses come from, and trusts neither.
package catalog

import (
	"net/url"
	"regexp"
	"strings"
)

// maxURL exceeds every address of the catalog, and is within Slack's limit for a button.
const maxURL = 2000

// URL returns the catalog's page of an update. It only links to the catalog, whatever address came with the update, and
// never to a page of another KB; without a usable address it builds one from the KB number. It returns "" if there is
// neither.
func URL(id, address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err == nil && u.Scheme == "https" && u.User == nil && len(address) <= maxURL &&
		(u.Host == "catalog.update.microsoft.com" || u.Host == "www.catalog.update.microsoft.com") && !namesAnother(u, id) {
		return u.String()
	}
	if isKBNumber(id) {
		return "https://www.catalog.update.microsoft.com/Search.aspx?q=KB" + id
	}
	return ""
}

// kbNumber matches a KB number in a text, with or without "KB".
var kbNumber = regexp.MustCompile(`(?i)\bKB\s*([0-9]+)\b|\b([0-9]{6,8})\b`)

// namesAnother reports whether an address belongs to another KB than id. An id that is not a KB number has its own
// pages, found by other words, and none of them is the page of a KB.
func namesAnother(u *url.URL, id string) bool {
	named := kbNumber.FindAllStringSubmatch(u.Path+" "+values(u.Query())+" "+u.Fragment, -1)
	for _, n := range named {
		if n[1]+n[2] != id {
			return true
		}
	}
	return false
}

// values are the values of a query, each as a word of its own.
func values(q url.Values) string {
	var all []string
	for _, v := range q {
		all = append(all, v...)
	}
	return strings.Join(all, " ")
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
