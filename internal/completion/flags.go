package completion

import (
	"strings"

	"github.com/alecthomas/kong"
)

// walk follows words through the commands. It returns the last command, the words that are its arguments, and the flag
// that still needs a value.
func walk(node *kong.Node, words []string) (last *kong.Node, rest []string, open *kong.Flag) {
	for _, w := range words {
		if open != nil {
			open = nil
			continue
		}
		if strings.HasPrefix(w, "-") {
			f := findFlag(node, w)
			if f != nil && !f.IsBool() {
				open = f
			}
			if f != nil || !passesThrough(node) {
				continue // "--flag=value" is complete
			}
			if name, _, ok := strings.Cut(w, "="); ok && findFlag(node, name) != nil {
				continue
			}
		}
		if child := findCommand(node, w); child != nil {
			node = child
			continue
		}
		rest = append(rest, w)
	}
	return node, rest, open
}

func findCommand(node *kong.Node, name string) *kong.Node {
	for _, c := range node.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// findFlag finds a flag by how it is typed: --output or -o.
func findFlag(node *kong.Node, typed string) *kong.Flag {
	for _, group := range node.AllFlags(false) {
		for _, f := range group {
			if typed == "--"+f.Name || f.Short != 0 && typed == "-"+string(f.Short) {
				return f
			}
		}
	}
	return nil
}

// passesThrough reports whether a command's arguments are a question.
func passesThrough(node *kong.Node) bool {
	return len(node.Positional) > 0 && node.Positional[0].Tag.PassthroughMode != kong.PassThroughModeNone
}

// commandsOf returns the visible subcommands of a command.
func commandsOf(node *kong.Node) []Candidate {
	var all []Candidate
	for _, c := range node.Children {
		if !c.Hidden {
			all = append(all, Candidate{c.Name, c.Help})
		}
	}
	return all
}

// flagsOf returns the visible flags of a command and of its parents.
func flagsOf(node *kong.Node) []Candidate {
	var all []Candidate
	for _, group := range node.AllFlags(true) {
		for _, f := range group {
			all = append(all, Candidate{"--" + f.Name, f.Help})
		}
	}
	return all
}

// valuesOf returns the values of a flag, each after prefix. Values of secrets are never completed, not even as file
// names.
func valuesOf(f *kong.Flag, prefix string) Answer {
	return Answer{Candidates: tagged(f.Tag, prefix), Files: f.PlaceHolder == "FILE"}
}

// tagged returns the values listed in a complete tag, such as complete:"text,json".
func tagged(tag *kong.Tag, prefix string) []Candidate {
	var all []Candidate
	if tag == nil || !tag.Has("complete") {
		return nil
	}
	for value := range strings.SplitSeq(tag.Get("complete"), ",") {
		all = append(all, Candidate{Word: prefix + value})
	}
	return all
}
