// Package month reads the month in the name of an update, such as "November 2026 Security Updates" and "2026-11
// Cumulative Update for Windows 11". It knows nothing else about updates.
package month

import (
	"strings"
	"time"
)

// Of returns the first day of the month in a name, in UTC; false if there is none. Digits take precedence over words.
func Of(name string) (time.Time, bool) {
	at, from, _ := find(name)
	return at, from >= 0
}

// Without returns a name without its month, so that names of the same kind of update are equal.
func Without(name string) string {
	_, from, to := find(name)
	if from < 0 {
		return name
	}
	return strings.TrimSpace(name[:from] + name[to:])
}

// find returns the month and its position in the name; from is -1 if there is none.
func find(name string) (at time.Time, from, to int) {
	for i := range len(name) {
		if at, ok := digits(name, i); ok {
			return at, i, i + len("2006-01")
		}
	}
	for i := range len(name) {
		if at, to, ok := words(name, i); ok {
			return at, i, to
		}
	}
	return time.Time{}, -1, -1
}

// digits parses "2026-11" at an index.
func digits(name string, i int) (time.Time, bool) {
	const layout = "2006-01"
	if !strings.HasPrefix(name[i:], "20") || len(name) < i+len(layout) || !isBoundary(name, i) || !isBoundary(name, i+len(layout)) {
		return time.Time{}, false
	}
	at, err := time.Parse(layout, name[i:i+len(layout)])
	return at, err == nil
}

// words parses "November 2026" at an index, with an optional comma after the month.
func words(name string, i int) (at time.Time, to int, ok bool) {
	const year = "2006"
	if !isLetter(name[i]) || !isBoundary(name, i) {
		return time.Time{}, 0, false
	}
	for m := time.January; m <= time.December; m++ {
		word := m.String()
		if len(name) < i+len(word) || !strings.EqualFold(name[i:i+len(word)], word) {
			continue
		}
		rest := strings.TrimPrefix(name[i+len(word):], ",")
		if len(rest) < 1+len(year) || !strings.HasPrefix(rest, " 20") {
			return time.Time{}, 0, false
		}
		to = len(name) - len(rest) + 1 + len(year)
		at, err := time.Parse(year, rest[1:1+len(year)])
		return at.AddDate(0, int(m)-1, 0), to, err == nil && isBoundary(name, to)
	}
	return time.Time{}, 0, false
}

// isBoundary reports whether a word begins or ends at an index.
func isBoundary(s string, i int) bool {
	before, after := i > 0 && isWord(s[i-1]), i < len(s) && isWord(s[i])
	return before != after
}

func isWord(c byte) bool   { return isLetter(c) || c >= '0' && c <= '9' || c == '_' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
