package api

import (
	"errors"
	"fmt"
)

// listPage is one page of a collection.
type listPage[W any] struct {
	envelope
	rows []W
	bad  badRows
}

// envelope is what stands around the rows of a page.
type envelope struct {
	next    string // address of the next page; "" at the end
	context bool   // the page has an "@odata.context", as all of Defender's have
}

// badRows are the rows of an answer that could not be read and are left out of it.
type badRows struct {
	count int
	first error // why the first of them could not be read; it quotes nothing of the row
}

// add counts a row, whose number counts from 1.
func (b *badRows) add(row int, why error) {
	if b.count == 0 {
		b.first = fmt.Errorf("row %d: %w", row, why)
	}
	b.count++
}

// join adds the rows of another page.
func (b *badRows) join(other badRows) {
	if b.count == 0 {
		b.first = other.first
	}
	b.count += other.count
}

// errNoValue and errNoList: without a list this is something else than a collection. A null is no list: it would claim
// that there is nothing.
var (
	errNoValue = errors.New(`the answer has no "value"`)
	errNoList  = errors.New(`"value" is not a list`)
)

// collection reads the envelope of the list that comes next. begin is called where the rows begin, row for each of
// them; it must read or skip the row.
func (r *jsonReader) collection(begin, row func()) (envelope, error) {
	var e envelope
	found := false
	r.object(func(key []byte) {
		switch unquote(key) {
		case "value":
			found = true
			begin()
			if r.peek() == '[' {
				r.list(row)
			} else if r.raw(); r.err == nil {
				r.fail(errNoList)
			}
		case "@odata.nextLink":
			e.next = r.link()
		case "@odata.context":
			raw := r.raw()
			e.context = r.err == nil && isString(raw)
		default:
			r.raw()
		}
	})
	r.end()
	if r.err == nil && !found {
		r.err = errNoValue
	}
	return e, r.err
}

// link reads a nextLink. One that is no string is an error of the whole page: rows may follow that cannot be found.
func (r *jsonReader) link() string {
	raw := r.raw()
	switch {
	case r.err != nil || isNull(raw):
		return ""
	case !isString(raw):
		r.fail(errors.New("nextLink is not a string"))
		return ""
	}
	return unquote(raw)
}
