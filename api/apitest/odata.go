package apitest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxTop is the most rows of one page.
const maxTop = 10_000

// fields are the properties of a row that a filter may name. A value is a
// string, a float64, a time.Time or nil.
type fields[T any] map[string]func(T) any

// window is the part of a list that was asked for.
type window struct {
	skip, top int
	topGiven  bool
}

// end is where the page ends in the whole list, at the latest.
func (w window) end(pageSize int) int {
	if w.topGiven {
		return w.skip + min(w.top, pageSize)
	}
	return w.skip + pageSize
}

// query is the OData options of a request for a list of T.
type query[T any] struct {
	filter expr // without a node: keeps all
	fields fields[T]
	window window
}

// keeps tells whether the row is wanted.
func (q query[T]) keeps(row T) bool {
	if q.filter.node == nil {
		return true
	}
	return q.filter.node.eval(func(name string) any { return q.fields[name](row) })
}

// parseQuery reads $filter, $top and $skip. Other options are passed over, as
// the service does with those it does not know.
func parseQuery[T any](raw string, f fields[T]) (query[T], *reply) {
	out := query[T]{fields: f}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return out, odataError(errors.New("the query string cannot be decoded"))
	}
	if out.window, err = parseWindow(values); err != nil {
		return out, odataError(err)
	}
	if text := values.Get("$filter"); text != "" {
		known := func(name string) bool { return f[name] != nil }
		if out.filter, err = parseFilter(text, known); err != nil {
			return out, odataError(err)
		}
	}
	return out, nil
}

func parseWindow(v url.Values) (window, error) {
	w := window{topGiven: v.Has("$top")}
	for name, into := range map[string]*int{"$top": &w.top, "$skip": &w.skip} {
		if !v.Has(name) {
			continue
		}
		n, err := strconv.Atoi(v.Get(name))
		if err != nil || n < 0 {
			return w, fmt.Errorf("invalid value '%s' for %s query option found", v.Get(name), name)
		}
		*into = n
	}
	if w.top > maxTop {
		return w, fmt.Errorf("the limit of '%d' for Top query has been exceeded. The value from the incoming request is '%d'", maxTop, w.top)
	}
	return w, nil
}

// odataError makes sentences of the error, as the service does.
func odataError(err error) *reply {
	text := err.Error()
	r := failure(http.StatusBadRequest, "ODataError", "The query specified in the URI is not valid. "+strings.ToUpper(text[:1])+text[1:]+".")
	return &r
}

// paged is the part of the rows that was asked for, with a link to the rest.
func paged[S ~[]R, R any](t *Tenant, q *request, w window, of string, rows S) reply {
	begin, end := min(w.skip, len(rows)), min(w.end(t.pageSize), len(rows))
	p := page{Context: q.context(of), Value: append(S{}, rows[begin:max(begin, end)]...)}
	if end < len(rows) && end > begin {
		p.NextLink = q.continued(end)
	}
	return ok(p)
}

// continued is the request's own address, but beginning later.
func (q *request) continued(skip int) string {
	values := q.URL.Query()
	values.Set("$skip", strconv.Itoa(skip))
	return q.base() + q.URL.EscapedPath() + "?" + values.Encode()
}
