package search

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hbollon/go-edlib"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
)

// scoring says how well a term fits a software: 0 for not at all, 1 for best.
type scoring func(e entry, term string) float64

// rank returns the software in which score is above zero for every term of one of several readings of what was typed, the
// best first; equals are ordered by the devices they expose. Its error is the context's.
func rank(ctx context.Context, entries []entry, readings [][]string, score scoring) ([]api.Software, error) {
	type hit struct {
		software api.Software
		score    float64
	}
	var hits []hit
	for i, e := range entries {
		if i%256 == 0 && ctx.Err() != nil {
			return nil, fmt.Errorf("search software: %w", ctx.Err())
		}
		best := -1.0
		for _, terms := range readings {
			best = max(best, fit(e, terms, score))
		}
		if best >= 0 {
			hits = append(hits, hit{e.software, best})
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

// fit is how well all terms together fit a software, or -1. The whole name beats any part of one.
func fit(e entry, terms []string, score scoring) float64 {
	joined := strings.Join(terms, "")
	sum := 0.0
	for _, term := range terms {
		s := score(e, term)
		if s == 0 {
			// A name typed as one word, or one word typed as two, fits as a whole.
			if !short(joined) && strings.Contains(e.squeezed, joined) {
				return 0.5
			}
			return -1
		}
		sum += s
	}
	if len(terms) == 0 {
		return 0
	}
	sum /= float64(len(terms))
	if joined == e.name || joined == e.squeezed {
		sum++
	}
	return sum
}

// short reports whether a term is so short that it stands within many words by chance.
func short(term string) bool { return utf8.RuneCountInString(term) <= 3 }

// wholeness is [exactness] for long terms; short ones fit whole words and initials only.
func wholeness(e entry, term string) float64 {
	switch {
	case !short(term):
		return exactness(e, term)
	case slices.Contains(e.words, term):
		return 1
	case term == e.initials:
		return 0.9
	}
	return 0
}

// exactness is how well a term fits as it was typed: as a word, its beginning, the initials of a name, or a part of the id.
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
	if term == e.initials {
		return 0.9
	}
	if strings.HasPrefix(e.name, term) {
		best = max(best, 0.7)
	}
	if best == 0 && !short(term) && strings.Contains(e.squeezed, term) {
		best = 0.5
	}
	return best
}

// similarity is exactness with typing errors forgiven.
func similarity(e entry, term string) float64 {
	if s := exactness(e, term); s > 0 {
		return s
	}
	allowed := cmdline.AllowedTypos(term)
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
