package search

import (
	"cmp"
	"context"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/hbollon/go-edlib"

	"github.com/missingkbs/missingkbs/commands/cmdline"
)

// Scores of how well a term matches a software. The best of several matches counts; the score of several terms is their
// mean.
const (
	wordScore     = 100_000 // the term is a word
	initialsScore = 90_000
	prefixScore   = 80_000 // a word starts with it
	nameScore     = 70_000 // the name, written as one word, starts with it
	partScore     = 50_000 // a part of a word, or the start of several words written as one
	typoScore     = 40_000 // a word with one typing error; half of it with two
	typoPrefix    = 30_000 // the start of a word with typing errors, likewise

	// Bonuses on the score of all terms together.
	wholeBonus = 100_000 // they are the whole name
	aliasBonus = 50_000  // they are the whole name by an alias
	askedBonus = 60_000  // the person asked about it last; a little less for each earlier one
	askedStep  = 2_000

	// farAhead is the lead over the second result with which the first is clearly meant: a whole name beats parts of
	// names.
	farAhead = 50_000
)

// scoring selects which kinds of matches count.
type scoring int

const (
	wholeness  scoring = iota // short terms only match whole words and initials
	exactness                 // as typed
	similarity                // as typed or with typing errors
)

// reading is one way to understand what was typed.
type reading struct {
	terms []string
	bonus int32 // added for the whole name
}

// hit is a software that matches.
type hit struct{ place, score int32 }

func better(a, b hit) int {
	return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.place, b.place))
}

// matcher finds matching software. It holds numbers for each software, so it is pooled.
type matcher struct {
	*list
	how   scoring
	term  int32   // number of terms matched so far
	found []int32 // indexes that match the current term
	best  []int32 // by index: score for the current term; 0 for no match
	sum   []int32 // by index: score of the terms so far
	fits  []int32 // by index: how many terms match
	alive []int32 // indexes that match all terms so far
	score []int32 // by index: score of the best reading; 0 for none
	all   []int32 // indexes with a score
}

var matchers = sync.Pool{New: func() any { return &matcher{} }}

// match returns the software that matches every term of one of the readings, best first, at most limit; 0 is no limit.
// asked is what the person asked about, most recent first. The error is the context's.
func (l *list) match(ctx context.Context, readings []reading, how scoring, asked []string, limit int) ([]hit, error) {
	m := matchers.Get().(*matcher) //nolint:forcetypeassert // nothing else is put there
	defer matchers.Put(m)
	m.reset(l, how)
	for _, r := range readings {
		if err := m.read(ctx, r); err != nil {
			return nil, err
		}
	}
	for i, id := range asked {
		if at, ok := l.byExactID(id); ok && m.score[at] > 0 {
			m.score[at] += int32(max(askedBonus-i*askedStep, 0)) //nolint:gosec // bounded by the bonus
		}
	}
	return m.ranked(limit), nil
}

// reset prepares a matcher for another search.
func (m *matcher) reset(l *list, how scoring) {
	m.list, m.how = l, how
	for _, p := range []*[]int32{&m.best, &m.sum, &m.fits, &m.score} {
		if cap(*p) < len(l.software) {
			*p = make([]int32, len(l.software))
		}
		*p = (*p)[:len(l.software)]
	}
	clear(m.score)
	m.all = m.all[:0]
}

// ranked returns the hits, best first.
func (m *matcher) ranked(limit int) []hit {
	if limit <= 0 {
		limit = len(m.all)
	}
	hits := make([]hit, 0, min(limit, len(m.all)))
	if limit >= len(m.all) {
		for _, at := range m.all {
			hits = append(hits, hit{at, m.score[at]})
		}
		slices.SortFunc(hits, better)
		return hits
	}
	for _, at := range m.all {
		h := hit{at, m.score[at]}
		if len(hits) == limit {
			if better(h, hits[limit-1]) > 0 {
				continue
			}
			hits = hits[:limit-1]
		}
		i, _ := slices.BinarySearchFunc(hits, h, better)
		hits = slices.Insert(hits, i, h)
	}
	return hits
}

