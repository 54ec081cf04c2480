package completion

import (
	"regexp"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Questions complete the words of a question.
type Questions struct {
	Commands []commands.Command
	Software func() []string    // the ids that are known without asking Defender
	Digests  func() []Candidate // the numbers of digests
}

// options matches an option in a command's help, and its values if they are listed: --sort devices|cves|kb.
var options = regexp.MustCompile(`--[a-z][a-z-]*( [a-z]+(\|[a-z]+)+)?`)

// Complete returns what the last of the words may be. The words before it are finished.
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

// arguments returns the words without a dash that a command takes next.
func (q Questions) arguments(c command, before []string, named bool) []Candidate {
	switch {
	case !named:
		return nil // further words of a search, or options behind an id
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

// command returns the command that a first word names, or the one that takes all other lines.
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

// help returns the texts that list the options: of the subcommand that was typed if there is one, else of the command.
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

// optionsIn returns the options that texts name and that are not typed yet.
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

// optionValues returns the values of an option, if texts list them.
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
