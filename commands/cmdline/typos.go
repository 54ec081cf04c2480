package cmdline

import (
	"strings"

	"github.com/hbollon/go-edlib"
)

// Closest returns the candidate that a misspelt, shortened or lengthened word most likely means, or "". It allows more
// typing errors than a software search, because there are few candidates.
func Closest(word string, candidates []string) string {
	best, bestAt := "", 100
	for _, c := range candidates {
		if d := edlib.OSADamerauLevenshteinDistance(word, c); d < bestAt && (d <= typosAmongFew(word) || isAbbreviation(word, c)) {
			best, bestAt = c, d
		}
	}
	return best
}

// isAbbreviation reports whether one word is the other without its ending.
func isAbbreviation(word, c string) bool {
	const ending = 3 // of "searching"
	return len(word) >= 2 && strings.HasPrefix(c, word) || len(c) >= 3 && len(word)-len(c) <= ending && strings.HasPrefix(word, c)
}

// typosAmongFew returns how many typing errors [Closest] allows in a word.
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

// IsNear reports whether word equals c apart from the typing errors that [AllowedTypos] permits.
func IsNear(word, c string) bool {
	return edlib.OSADamerauLevenshteinDistance(word, c) <= AllowedTypos(word) || isAbbreviation(word, c)
}

// AllowedTypos returns how many wrong, missing, swapped or extra letters a software search permits in a word.
func AllowedTypos(word string) int {
	switch n := len([]rune(word)); {
	case n < 4:
		return 0
	case n < 8:
		return 1
	default:
		return 2
	}
}
