package setup

import (
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/internal/doctor"
	"github.com/missingkbs/missingkbs/internal/view"
)

// finding prints a finding with its cure below.
func (w *walk) finding(status string, r doctor.Result) {
	w.say("  %-4s  %s", status, view.OneLine(r.Found))
	if r.Cure != "" {
		w.say("        -> %s", view.OneLine(r.Cure))
	}
}

func list(words []string) string { return strings.Join(words, ", ") }

// match returns the word that starts with an answer. An answer that starts several returns none, unless it equals one.
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
