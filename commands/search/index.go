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

// Index finds software by words. It keeps the tenant's software list prepared for searching and prepares it anew when
// there is a newer one. The zero value is ready; it is safe for concurrent use.
type Index struct {
	People People // what each person asked about; nil where that is not remembered

	current   atomic.Pointer[prepared]
	preparing sync.Mutex

	mu   sync.Mutex
	gaps map[string][]string // by id: the updates that were missing when it was last read
}

// People knows what each person asked about before.
type People interface {
	// Asked returns the software that a person asked about, the last first. It does not wait long.
	Asked(ctx context.Context, person string) []string
	// NoteAsked remembers that a person asked about a software. It does not wait.
	NoteAsked(person, id string)
}

// prepared is a list and when it was fetched.
type prepared struct {
	*list
	fetched time.Time
}

// Prepare prepares a software list for searching. Searches meanwhile use the list before.
func (x *Index) Prepare(catalog api.Answer[[]api.Software]) { x.prepare(catalog) }

// prepare returns a list prepared, which is done once for each time that it is fetched.
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

// finder returns a finder for a list, and for what it lacks.
func (x *Index) finder(d Source, catalog api.Answer[[]api.Software]) finder {
	return finder{list: x.prepare(catalog), from: searched(catalog), source: d}
}

// Question is what is searched for.
type Question struct {
	Words  []string
	Exact  bool   // this program wrote the words, see [Targets]
	Person string // who asks; empty if that is not known
}

// Find returns the software that the words of a question name, best first, as [finder.resolve] does. No words at all name
// everything; words without a letter or digit are a [NoLettersError].
func (x *Index) Find(ctx context.Context, d Source, q Question) (Result, error) {
	if len(q.Words) > 0 {
		targets := Targets(q.Words, q.Exact)
		if len(targets) == 1 && targets[0].Kind == KindName && !cmdline.HasLetters(targets[0].String()) {
			return Result{}, &NoLettersError{q.Words} // without a look at the list
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

// NoteAsked remembers that a person asked about a software.
func (x *Index) NoteAsked(person, id string) {
	if x.People != nil && person != "" {
		x.People.NoteAsked(person, id)
	}
}

// finder searches one list for one person.
type finder struct {
	*list
	from   api.Answer[[]api.Software] // the list, without its values
	source Source                     // what is asked for ids that the list does not hold; nil for nothing
	asked  []string                   // what the person asked about, the last first
	limit  int                        // how many are wanted at most; 0 for all
}

// search finds by the first of several scorings by which any software fits.
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
			continue // the two differ in short terms only
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

// wordsOf cuts a text into words of letters and digits, in lower case, whatever characters look like them.
func wordsOf(s string) []string {
	return strings.FieldsFunc(strings.ToLower(cmdline.Normalize(s)), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
