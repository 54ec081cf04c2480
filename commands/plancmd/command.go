package plancmd

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/reading"
	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/plan"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	// Name is the name of the command.
	Name  = "plan"
	usage = "[<software>… | all] [--install KB1,KB2] [--page N]"

	// refreshAge is the age up to which data counts as fresh after --fresh.
	refreshAge = 10 * time.Second
	// maxChosen is how many updates --install takes: that many fit in the value of a button.
	maxChosen = 50
)

// Options are the command's dependencies.
type Options struct {
	Reader     *reading.Reader
	Advisories func() *advisory.Snapshot // nil without feeds; so may be its result
	Now        func() time.Time          // the clock; [time.Now] when nil
}

// New returns the command that plans what to install first.
func New(o Options) commands.Command {
	p := planner{o}
	return commands.Command{
		Name:    Name,
		Usage:   usage,
		Summary: "what to install first: exploited updates, then those that remove the most device × CVE pairs",
		Help: []view.Fact{
			reading.AllHelp(),
			{Name: "--install KB1,KB2", Value: "show what would remain if these were installed everywhere"},
			{Name: "--page N", Value: "page N of a long list"},
			{Name: "Example", Value: "plan microsoft-_-windows_11 --install KB5074864"},
		},
		Shared: shared,
		Run:    p.run,
	}
}

// query is a parsed line.
type query struct {
	scope   []string // the words that select the software
	install string
	page    int
	fresh   bool
}

func (q *query) options() *cmdline.Options {
	o := cmdline.NewOptions(Name+" "+usage, Name)
	o.StringVar(&q.install, "install", "", "")
	o.Var(cmdline.Number(&q.page, 1), "page", "")
	o.Fresh(&q.fresh)
	return o
}

// line returns the same question with other updates assumed to be installed.
func (q query) line(install []string, more ...string) string {
	words := append([]string{Name}, q.scope...)
	if len(install) > 0 {
		words = append(words, "--install", strings.Join(install, ","))
	}
	return cmdline.Join(append(words, more...)...)
}

// shared reports whether an answer may be posted for everyone. The lines that a page offers are about software, not
// people.
func shared(req commands.Request) bool {
	var q query
	words, err := q.options().ReadWords(req.Words)
	return err == nil && reading.Offered(words)
}

type planner struct{ Options }

// run answers a question: it reads what is missing, plans, and draws the page.
func (p planner) run(ctx context.Context, req commands.Request) (view.Page, error) {
	var q query
	words, err := q.options().ReadWords(joinInstall(req.Words))
	if err != nil {
		return view.Page{}, err
	}
	scope, err := p.Reader.Resolve(ctx, words, req.Exact, func(ids []string) string {
		q := q
		q.scope = ids
		return q.line(split(q.install))
	})
	if err != nil {
		return view.Page{}, err
	}
	q.scope = scope.Words()
	chosen := split(q.install)
	if len(chosen) > maxChosen {
		return view.Page{}, &commands.Error{
			Usage: true, Message: "--install takes " + strconv.Itoa(maxChosen) + " updates at most. Leave out those that close least.",
			Actions: []view.Action{{Label: "Plan without it", Command: q.line(nil)}},
		}
	}
	var opts []api.CallOption
	if q.fresh {
		opts = append(opts, api.MaxAge(refreshAge))
	}
	gap, err := p.Reader.Read(ctx, scope.IDs, opts...)
	if err != nil {
		return view.Page{}, err
	}
	var known *advisory.Snapshot
	if p.Advisories != nil {
		known = p.Advisories()
	}
	b := builder{query: q, scope: scope, gap: gap, known: known, now: p.now(), problem: plan.New(gap.Rows, known)}
	b.choose(chosen)
	return b.page(), nil
}

func (p planner) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}

// joinInstall makes one word of a list typed with spaces: --install KB1, KB2.
func joinInstall(words []string) []string {
	var out []string
	for i := 0; i < len(words); i++ {
		out = append(out, words[i])
		if cmdline.OptionName(words[i]) != "install" || strings.Contains(words[i], "=") || i+1 == len(words) {
			continue
		}
		i++
		list := words[i]
		for i+1 < len(words) && (strings.HasSuffix(list, ",") || isKB(words[i+1])) {
			i++
			list += "," + words[i]
		}
		out = append(out, list)
	}
	return out
}

// isKB reports whether a word can only be one or several KB numbers.
func isKB(word string) bool {
	kbs := split(word)
	for _, kb := range kbs {
		if len(kb) < 6 || len(kb) > 8 || strings.Trim(kb, "0123456789") != "" {
			return false
		}
	}
	return len(kbs) > 0
}

// split returns the numbers in a list of updates, without repeats.
func split(list string) []string {
	var kbs []string
	seen := map[string]bool{}
	for _, kb := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ';' }) {
		if ids := cmdline.IDs(kb); len(ids) == 1 { // an address or a file name has more than the number
			kb = ids[0]
		}
		kb = strings.TrimSpace(kb)
		if number := strings.TrimPrefix(strings.ToUpper(kb), "KB"); catalog.Label(number) != number {
			kb = number
		}
		if kb != "" && !seen[kb] {
			seen[kb] = true
			kbs = append(kbs, kb)
		}
	}
	return kbs
}
