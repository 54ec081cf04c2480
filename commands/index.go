package commands

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/hbollon/go-edlib"

	"github.com/missingkbs/missingkbs/api"
)

// idSeparator stands between the vendor and the name in every software id that Defender gives.
const idSeparator = "-_-"

// Index finds software by words. It keeps the tenant's software list prepared for searching and prepares it anew when
// the client has fetched a newer one. The zero value is ready; it is safe for concurrent use.
type Index struct {
	mu      sync.Mutex
	fetched time.Time
	entries []entry
}

// entry is one software prepared for searching.
type entry struct {
	software api.Software
	words    []string // of its id, name and vendor, in lower case
	squeezed string   // the id without anything but letters and digits, so that "7zip" fits "7-zip"
}

// find returns the software that fits every one of words, best first. No words fit everything; words without a letter or
// digit, and a list without software, are an [*Error].
func (x *Index) find(ctx context.Context, d Defender, words []string) (found, error) {
	terms := termsOf(words)
	if len(words) > 0 && len(terms) == 0 {
		return found{}, noLetters(words)
	}
	catalog, err := d.Catalog(ctx)
	if err != nil {
		return found{}, fmt.Errorf("search software: %w", err)
	}
	if len(catalog.Value) == 0 {
		return found{}, emptyList(catalog.Skipped)
	}
	entries := x.prepare(catalog)
	f := found{asOf: asOf(catalog), skipped: catalog.Skipped}
	if f.software, err = rank(ctx, entries, terms, exactness); err == nil && len(f.software) == 0 {
		f.software, err = rank(ctx, entries, terms, similarity)
		f.inexact = true
	}
	return f, err
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
		words := wordsOf(s.ID + " " + s.Name + " " + s.Vendor)
		slices.Sort(words)
		entries[i] = entry{software: s, words: slices.Compact(words), squeezed: strings.Join(wordsOf(s.ID), "")}
	}
	x.entries, x.fetched = entries, catalog.FetchedAt
	return entries
}

// wordsOf cuts a text into words of letters and digits, in lower case.
func wordsOf(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// rank returns the software in which score is above zero for every term, the best first; equals are ordered by the
// devices they expose. Its error is the context's.
func rank(ctx context.Context, entries []entry, terms []string, score func(e entry, term string) float64) ([]api.Software, error) {
	type hit struct {
		software api.Software
		score    float64
	}
	joined := strings.Join(terms, "")
	var hits []hit
	for i, e := range entries {
		if i%256 == 0 && ctx.Err() != nil {
			return nil, fmt.Errorf("search software: %w", ctx.Err())
		}
		sum := 0.0
		for _, term := range terms {
			s := score(e, term)
			if s == 0 {
				sum = -1
				break
			}
			sum += s
		}
		// A name typed as one word, or one word typed as two, fits as a whole.
		if sum < 0 && strings.Contains(e.squeezed, joined) {
			sum = 0.5 * float64(len(terms))
		}
		if sum >= 0 {
			hits = append(hits, hit{e.software, sum})
		}
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(
			cmp.Compare(b.score, a.score),
			cmp.Compare(b.software.ExposedMachines, a.software.ExposedMachines),
			cmp.Compare(a.software.ID, b.software.ID),
		)
	})
	out := make([]api.Software, len(hits))
	for i, h := range hits {
		out[i] = h.software
	}
	return out, nil
}

// exactness is how well a term fits as it was typed: as a word, its beginning, or a part of the id.
func exactness(e entry, term string) float64 {
	best := 0.0
	for _, w := range e.words {
		switch {
		case w == term:
			return 1
		case strings.HasPrefix(w, term):
			best = 0.8
		}
	}
	if best == 0 && len(term) > 2 && strings.Contains(e.squeezed, term) {
		best = 0.5
	}
	return best
}

// similarity is exactness with typing errors forgiven.
func similarity(e entry, term string) float64 {
	if s := exactness(e, term); s > 0 {
		return s
	}
	allowed := allowedTypos(term)
	if allowed == 0 {
		return 0
	}
	best := 0.0
	for _, w := range e.words {
		// The distance is at least the difference in length: most words need no closer look.
		if diff := len(w) - len(term); diff > allowed || diff < -allowed {
			continue
		}
		if d := edlib.OSADamerauLevenshteinDistance(w, term); d <= allowed {
			best = max(best, 0.4/float64(d))
		}
	}
	return best
}
