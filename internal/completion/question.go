package completion

import (
	"regexp"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Questions completes the words of a question.
type Questions struct {
	Commands []commands.Command
	Software func() []string    // known ids; must not ask Defender. May be nil
	Digests  func() []Candidate // numbers of digests; may be nil
}

// options matches an option in the help of a command, with its values if they are listed: --sort devices|cves|kb.
var options = regexp.MustCompile(`--[a-z][a-z-]*( [a-z]+(\|[a-z]+)+)?`)

// Complete returns the candidates for the last of words. The others are complete.
func (q Questions) Complete(words []string) []Candidate {
	last, before := words[len(words)-1], words[:len(words)-1]
	if len(before) == 0 {
		return append(q.names(), q.software()...)
	}
	c, named := q.command(before[0])
	texts := c.help(before, named)
	if values := optionValues(texts, before[len(before)-1]); len(values) > 0 {
		return values
	}
	if strings.HasPrefix(last, "-") {
		return optionsIn(texts, before)
	}
	return q.arguments(c, before, named)
}

// arguments returns what may follow as an argument of a command.
func (q Questions) arguments(c command, before []string, named bool) []Candidate {
	switch {
	case !named:
		return nil // another search word, or an option after an ID
	case c.Name == commands.HelpName && len(before) == 1:
		return q.names()
	case len(c.Subs) > 0 && len(before) == 1:
		return c.subcommands()
	case len(c.Subs) > 0 && c.takesSubject(before[1]):
		if len(before) == 2 && q.Digests != nil {
			return q.Digests()
		}
		return nil
	case strings.Contains(strings.Join(c.help(before, true), " "), "<software"):
		return q.software()
	}
	return nil
}

func (q Questions) names() []Candidate {
	var all []Candidate
	for _, c := range q.Commands {
		if c.Name != "" && !c.Unlisted {
			all = append(all, Candidate{c.Name, c.Summary})
		}
	}
	return all
}

func (q Questions) software() []Candidate {
	if q.Software == nil {
		return nil
	}
	var all []Candidate
	for _, id := range q.Software() {
		all = append(all, Candidate{Word: id, About: "software"})
	}
	return all
}

type command struct{ commands.Command }

// command returns the command named by the first word, or the default command that takes all other lines.
func (q Questions) command(first string) (c command, named bool) {
	var other command
	for _, c := range q.Commands {
		if c.Name == strings.ToLower(first) {
			return command{c}, true
		}
		if c.Name == "" {
			other = command{c}
		}
	}
	return other, false
}

// help returns the help texts that list the options: those of the subcommand typed, else of the command.
func (c command) help(before []string, named bool) []string {
	prefix := ""
	if named && len(c.Subs) > 0 && len(before) > 1 {
		prefix = c.Name + " " + strings.ToLower(before[1])
	}
	var texts []string
	if prefix == "" {
		texts = append(texts, c.Usage)
	}
	for _, f := range c.Help {
		if strings.HasPrefix(f.Name, prefix) {
			texts = append(texts, f.Name)
		}
	}
	return texts
}

// subcommands returns the subcommands of a command, described by its help.
func (c command) subcommands() []Candidate {
	var all []Candidate
	for _, s := range c.Subs {
		i := slices.IndexFunc(c.Help, func(f view.Fact) bool { return strings.HasPrefix(f.Name+" ", c.Name+" "+s.Name+" ") })
		about := ""
		if i >= 0 {
			about = c.Help[i].Value
		}
		all = append(all, Candidate{s.Name, about})
	}
	return all
}

func (c command) takesSubject(sub string) bool {
	return slices.ContainsFunc(c.Subs, func(s commands.Subcommand) bool { return s.Name == strings.ToLower(sub) && s.Subject })
}

// optionsIn returns the options in texts that before does not have yet.
func optionsIn(texts, before []string) []Candidate {
	var all []Candidate
	for _, text := range texts {
		for _, found := range options.FindAllString(text, -1) {
			name, values, _ := strings.Cut(found, " ")
			if !slices.Contains(before, name) && !slices.ContainsFunc(all, func(c Candidate) bool { return c.Word == name }) {
				all = append(all, Candidate{name, strings.ReplaceAll(values, "|", ", ")})
			}
		}
	}
	return all
}

// optionValues returns the values of an option that texts list.
func optionValues(texts []string, option string) []Candidate {
	for _, text := range texts {
		for _, found := range options.FindAllString(text, -1) {
			name, values, listed := strings.Cut(found, " ")
			if name != option || !listed {
				continue
			}
			var all []Candidate
			for v := range strings.SplitSeq(values, "|") {
				all = append(all, Candidate{Word: v})
			}
			return all
		}
	}
	return nil
}
