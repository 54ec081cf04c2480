package api

import (
	"net/url"
	"strconv"
	"strings"
)

// Quote makes s a string literal of an OData filter: in single quotes, with
// those inside doubled. It is not escaped for a URL; the client does that.
//
//	api.SoftwareQuery{Filter: "vendor eq " + api.Quote(vendor)}
func Quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// segment escapes an id, once, as one segment of a path. "." and ".." are
// harmless names to Defender but directions to everything on the way there, so
// they are escaped too, which no standard function does.
func segment(id string) string {
	if id == "." || id == ".." {
		return strings.ReplaceAll(id, ".", "%2E")
	}
	return url.PathEscape(id)
}

// query writes OData's options as the documentation does: "$" stays as it is and
// a space is %20, not the form encoding's "+".
func query(filter string, top, skip int) string {
	var parts []string
	if filter != "" {
		parts = append(parts, "$filter="+strings.ReplaceAll(url.QueryEscape(filter), "+", "%20"))
	}
	if top > 0 {
		parts = append(parts, "$top="+strconv.Itoa(top))
	}
	if skip > 0 {
		parts = append(parts, "$skip="+strconv.Itoa(skip))
	}
	if len(parts) == 0 {
		return ""
	}
	return "?" + strings.Join(parts, "&")
}
