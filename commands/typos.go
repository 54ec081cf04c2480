package commands

import (
	"strings"

	"github.com/hbollon/go-edlib"
)

// meant returns the candidate that a mistyped word most likely stands for: one that is mistyped, shortened or
// lengthened by an ending; "" for none. Software is searched with less allowance, for there are many names.
func meant(word string, candidates []string) string {
	best, bestAt := "", 100
	for _, c := range candidates {
		if d := edlib.OSADamerauLevenshteinDistance(word, c); d < bestAt && (d <= typosAmongFew(word) || isAbbreviation(word, c)) {
			best, bestAt = c, d
		}
	}
	return best
}

// isAbbreviation reports whether one of two words is the other with letters left off its end.
func isAbbreviation(word, c string) bool {
	const ending = 3 // of "searching"
	return len(word) >= 2 && strings.HasPrefix(c, word) || len(c) >= 3 && len(word)-len(c) <= ending && strings.HasPrefix(word, c)
}

// typosAmongFew is how many typing errors a word may have and still be taken for one of a few.
func typosAmongFew(word string) int {
	switch n := len([]rune(word)); {
	case n < 3:
		return 0
	case n < 6:
		return 1
	default:
		return 2
	}
}

// near reports whether a word has no more typing errors than one of a software's name may have.
func near(word, c string) bool {
	return edlib.OSADamerauLevenshteinDistance(word, c) <= allowedTypos(word) || isAbbreviation(word, c)
}

// allowedTypos is how many wrong, missing, swapped or extra letters a word may have and still be taken for another.
func allowedTypos(word string) int {
	switch n := len([]rune(word)); {
	case n < 4:
		return 0
	case n < 8:
		return 1
	default:
		return 2
	}
}
