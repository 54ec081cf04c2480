package api

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
)

// maxPages bounds how many pages one question may have. At Defender's page sizes
// that is millions of rows; whatever goes on longer is broken.
const maxPages = 1000

// maxDeeper is how many segments more than a question's path that of a further page
// may have. A relative link resolves against the page before, so that a wrong one
// leads deeper with each page, and never in a circle.
const maxDeeper = 2

// decoder makes a page of its body.
type decoder[W any] func(body []byte) (listPage[W], error)

// pager reads one list, however many pages it has.
type pager[W any] struct {
	client  *Client
	op      string // names the span
	decode  decoder[W]
	been    map[string]bool
	depth   int // how many segments the path of a page may have
	count   int // pages read so far
	bad     badRows
	context bool // the first page is one of Defender's by its own word
}

// pages yields the rows behind a path, page by page, following "@odata.nextLink".
// The first error ends the sequence.
func (p *pager[W]) pages(ctx context.Context, path string) iter.Seq2[listPage[W], error] {
	return func(yield func(listPage[W], error) bool) {
		at, err := p.client.address(path)
		if err != nil {
			yield(listPage[W]{}, err)
			return
		}
		p.been, p.depth = map[string]bool{}, depth(at)+maxDeeper
		for at != nil {
			page, next, err := p.page(ctx, at)
			if !yield(page, err) || err != nil {
				return
			}
			at = next
		}
	}
}

// doubtful reports whether a list of so many rows says that there is nothing, without a word that it is Defender who says
// so: gateways and stand-ins answer anything with an empty list.
func (p *pager[W]) doubtful(rows int) bool { return rows+p.bad.count == 0 && !p.context }

// confirmEmpty is the error of a list of so many rows that is [pager.doubtful].
func (p *pager[W]) confirmEmpty(rows int, path string) error {
	if !p.doubtful(rows) {
		return nil
	}
	return &Error{
		Kind: ErrNotDefender, Call: p.client.call(path), Status: http.StatusOK, Err: errors.New("an empty list without @odata.context"),
	}
}

// all collects the rows of all pages.
func (p *pager[W]) all(ctx context.Context, path string) ([]W, error) {
	var all []W
	for page, err := range p.pages(ctx, path) {
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = page.rows
			continue
		}
		all = append(all, page.rows...)
	}
	return all, nil
}

// page reads one page and finds the address of the next one, nil at the end.
func (p *pager[W]) page(ctx context.Context, at *url.URL) (page listPage[W], next *url.URL, err error) {
	p.been[at.String()] = true
	err = p.client.get(ctx, p.op, at, func(body []byte) error {
		var err error
		page, err = p.decode(body)
		if err == nil && page.next != "" {
			next, err = follow(at, page.next, p.been)
		}
		if err == nil && next != nil && depth(next) > p.depth {
			err = errors.New("nextLink leads ever deeper")
		}
		return err
	})
	if err != nil {
		return listPage[W]{}, nil, err
	}
	if p.count == 0 {
		p.context = page.context
	}
	p.count++
	p.bad.join(page.bad)
	return page, next, nil
}

// longestPath is how much of a path errors and logs show. No caller can ask for more;
// only a link of Defender's may be longer.
const longestPath = 4000

// callOf is how errors and logs name a call: without its query, which may hold
// what a user typed.
func callOf(at *url.URL) string {
	path := at.EscapedPath()
	return http.MethodGet + " " + path[:min(len(path), longestPath)]
}

// follow checks a nextLink before anything, above all the token, is sent there.
// It may be relative, as OData allows, but it may not leave the host.
func follow(from *url.URL, link string, been map[string]bool) (*url.URL, error) {
	next, err := from.Parse(strings.ReplaceAll(link, " ", "%20"))
	if err != nil {
		return nil, errors.New("nextLink is not a URL")
	}
	next.Fragment = ""
	switch {
	case next.Scheme != from.Scheme || next.User != nil || !sameHost(next, from):
		return nil, fmt.Errorf("nextLink leads away from %s to %q", from.Host, next.Host)
	case been[next.String()]:
		return nil, errors.New("nextLink leads in a circle")
	case len(been) >= maxPages:
		return nil, fmt.Errorf("more than %d pages", maxPages)
	}
	return next, nil
}

func depth(u *url.URL) int { return strings.Count(u.Path, "/") }

// sameHost compares host and port, the default port being the same as none.
func sameHost(a, b *url.URL) bool {
	port := func(u *url.URL) string {
		if p := u.Port(); p != "" {
			return p
		}
		return "443"
	}
	return strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

// one gets a single entity.
func one[T any](ctx context.Context, c *Client, op, path string, decode func(body []byte) (T, error)) (T, error) {
	var none T
	at, err := c.address(path)
	if err != nil {
		return none, err
	}
	v := none
	err = c.get(ctx, op, at, func(body []byte) (err error) {
		v, err = decode(body)
		return err
	})
	if err != nil {
		return none, err
	}
	return v, nil
}