// read scores one reading. A reading without terms matches everything.
func (m *matcher) read(ctx context.Context, r reading) error {
	clear(m.sum)
	clear(m.fits)
	m.alive = m.alive[:0]
	for i, term := range r.terms {
		if ctx.Err() != nil {
			return fmt.Errorf("search software: %w", ctx.Err())
		}
		if i > 0 && len(m.alive) == 0 {
			break
		}
		m.term, m.found = int32(i), m.found[:0] //nolint:gosec // few terms
		m.matchTerm(term)
		m.alive = m.alive[:0]
		for _, at := range m.found {
			m.sum[at] += m.best[at]
			m.fits[at]++
			m.best[at] = 0
			m.alive = append(m.alive, at)
		}
	}
	joined := strings.Join(r.terms, "")
	for _, at := range m.alive {
		score := m.sum[at] / int32(len(r.terms)) //nolint:gosec // few terms
		if joined == m.name(at) || joined == m.whole(at) || score == wordScore && inAnyOrder(r.terms, joined, m.name(at)) {
			score += r.bonus
		}
		m.rate(at, score)
	}
	switch {
	case len(r.terms) == 0:
		for at := range m.software {
			m.rate(int32(at), 1) //nolint:gosec // see newList
		}
	case len(r.terms) > 1 && !short(joined): // one word typed as two
		rateJoined := func(at int32) {
			if int(m.fits[at]) < len(r.terms) {
				m.rate(at, partScore)
			}
		}
		m.beginning(joined, func(at int32, _ bool) { rateJoined(at) })
		m.words.holding(joined, func(i int) {
			for _, at := range m.words.having(i) {
				rateJoined(at)
			}
		})
	}
	return nil
}

// inAnyOrder reports whether terms are the words of a name in any order.
func inAnyOrder(terms []string, joined, name string) bool {
	return len(joined) == len(name) && !slices.ContainsFunc(terms, func(t string) bool { return !strings.Contains(name, t) })
}

// rate keeps the best score of a software.
func (m *matcher) rate(at, score int32) {
	if m.score[at] == 0 {
		m.all = append(m.all, at)
	}
	m.score[at] = max(m.score[at], score)
}

// fit records how well a software matches the term, unless an earlier term did not match.
func (m *matcher) fit(at, score int32) {
	if m.fits[at] != m.term {
		return
	}
	if m.best[at] == 0 {
		m.found = append(m.found, at)
	}
	m.best[at] = max(m.best[at], score)
}

func (m *matcher) fitAll(places []int32, score int32) {
	for _, at := range places {
		m.fit(at, score)
	}
}

// matchTerm looks for a term with every kind of match that counts.
func (m *matcher) matchTerm(term string) {
	whole := m.how == wholeness && short(term)
	words := &m.words
	for i, _ := slices.BinarySearch(words.words, term); i < len(words.words) && strings.HasPrefix(words.words[i], term); i++ {
		switch {
		case words.words[i] == term:
			m.fitAll(words.having(i), wordScore)
		case whole: // words are sorted, so the term itself came first
			i = len(words.words)
		default:
			m.fitAll(words.having(i), prefixScore)
		}
	}
	if i, ok := slices.BinarySearch(m.initials.words, term); ok {
		m.fitAll(m.initials.having(i), initialsScore)
	}
	if whole {
		return
	}
	long := !short(term)
	m.beginning(term, func(at int32, ofName bool) {
		switch {
		case ofName:
			m.fit(at, nameScore)
		case long:
			m.fit(at, partScore)
		}
	})
	if long {
		words.holding(term, func(i int) { m.fitAll(words.having(i), partScore) })
	}
	if m.how == similarity {
		m.typos(term)
	}
}

// typos finds words that a term is with typing errors, and words that start like it.
func (m *matcher) typos(term string) {
	allowed := cmdline.AllowedTypos(term)
	if allowed == 0 {
		return
	}
	letters := lettersOf(term)
	for i, w := range m.words.words {
		longer := len(w) - len(term)
		if longer < -allowed || bits.OnesCount64(letters&^m.words.letters[i]) > allowed {
			continue
		}
		if longer <= allowed && bits.OnesCount64(letters^m.words.letters[i]) <= 2*allowed {
			if d := edlib.OSADamerauLevenshteinDistance(w, term); d <= allowed {
				m.fitAll(m.words.having(i), typoScore/int32(max(d, 1))) //nolint:gosec // few errors
				continue
			}
		}
		if longer > 0 && w[0] == term[0] {
			if d := edlib.OSADamerauLevenshteinDistance(w[:len(term)], term); d <= allowed {
				m.fitAll(m.words.having(i), typoPrefix/int32(max(d, 1))) //nolint:gosec // few errors
			}
		}
	}
}

// short reports whether a term occurs in many words by chance.
func short(term string) bool { return utf8.RuneCountInString(term) <= 3 }
