package plain

import (
	"regexp"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/digest"
)

// Reader turns plain words into command lines. The zero value only knows this package's own commands.
type Reader struct {
	names    map[string]bool
	changing map[string]map[string]bool // by command and subcommand ("" for none): whether it changes something
}

// NewReader returns a reader that knows the names of all commands.
func NewReader(all []commands.Command) Reader {
	r := Reader{names: map[string]bool{}, changing: map[string]map[string]bool{}}
	for _, c := range all {
		if c.Name != "" && c.Name != TalkName {
			r.names[c.Name] = true
		}
		r.changing[c.Name] = map[string]bool{"": changes(c.Needs)}
		for _, s := range c.Subs {
			r.changing[c.Name][s.Name] = changes(s.Needs)
		}
	}
	return r
}

func changes(needs access.Right) bool { return needs != "" && needs != access.Ask }

// exact lists the commands that take their words as typed; for others, filler words are dropped.
var exact = set("digest accept admin watch home browse details machine lookup")

// Read returns the line that a text means, for [commands.Parse]. It is never empty: a text without words asks for help.
func (r Reader) Read(text string) string {
	text = strings.TrimSpace(text)
	ids, tooLong := cmdline.IDs(text), len(text) > cmdline.MaxTyped
	words := withoutNoise(cmdline.Read(emoji.ReplaceAllString(text[:min(len(text), cmdline.MaxTyped)], " ")))
	if line := smallTalk(words); line != "" && len(ids) == 0 && !tooLong {
		return line
	}
	start := words
	for len(start) > 1 && polite[low(start[0])] && !r.names[low(start[0])] {
		start = start[1:]
	}
	isCommand := len(start) > 0 && r.names[low(start[0])] && (len(ids) == 0 || exact[low(start[0])] || isLine(start))
	switch {
	case tooLong && (isCommand || len(ids) == 0):
		return text // the command reports the limit
	case isCommand:
		return r.command(start)
	case len(ids) > 0:
		return LookupLine(ids)
	}
	return r.question(words, start)
}

func low(word string) string { return strings.ToLower(word) }

var (
	emoji    = regexp.MustCompile(`:[a-z][a-z0-9_+'-]*:(?::skin-tone-[2-6]:)?`)
	mentions = regexp.MustCompile(`^<[@#!][^<>]*>$`)
)

// withoutNoise drops mentions and words without a letter or digit.
func withoutNoise(words []string) []string {
	return slices.DeleteFunc(words, func(w string) bool { return mentions.MatchString(w) || !cmdline.HasLetters(w) })
}

// smallTalk returns the line that answers a greeting or thanks, or "".
func smallTalk(words []string) string {
	all := func(in map[string]bool, one map[string]bool) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return !in[low(w)] }) && slices.ContainsFunc(words, func(w string) bool { return one[low(w)] })
	}
	switch {
	case len(words) == 0 || all(greetings, greets):
		return TalkLine(Hello)
	case slices.Contains(helps, low(strings.Join(words, " "))):
		return commands.HelpName
	case all(thanks, thank):
		return TalkLine(Thanks)
	}
	return ""
}

// command returns the line of a text that starts with a command's name, or "".
func (r Reader) command(words []string) string {
	name := low(words[0])
	if exact[name] || isLine(words) {
		return cmdline.Join(words...)
	}
	rest := without(words[1:], sentence)
	if name == commands.HelpName {
		rest = slices.DeleteFunc(rest, func(w string) bool { return !r.names[low(w)] })
	}
	return cmdline.Join(append([]string{name}, rest...)...)
}

// isLine reports whether words are written as a command line: they have options or software ids.
func isLine(words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		return len(w) > 2 && strings.HasPrefix(w, "--") || strings.Contains(w, cmdline.IDSeparator)
	})
}

// question returns the line for a text that names no command. words are all its words; start are those after polite
// ones.
func (r Reader) question(words, start []string) string {
	if isLine(words) && !slices.ContainsFunc(words, func(w string) bool { return sentence[low(w)] }) {
		return cmdline.Join(words...)
	}
	named := without(without(words, sentence), domain)
	asking := slices.ContainsFunc(words, func(w string) bool { return sentence[low(w)] })
	switch {
	case len(named) == 0 && (slices.ContainsFunc(words, isOf(domain)) || slices.ContainsFunc(words, isOf(machines))):
		return commands.HomeName
	case len(named) == 0:
		return TalkLine(Unclear)
	case len(without(without(named, extra), machines)) == 0 && slices.ContainsFunc(named, isOf(attacked)):
		return cmdline.Join("plan", digest.All) // of all software: what is exploited comes first
	case !asking && len(named) == 1 && low(named[0]) == digest.All:
		return digest.All
	case !asking:
		return cmdline.Join(start...)
	}
	if about := without(named, extra); len(about) > 0 && r.changes(about) {
		return cmdline.Join(commands.HelpName, low(about[0]))
	}
	return intent(words, named)
}

// changes reports whether the remaining words of a sentence are a command that changes something. Such a command never
// runs from a sentence, which may forbid it: "don't digest remove 7".
func (r Reader) changes(words []string) bool {
	subs := r.changing[low(words[0])]
	if len(words) > 1 {
		if change, ok := subs[low(words[1])]; ok {
			return change
		}
	}
	return subs[""]
}

// intent returns the line for a sentence about named software.
func intent(words, named []string) string {
	has := func(in map[string]bool) bool { return slices.ContainsFunc(words, isOf(in)) }
	about := without(named, extra)
	switch {
	case has(first) && has(doing):
		if len(about) == 0 {
			about = []string{digest.All}
		}
		return cmdline.Join(append([]string{"plan"}, about...)...)
	case asksForMachines(words):
		rest := without(about, machines)
		if len(rest) > 0 && !has(absent) {
			return cmdline.Join(append([]string{"devices"}, rest...)...)
		}
		if len(rest) > 0 { // the devices that lack updates: the page of the software counts them, and its updates list them
			about, named = rest, without(named, machines)
		}
	}
	if len(about) == 0 {
		return commands.HomeName
	}
	if len(about) < len(named) && has(attacked) {
		return cmdline.Join(append(about, "--exploited")...)
	}
	return cmdline.Join(about...)
}

// asksForMachines reports whether a sentence asks which or how many machines there are: the word for them follows the
// question word. In "what is server 2022 missing" the server is the software.
func asksForMachines(words []string) bool {
	for i, w := range words[:len(words)-1] {
		if which[low(w)] && machines[low(words[i+1])] {
			return true
		}
	}
	return false
}

func isOf(in map[string]bool) func(string) bool {
	return func(w string) bool { return in[low(w)] }
}

func without(words []string, out map[string]bool) []string {
	return slices.DeleteFunc(slices.Clone(words), isOf(out))
}
