package search

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
)

// Index finds software by words. It keeps the tenant's software list prepared for searching and prepares it anew when
// the client has fetched a newer one. The zero value is ready; it is safe for concurrent use.
type Index struct {
	mu      sync.Mutex
	fetched time.Time
	entries []entry
	gaps    map[string][]string // by id: the updates that were missing when it was last read
}

// entry is one software prepared for searching.
type entry struct {
	software api.Software
	words    []string // of its id, name and vendor, in lower case
	squeezed string   // the id without anything but letters and digits, so that "7zip" fits "7-zip"
	name     string   // the same of the id without the vendor
	initials string   // of the words of the name, such as "ie"; empty for fewer than two
}

func newEntry(s api.Software) entry {
	words := wordsOf(s.ID + " " + s.Name + " " + s.Vendor)
	slices.Sort(words)
	e := entry{software: s, words: slices.Compact(words), squeezed: strings.Join(wordsOf(s.ID), "")}
	_, name, _ := strings.Cut(s.ID, cmdline.IDSeparator)
	parts := wordsOf(name)
	e.name = strings.Join(parts, "")
	if len(parts) > 1 {
		for _, w := range parts {
			if r := []rune(w)[0]; unicode.IsLetter(r) { // people leave years and versions off
				e.initials += string(r)
			}
		}
	}
	return e
}

// Find returns the software that the words of a request name, best first, as [Index.resolve] does. No words at all name
// everything; words without a letter or digit are a [NoLettersError].
func (x *Index) Find(ctx context.Context, d Source, words []string, exact bool) (Result, error) {
	if len(words) > 0 {
		targets := Targets(words, exact)
		if len(targets) == 1 && targets[0].Kind == KindName && !cmdline.HasLetters(targets[0].String()) {
			return Result{}, &NoLettersError{words} // without a look at the list
		}
		return x.resolve(ctx, d, targets)
	}
	catalog, err := d.Catalog(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("search software: %w", err)
	}
	return x.search(ctx, catalog, nil, exactness)
}

// search finds by the first of several scorings by which any software fits.
func (x *Index) search(ctx context.Context, catalog api.Answer[[]api.Software], words []string, by ...scoring) (Result, error) {
	terms := termsOf(words)
	switch {
	case len(terms) == 0 && len(words) > 0:
		return Result{}, &NoLettersError{words}
	case len(catalog.Value) == 0:
		return Result{}, &EmptyListError{catalog.Skipped}
	}
	entries := x.prepare(catalog)
	f := Result{List: searched(catalog)}
	readings := [][]string{terms}
	if full := termsOf(spelledOut(terms)); !slices.Equal(full, terms) {
		readings = append(readings, full)
	}
	for _, score := range by {
		var err error
		if f.Software, err = rank(ctx, entries, readings, score); err != nil {
			return Result{}, err
		}
		if len(f.Software) > 0 {
			break
		}
	}
	return f, nil
}

// maxTerms is how many different words are looked for. No software has more in its name, and each costs a look at all.
const maxTerms = 10

// termsOf are the words to look for, each once.
func termsOf(words []string) []string {
	var terms []string
	for _, w := range wordsOf(strings.Join(words, " ")) {
		if len(terms) < maxTerms && !slices.Contains(terms, w) {
			terms = append(terms, w)
		}
	}
	return terms
}

// prepare returns the entries of a catalog, made once for each time it is fetched.
func (x *Index) prepare(catalog api.Answer[[]api.Software]) []entry {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.entries != nil && x.fetched.Equal(catalog.FetchedAt) {
		return x.entries
	}
	entries := make([]entry, len(catalog.Value))
	for i, s := range catalog.Value {
		entries[i] = newEntry(s)
	}
	x.entries, x.fetched = entries, catalog.FetchedAt
	return entries
}

// wordsOf cuts a text into words of letters and digits, in lower case, whatever characters look like them.
func wordsOf(s string) []string {
	return strings.FieldsFunc(strings.ToLower(cmdline.Normalize(s)), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
