package main

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/digestcmd"
	"github.com/missingkbs/missingkbs/commands/riskcmd"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/repotest"
	"github.com/missingkbs/missingkbs/internal/view"
)

// commandLine is the program's command line, without any settings.
func commandLine(t *testing.T) *kong.Application {
	t.Helper()
	parser, err := newParser(&cli{}, noEnv, &config.File{}, streams{out: io.Discard, err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	return parser.Model
}

// settings returns the flags of all commands that are settings, each once: those of serve first, in their order. readers has the
// commands that read a setting which serve does not read.
func settings(t *testing.T) (list []*kong.Flag, readers map[string][]string) {
	t.Helper()
	model := commandLine(t)
	nodes := slices.Clone(model.Children)
	slices.SortStableFunc(nodes, func(a, b *kong.Node) int { return boolOrder(b.Name == "serve", a.Name == "serve") })
	seen, readers := map[string]bool{}, map[string][]string{}
	add := func(flags []*kong.Flag, command string) {
		for _, f := range flags {
			if len(f.Envs) == 0 {
				continue
			}
			name := f.Envs[0]
			if !seen[name] {
				list = append(list, f)
			}
			if command != "" && (!seen[name] || readers[name] != nil) { // serve comes first
				readers[name] = append(readers[name], "`"+command+"`")
			}
			seen[name] = true
		}
	}
	for _, n := range nodes {
		add(n.Flags, n.Name)
	}
	add(model.Flags, "")
	maps.DeleteFunc(readers, func(_ string, commands []string) bool { return commands[0] == "`serve`" })
	return list, readers
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// defaultOf is the default of a setting, or what it means that it is not set.
func defaultOf(f *kong.Flag) string {
	switch {
	case f.Tag.Has("unset"):
		return f.Tag.Get("unset")
	case f.HasDefault && f.Default != "":
		return "`" + f.Default + "`"
	}
	return "not set"
}

// saidDefault is what help says of a default at its end.
var saidDefault = regexp.MustCompile(`[;,] by default [^;]*$`)

// docs/configuration.md has every setting, from the code.
func TestDocsHaveEverySetting(t *testing.T) {
	t.Parallel()
	list, readers := settings(t)
	var out strings.Builder
	var groups []string
	rows := map[string]string{}
	for _, f := range list {
		group := "Others"
		if f.Group != nil {
			group = f.Group.Title
		}
		if !slices.Contains(groups, group) {
			groups = append(groups, group)
		}
		name, help := "`"+f.Envs[0]+"`", strings.TrimSuffix(f.Help, " ("+f.Default+").")
		help = strings.TrimSuffix(saidDefault.ReplaceAllString(help, ""), ".") + "." // the column beside has the default
		if config.IsSecret(f) {
			help += " *Secret.*"
		}
		if commands := readers[f.Envs[0]]; commands != nil {
			help += " Read only by " + view.Join(slices.Sorted(slices.Values(commands))) + "."
		}
		rows[group] += repotest.TableRow(name, defaultOf(f), help)
	}
	for _, group := range groups {
		fmt.Fprintf(&out, "### %s\n\n%s%s%s\n", group, repotest.TableRow("setting", "default", "what it does"), "|---|---|---|\n", rows[group])
	}
	repotest.Section(t, "docs/configuration.md", "settings", out.String())

	out.Reset()
	for _, name := range config.Reloadable() {
		fmt.Fprintf(&out, "`%s`, ", name)
	}
	repotest.Section(t, "docs/configuration.md", "reload", strings.TrimSuffix(out.String(), ", ")+".")
}

// docs/commands.md has every command that people can type, from the same values as help.
func TestDocsHaveEveryCommand(t *testing.T) {
	t.Parallel()
	index := &search.Index{}
	router, err := app.NewRouter(nil, index, nil, append(app.Patching{Index: index}.Commands(), digestcmd.New(nil, digestcmd.Options{}), riskcmd.New(nil, riskcmd.Options{}),
		commands.Home(nil, index, commands.HomeOptions{}), commands.Admin(nil, nil, nil, nil))...)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, c := range router.Commands() {
		if c.Unlisted {
			continue
		}
		name := strings.TrimSpace(c.Name + " " + c.Usage)
		heading := c.Name
		if heading == "" {
			heading = "a software"
		}
		fmt.Fprintf(&out, "### %s\n\n", heading)
		fmt.Fprintf(&out, "`%s`: %s.\n\n", name, strings.TrimSuffix(c.Summary, "."))
		if len(c.Help) > 0 {
			out.WriteString("| words | |\n|---|---|\n")
			for _, f := range c.Help {
				label := "`" + f.Name + "`"
				if !strings.HasPrefix(f.Name, "--") && !strings.HasPrefix(f.Name, c.Name+" ") {
					label = f.Name // a word about the command, such as Example
				}
				out.WriteString(repotest.TableRow(label, f.Value))
			}
			out.WriteString("\n")
		}
	}
	repotest.Section(t, "docs/commands.md", "questions", out.String())
}

// docs/commands.md has every command of the program with its flags, from what --help says.
func TestDocsHaveTheProgram(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	_, readers := settings(t) // what serve does not read is not on its page of help
	out.WriteString("| command | what it does | flags |\n|---|---|---|\n")
	for _, leaf := range commandLine(t).Leaves(true) {
		words := []string{strings.TrimSuffix(leaf.Path(), " ")}
		for _, p := range leaf.Positional {
			words = append(words, p.Summary())
		}
		var flags []string
		for _, f := range leaf.Flags {
			switch {
			case f.Hidden || f.Name == "help":
			case len(f.Envs) == 0:
				flags = append(flags, "`--"+f.Name+"`: "+f.Help)
			case readers[f.Envs[0]] != nil:
				flags = append(flags, "`--"+f.Name+"`: the setting `"+f.Envs[0]+"`.")
			}
		}
		out.WriteString(repotest.TableRow("`"+strings.Join(words, " ")+"`", leaf.Help, strings.Join(flags, "<br>")))
	}
	repotest.Section(t, "docs/commands.md", "program", out.String())
}

// labels are the values that an alert fills in; a document names them.
var (
	labels = regexp.MustCompile(`\{\{ ?\$labels\.(\w+) ?\}\}`)
	values = regexp.MustCompile(`\{\{ ?\$value[^}]*\}\}`)
)

// The runbook has a part for each alert, from the alerts themselves.
func TestDocsHaveEveryAlert(t *testing.T) {
	t.Parallel()
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert               string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(repotest.Read(t, "deploy/prometheus/alerts.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	plain := func(text string) string {
		text = strings.ReplaceAll(text, "{{ $labels.instance }}", "INSTANCE")
		text = values.ReplaceAllString(labels.ReplaceAllString(text, "*$1*"), "N")
		return text
	}
	var out strings.Builder
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			a := r.Annotations
			fmt.Fprintf(&out, "### %s\n\n*%s.* %s\n\n**Do:** %s\n\n", r.Alert, strings.ToUpper(r.Labels["severity"][:1])+r.Labels["severity"][1:], plain(a["description"]), plain(a["action"]))
		}
	}
	repotest.Section(t, operationsFile, "alerts", out.String())
}
