package setup

import (
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/internal/doctor"
	"github.com/missingkbs/missingkbs/internal/view"
)

// finding prints what a check found, and its cure below.
func (w *walk) finding(status string, r doctor.Result) {
	w.say("  %-4s  %s", status, view.OneLine(r.Found))
	if r.Cure != "" {
		w.say("        -> %s", view.OneLine(r.Cure))
	}
}

func list(words []string) string { return strings.Join(words, ", ") }

// match finds the word that an answer begins. An answer that begins several finds none, unless it is one of them.
func match(answer string, words []string) (word string, ok bool) {
	answer = strings.ToLower(answer)
	if slices.Contains(words, answer) {
		return answer, true
	}
	for _, w := range words {
		if strings.HasPrefix(w, answer) {
			if ok {
				return "", false
			}
			word, ok = w, true
		}
	}
	return word, ok
}

// isGUID returns true for an id as Entra writes it.
func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, r := range s {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (r == '-') || !dash && !strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return false
		}
	}
	return true
}
