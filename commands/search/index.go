package search

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
)

// Index finds software by words. It keeps the tenant's software list prepared and prepares it again when there is a
// newer one. The zero value is ready to use; it is safe for concurrent use.
type Index struct {
	People People // what each person asked about; nil if not recorded

	current   atomic.Pointer[prepared]
	preparing sync.Mutex

	mu   sync.Mutex
	gaps map[string][]string // by software id: the updates missing at the last reading
}

// People records what each person asked about.
type People interface {
	// Asked returns the software that a person asked about, most recent first. It must return quickly.
	Asked(ctx context.Context, person string) []string
	// NoteAsked records that a person asked about a software. It must not block.
	NoteAsked(person, id string)
}

// prepared is a prepared list with the time at which it was fetched.
type prepared struct {
	*list
	fetched time.Time
}

// Prepare prepares a software list. Searches use the previous list until it is done.
func (x *Index) Prepare(catalog api.Answer[[]api.Software]) { x.prepare(catalog) }

// prepare returns the prepared form of a list, and makes it once for each fetch.
func (x *Index) prepare(catalog api.Answer[[]api.Software]) *list {
	x.preparing.Lock()
	defer x.preparing.Unlock()
	p := x.current.Load()
	if p == nil || !p.fetched.Equal(catalog.FetchedAt) {
		p = &prepared{newList(catalog.Value), catalog.FetchedAt}
		x.current.Store(p)
	}
	return p.list
}

// finder returns a finder over a list that asks d for ids missing in it.
func (x *Index) finder(d Source, catalog api.Answer[[]api.Software]) finder {
	return finder{list: x.prepare(catalog), from: searched(catalog), source: d}
}

// Question is what is searched for.
type Question struct {
	Words  []string
	Exact  bool   // this program wrote the words; see [Targets]
	Person string // who asks; empty if unknown
}

// Find returns the software that the words of a question name, best match first; see [finder.resolve]. No words match
// everything. It returns a [NoLettersError] for words without a letter or digit.
func (x *Index) Find(ctx context.Context, d Source, q Question) (Result, error) {
	if len(q.Words) > 0 {
		targets := Targets(q.Words, q.Exact)
		if len(targets) == 1 && targets[0].Kind == KindName && !cmdline.HasLetters(targets[0].String()) {
			return Result{}, &NoLettersError{q.Words} // saves fetching the list
		}
		catalog, err := d.Catalog(ctx)
		if err != nil {
			return Result{}, fmt.Errorf("search software: %w", err)
		}
		f := x.finder(d, catalog)
		f.asked = x.asked(ctx, q.Person)
		return f.resolve(ctx, targets)
	}
	catalog, err := d.Catalog(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("search software: %w", err)
	}
	return x.finder(d, catalog).search(ctx, nil, exactness)
}

func (x *Index) asked(ctx context.Context, person string) []string {
	if x.People == nil || person == "" {
		return nil
	}
	return x.People.Asked(ctx, person)
}

// NoteAsked records that a person asked about a software.
func (x *Index) NoteAsked(person, id string) {
	if x.People != nil && person != "" {
		x.People.NoteAsked(person, id)
	}
}

// finder searches one list for one person.
type finder struct {
	*list
	from   api.Answer[[]api.Software] // the list's metadata, without values
	source Source                     // asked for ids missing in the list; nil to ask nothing
	asked  []string                   // what the person asked about, most recent first
	limit  int                        // most results wanted; 0 for all
}

// search returns the results of the first scoring that matches anything.
func (f finder) search(ctx context.Context, words []string, by ...scoring) (Result, error) {
	terms := termsOf(words)
	switch {
	case len(terms) == 0 && len(words) > 0:
		return Result{}, &NoLettersError{words}
	case len(f.software) == 0:
		return Result{}, &EmptyListError{f.from.Skipped}
	}
	out := Result{List: f.from}
	all := readings(terms)
	shortTerms := slices.ContainsFunc(all, func(r reading) bool { return slices.ContainsFunc(r.terms, short) })
	for _, how := range by {
		if how == wholeness && !shortTerms && slices.Contains(by, exactness) {
			continue // the two only differ for short terms
		}
		hits, err := f.match(ctx, all, how, f.asked, f.limit)
		if err != nil {
			return Result{}, err
		}
		if len(hits) == 0 {
			continue
		}
		out.Software = make([]api.Software, len(hits))
		for i, h := range hits {
			out.Software[i] = f.software[h.place]
		}
		out.Clear = how != similarity && len(hits) > 1 && hits[0].score-hits[1].score >= farAhead
		break
	}
	return out, nil
}

// maxTerms is how many different words are searched for. No software name has more, and each costs a pass over the
// list.
const maxTerms = 10

// termsOf returns the words to search for, without repeats.
func termsOf(words []string) []string {
	var terms []string
	for _, w := range wordsOf(strings.Join(words, " ")) {
		if len(terms) < maxTerms && !slices.Contains(terms, w) {
			terms = append(terms, w)
		}
	}
	return terms
}

// wordsOf splits a text into lower-case words of letters and digits, after replacing lookalike characters.
func wordsOf(s string) []string {
	return strings.FieldsFunc(strings.ToLower(cmdline.Normalize(s)), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
