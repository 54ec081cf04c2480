package reportcmd

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/reading"
	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/kpi"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	// Name is the name of the command.
	Name  = "report"
	usage = "[<software>… | all] [--page N]"

	// fresh is the age from which a digest's reading is too old, so that the report asks Defender.
	fresh = 12 * time.Hour
	// refreshAge is the age up to which data counts as fresh after --fresh.
	refreshAge = 10 * time.Second
)

// History reads what digests have stored. *store.Store implements it.
type History interface {
	History(ctx context.Context, tenant string, since time.Time, wanted func(software string) bool) ([]patchgap.Snapshot, error)
	FirstSeen(ctx context.Context, tenant, software string) (map[patchgap.Key]patchgap.Seen, error)
	FailedDigests(ctx context.Context, tenant string, since time.Time) (int, error)
}

// Options are the dependencies of the command. All but Reader may be nil.
type Options struct {
	Reader     *reading.Reader
	History    History
	Advisories func() *advisory.Snapshot // nil without feeds; so may be its result
	Policy     func() deadline.Policy
	Now        func() time.Time // the clock; [time.Now] when nil
}

// Reporter makes reports.
type Reporter struct{ Options }

// New returns the command that reports how patching goes.
func New(o Options) commands.Command {
	r := Reporter{o}
	return commands.Command{
		Name:    Name,
		Usage:   usage,
		Summary: "how patching is going: the age of missing updates, what is overdue, and this monthly cycle compared with earlier ones",
		Help: []view.Fact{
			reading.AllHelp(),
			{Name: "--page N", Value: "page N of the list of updates"},
			{Name: "Example", Value: "report microsoft-_-windows_11"},
		},
		Shared: shared,
		Run:    r.run,
	}
}

// query is a parsed line.
type query struct {
	scope []string // the words that select the software
	page  int
	fresh bool
}

func (q *query) options() *cmdline.Options {
	o := cmdline.NewOptions(Name+" "+usage, Name)
	o.Var(cmdline.Number(&q.page, 1), "page", "")
	o.Fresh(&q.fresh)
	return o
}

func (q query) line(more ...string) string {
	return cmdline.Join(slices.Concat([]string{Name}, q.scope, more)...)
}

// shared reports whether an answer may be posted for everyone. The lines that a page offers are about software, not
// people.
func shared(req commands.Request) bool {
	var q query
	words, err := q.options().ReadWords(req.Words)
	return err == nil && reading.Offered(words)
}

func (r Reporter) now() time.Time {
	if r.Now == nil {
		return time.Now()
	}
	return r.Now()
}

// run answers a question: from what digests have read, and from Defender for software without a recent reading.
func (r Reporter) run(ctx context.Context, req commands.Request) (view.Page, error) {
	var q query
	words, err := q.options().ReadWords(req.Words)
	if err != nil {
		return view.Page{}, err
	}
	scope, err := r.Reader.Resolve(ctx, words, req.Exact, func(ids []string) string { return query{scope: ids}.line() })
	if err != nil {
		return view.Page{}, err
	}
	q.scope = scope.Words()
	now := r.now().UTC()
	in, failed, err := r.input(ctx, now, func(id string) bool { return slices.Contains(scope.IDs, id) })
	if err != nil {
		return view.Page{}, err
	}
	gap, err := r.readRest(ctx, &in, scope.IDs, q.fresh)
	if err != nil {
		return view.Page{}, err
	}
	p := pageOf(kpi.New(in), in)
	p.query, p.scope, p.failed, p.kept = q, scope.Title(gap), failed, r.History != nil
	page := p.page()
	page.Note = view.JoinSentences(page.Note, scope.Note, gap.Note())
	page.AsOf = commands.Oldest(gap.AsOf, view.AsOf{})
	if len(scope.IDs) == 1 {
		page.Software = scope.IDs[0]
	}
	return page, nil
}

