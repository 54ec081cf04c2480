// Package completion completes command lines in a shell: the program's commands and flags, and the words of a question.
// It reads flags from kong's model and questions from the commands themselves, so that new ones need no change here. It
// opens nothing: software ids and digests come from the caller. Kong has no completion of its own, and its third-party
// libraries show no descriptions and read the environment themselves.
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
	About string // short description, in shells that show one
}

// Answer is what a shell offers.
type Answer struct {
	Candidates []Candidate
	Files      bool // whether file names may follow too
}

// filesMark tells the scripts to complete file names. No candidate begins with it.
const filesMark = ":files"

// Write prints an answer in the format of the scripts from [Script]: a line per candidate, with a tab before its
// description.
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

// Line completes the last of the words after the program's name. For the command ask it calls question with the words
// of the question, the last one unfinished.
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

// startingWith returns the candidates that begin with typed, ignoring case as questions do.
func startingWith(typed string, all []Candidate) []Candidate {
	typed = strings.ToLower(typed)
	return slices.DeleteFunc(all, func(c Candidate) bool { return !strings.HasPrefix(strings.ToLower(c.Word), typed) })
}

// joinEquals undoes how bash splits "--output=json" into three words. Only the value is completed then.
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
