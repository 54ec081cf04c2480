// Package completion completes command lines in a shell: the commands and flags of the program, and the words of a question. It
// reads flags from kong's model and questions from the commands themselves, so that new ones are completed without a change
// here. It opens nothing: software ids and digests come from the caller. Kong has no completion of its own, and the libraries
// for it show no descriptions and read the environment themselves.
package completion

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/missingkbs/missingkbs/internal/view"
)

// Candidate is a word that may stand at the cursor.
type Candidate struct {
	Word  string
	About string // a few words beside it, in shells that show them
}

// Answer is what a shell offers.
type Answer struct {
	Candidates []Candidate
	Files      bool // the names of files too
}

// filesMark tells the scripts that the word is the name of a file. No word of ours begins so.
const filesMark = ":files"

// Write prints an answer for the scripts of [Script]: a word and a description on each line, with a tab between them.
func (a Answer) Write(w io.Writer) error {
	var b strings.Builder
	if a.Files {
		b.WriteString(filesMark + "\n")
	}
	for _, c := range a.Candidates {
		fmt.Fprintf(&b, "%s\t%s\n", view.OneLine(c.Word), view.OneLine(c.About))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Line completes the last of the words that follow the name of the program. The questions of the command ask come from
// question; its argument holds the words of the question, the last of them unfinished.
func Line(model *kong.Application, words []string, question func(words []string) []Candidate) Answer {
	words = joinEquals(words)
	if len(words) == 0 {
		words = []string{""}
	}
	last, before := words[len(words)-1], words[:len(words)-1]
	node, rest, open := walk(model.Node, before)
	var a Answer
	name, _, valued := strings.Cut(last, "=")
	switch flag := findFlag(node, name); {
	case open != nil:
		a = valuesOf(open, "")
	case valued && flag != nil:
		a = valuesOf(flag, name+"=")
	case passesThrough(node):
		a.Candidates = question(append(rest, last))
		if strings.HasPrefix(last, "-") {
			a.Candidates = append(a.Candidates, flagsOf(node)...)
		}
	case strings.HasPrefix(last, "-"):
		a.Candidates = flagsOf(node)
	default:
		a.Candidates = commandsOf(node)
		if len(node.Positional) > 0 && len(rest) == 0 {
			a.Candidates = append(a.Candidates, tagged(node.Positional[0].Tag, "")...)
		}
	}
	a.Candidates = startingWith(last, a.Candidates)
	return a
}

// startingWith returns the candidates that begin with what is typed. Case does not matter, as it does not in questions.
func startingWith(typed string, all []Candidate) []Candidate {
	typed = strings.ToLower(typed)
	return slices.DeleteFunc(all, func(c Candidate) bool { return !strings.HasPrefix(strings.ToLower(c.Word), typed) })
}

// joinEquals undoes what bash does to "--output=json": it makes three words of it. The value alone is completed then.
func joinEquals(words []string) []string {
	var joined []string
	for i := range words {
		if words[i] == "=" && len(joined) > 0 && strings.HasPrefix(joined[len(joined)-1], "--") && i == len(words)-1 {
			return append(joined, "")
		}
		if words[i] != "=" || len(joined) == 0 || !strings.HasPrefix(joined[len(joined)-1], "--") {
			joined = append(joined, words[i])
		}
	}
	return joined
}
