package completion_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/digestcmd"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/completion"
	"github.com/missingkbs/missingkbs/internal/view"
)

type program struct {
	Ask struct {
		Output  string   `short:"o" complete:"text,json" help:"The form."`
		Sandbox bool     `help:"Invented data."`
		Words   []string `arg:"" optional:"" passthrough:""`
	} `cmd:"" help:"Ask."`
	Shell struct {
		Name string `arg:"" complete:"bash,zsh"`
	} `cmd:"" help:"Print."`
	Secret struct{} `cmd:"" hidden:""`
	Config string   `placeholder:"FILE" help:"Settings."`
}

func questions(t *testing.T) completion.Questions {
	t.Helper()
	index := &search.Index{}
	router, err := commands.NewRouter(
		commands.Software(nil, index), commands.KB(nil, index), commands.Devices(nil, index, nil), commands.Search(nil, index),
		digestcmd.New(nil, digestcmd.Options{}),
	)
	if err != nil {
		t.Fatal(err)
	}
	return completion.Questions{
		Commands: router.Commands(),
		Software: func() []string { return []string{"microsoft-_-edge", "microsoft-_-windows_11", "mozilla-_-firefox"} },
		Digests:  func() []completion.Candidate { return []completion.Candidate{{Word: "4711", About: "edge"}} },
	}
}

// few are commands that do not change with the program's own.
func few() []commands.Command {
	return []commands.Command{
		{
			Usage: "<software-id> [--sort devices|cves|kb] [--min-devices N]",
			Help:  []view.Fact{{Name: "--sort devices|cves|kb"}, {Name: "--min-devices N"}, {Name: "--min-cves N"}},
		},
		{Name: "kb", Usage: "<number> [--devices] [--cves]"},
		{Name: "devices", Usage: "<software> [--list]"},
		{
			Name: "digest", Usage: "add | show | pause",
			Subs: []commands.Subcommand{{Name: "add"}, {Name: "show", Subject: true}, {Name: "pause", Subject: true}},
			Help: []view.Fact{
				{Name: "digest add <software-id>… | all [--min-devices N] [--min-cves N] [--quiet silent|heartbeat|always]"},
				{Name: "digest show N"},
				{Name: "digest pause N [until <date>]"},
			},
		},
		{Name: commands.HelpName, Usage: "[command]"},
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&program{})
	if err != nil {
		t.Fatal(err)
	}
	q := questions(t)
	q.Commands = few()
	for line, want := range map[string][]string{
		"":                            {"ask", "shell"},
		"a":                           {"ask"},
		"nonsense ":                   {"ask", "shell"},
		"shell ":                      {"bash", "zsh"},
		"shell bash ":                 nil,
		"--con":                       {"--config"},
		"--config ":                   {":files"},
		"--config=x":                  {":files"},
		"ask -o ":                     {"text", "json"},
		"ask -o js":                   {"json"},
		"ask --output=j":              {"--output=json"},
		"ask --output =":              {"text", "json"},
		"ask --output = te":           {"text"},
		"ask --output = json k":       {"kb"},
		"ask -o json microsoft-_-w":   {"microsoft-_-windows_11"},
		"ask Microsoft-_-E":           {"microsoft-_-edge"},
		"ask mo":                      {"mozilla-_-firefox"},
		"ask --sandbox de":            {"devices"},
		"ask kb --dev":                {"--devices"},
		"ask kb --devices --dev":      nil,
		"ask kb ":                     nil,
		"ask KB KB5074202 --c":        {"--cves", "--config"},
		"ask devices mic":             {"microsoft-_-edge", "microsoft-_-windows_11"},
		"ask help de":                 {"devices"},
		"ask help devices ":           nil,
		"ask microsoft-_-edge --sort": {"--sort"},
		"ask microsoft-_-edge --sort ": {
			"devices", "cves", "kb",
		},
		"ask microsoft-_-edge --sort c":         {"cves"},
		"ask windows ":                          nil,
		"ask digest pa":                         {"pause"},
		"ask digest show ":                      {"4711"},
		"ask digest show 4711 ":                 nil,
		"ask digest add mozilla":                {"mozilla-_-firefox"},
		"ask digest add all --quiet ":           {"silent", "heartbeat", "always"},
		"ask digest add all --quiet silent --m": {"--min-devices", "--min-cves"},
		"ask microsoft-_-edge -o t":             {"text"},
		"ask no such -":                         {"--sort", "--min-devices", "--min-cves", "--help", "--config", "--output", "--sandbox"},
	} {
		a := completion.Line(parser.Model, strings.Split(line, " "), q.Complete)
		var got []string
		if a.Files {
			got = append(got, ":files")
		}
		for _, c := range a.Candidates {
			got = append(got, c.Word)
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", line, diff)
		}
	}
}

// Whatever a command's help names is completed: its options, its subcommands, and the command itself.
func TestEveryCommandIsCompleted(t *testing.T) {
	t.Parallel()
	q := questions(t)
	offers := func(words ...string) []string {
		var all []string
		for _, c := range q.Complete(words) {
			all = append(all, c.Word)
			if c.Word == "" || strings.ContainsAny(c.Word, " |<[") {
				t.Errorf("%q is completed by %q", words, c.Word)
			}
		}
		return all
	}
	for _, c := range q.Commands {
		first := c.Name
		if first == "" {
			first = "microsoft-_-edge"
		} else if slices.Contains(offers(""), c.Name) == c.Unlisted {
			t.Errorf("%s is offered: %v", c.Name, c.Unlisted)
		}
		for _, s := range c.Subs {
			if !slices.Contains(offers(c.Name, ""), s.Name) {
				t.Errorf("%s %s is not offered", c.Name, s.Name)
			}
		}
		for _, f := range c.Help {
			option, _, _ := strings.Cut(f.Name, " ")
			if strings.HasPrefix(option, "--") && !slices.Contains(offers(first, "-"), option) {
				t.Errorf("%s: %s is not offered", c.Name, option)
			}
		}
	}
}

// Names of foreign origin stay on their line and steer no terminal.
func TestWriteIsOneLineEach(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	a := completion.Answer{Files: true, Candidates: []completion.Candidate{{"a\nb\tc", "x\x1b[2Jy\nz"}}}
	if err := a.Write(&b); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), ":files\n"+view.OneLine("a\nb\tc")+"\t"+view.OneLine("x\x1b[2Jy\nz")+"\n"; got != want || strings.Count(got, "\n") != 2 || strings.Contains(got, "\x1b") {
		t.Errorf("got %q, want %q", got, want)
	}
}