// input collects the stored readings of the wanted software and when each update was first seen. failed counts digests
// that could not be read.
func (r Reporter) input(ctx context.Context, now time.Time, wanted func(string) bool) (in kpi.Input, failed int, err error) {
	in = kpi.Input{Now: now, Seen: map[patchgap.Key]patchgap.Seen{}}
	if r.Advisories != nil {
		in.Known = r.Advisories()
	}
	if r.Policy != nil {
		in.Policy = r.Policy()
	}
	if r.History == nil {
		return in, 0, nil
	}
	since := kpi.Since(now)
	if in.Readings, err = r.History.History(ctx, digest.DefaultTenant, since, wanted); err != nil {
		return in, 0, fmt.Errorf("read history: %w", err)
	}
	if failed, err = r.History.FailedDigests(ctx, digest.DefaultTenant, since); err != nil {
		return in, 0, fmt.Errorf("read history: %w", err)
	}
	last := ""
	for _, snap := range in.Readings {
		id := snap.Software[0]
		if id == last {
			continue
		}
		last = id
		seen, err := r.History.FirstSeen(ctx, digest.DefaultTenant, id)
		if err != nil {
			return in, 0, fmt.Errorf("read history: %w", err)
		}
		maps.Copy(in.Seen, seen)
	}
	return in, failed, nil
}

// readRest asks Defender about software without a recent reading.
func (r Reporter) readRest(ctx context.Context, in *kpi.Input, ids []string, refresh bool) (reading.Gap, error) {
	at := map[string]time.Time{}
	for _, snap := range in.Readings {
		at[snap.Software[0]] = snap.At
	}
	var opts []api.CallOption
	limit := fresh
	if refresh {
		opts, limit = append(opts, api.MaxAge(refreshAge)), 0
	}
	var ask []string
	var oldest view.AsOf
	for _, id := range ids {
		if age := in.Now.Sub(at[id]); age > limit {
			ask = append(ask, id)
		} else {
			oldest = commands.Oldest(view.AsOf{Time: at[id], Age: max(age, 0)}, oldest)
		}
	}
	if len(ask) == 0 {
		return reading.Gap{AsOf: oldest}, nil
	}
	gap, err := r.Reader.Read(ctx, ask, opts...)
	if err != nil && len(at) == 0 {
		return gap, err
	}
	in.Readings = append(in.Readings, split(gap.Rows, gap.Read, in.Now)...)
	gap.AsOf = commands.Oldest(gap.AsOf, oldest)
	return gap, nil
}

// split makes one snapshot of each software that was read.
func split(rows []patchgap.Row, read []string, at time.Time) []patchgap.Snapshot {
	by := map[string][]patchgap.Row{}
	for _, r := range rows {
		by[r.Software] = append(by[r.Software], r)
	}
	all := make([]patchgap.Snapshot, 0, len(read))
	for _, id := range read {
		all = append(all, patchgap.Snapshot{Tenant: digest.DefaultTenant, At: at, Software: []string{id}, Rows: by[id]})
	}
	return all
}

// Digest returns the page of a digest with --report, instead of the list of missing updates. snap is what was read for
// it.
func (r Reporter) Digest(ctx context.Context, s digest.Subscription, snap patchgap.Snapshot) (view.Page, error) {
	now := s.Local(r.now())
	in, failed, err := r.input(ctx, now, s.Watches)
	if err != nil {
		return view.Page{}, err
	}
	read := slices.DeleteFunc(slices.Clone(snap.Software), func(id string) bool { return snap.IsUnread(id) || snap.IsPartial(id) })
	in.Readings = append(in.Readings, split(snap.Rows, read, snap.At)...)
	p := pageOf(kpi.New(in), in)
	p.scope, p.failed, p.kept, p.query.scope = s.Name(), failed, true, s.Watch
	page := p.page()
	if n := len(snap.Unread) + len(snap.Partial); n > 0 {
		page.Note = view.JoinSentences(fmt.Sprintf("%s could not be read now.", view.Count(n, "software id")), page.Note)
	}
	page.AsOf = view.AsOf{Time: snap.At, Age: max(0, now.Sub(snap.At))}
	page.Actions = []view.Action{ // a digest is not replaced, so there is no Refresh
		{Label: "Report now", Command: p.query.line()}, {Label: "What to install first", Command: cmdline.Join(append([]string{"plan"}, s.Watch...)...)},
	}
	return page, nil
}
