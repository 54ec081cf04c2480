package commands

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/aging"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/risk"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Option adds knowledge beyond Defender's data to a command.
type Option func(*known)

// WithAdvisories shows what MSRC and CISA publish. snapshot returns the current snapshot, or nil while there is none.
func WithAdvisories(snapshot func() *advisory.Snapshot) Option {
	return func(k *known) { k.snapshot = snapshot }
}

// Accepted answers which missing updates are accepted; *[risk.Register] implements it.
type Accepted interface {
	Marks(ctx context.Context, rows []patchgap.Row) (risk.Marks, error)
}

// WithAccepted marks accepted updates.
func WithAccepted(a Accepted) Option {
	return func(k *known) { k.accepted = a }
}

// History answers when updates were first seen missing; *store.Store implements it.
type History interface {
	FirstSeen(ctx context.Context, tenant, software string) (map[patchgap.Key]patchgap.Seen, error)
}

// WithHistory shows on the page of an update since when digests have seen it missing.
func WithHistory(h History) Option {
	return func(k *known) { k.history = h }
}

// WithAges shows the age and deadline of updates. facts is called for each question, with the software whose updates
// are shown.
func WithAges(facts func(ctx context.Context, software string) aging.Facts) Option {
	return func(k *known) { k.facts = facts }
}

// WithClock sets the clock that ages are measured with; default [time.Now].
func WithClock(now func() time.Time) Option {
	return func(k *known) { k.clock = now }
}

// ClockOf is the clock of [WithClock] among options.
func ClockOf(opts ...Option) func() time.Time { return knownBy(opts).now }

// known holds what the program knows beyond Defender's data. The zero value knows nothing.
type known struct {
	snapshot func() *advisory.Snapshot
	accepted Accepted                                               // may be nil
	history  History                                                // may be nil
	facts    func(ctx context.Context, software string) aging.Facts // may be nil
	clock    func() time.Time                                       // nil for [time.Now]
}

func (k known) now() time.Time {
	if k.clock == nil {
		return time.Now()
	}
	return k.clock()
}

// maxJudged bounds the rows of one answer that are triaged. Software has hundreds of missing updates at most; far more
// are a fault of the data and would only use up memory.
const maxJudged = 20_000

// within returns k, or nothing and a note if an answer has too many rows.
func (k known) within(rows int) (used known, note string) {
	if rows <= maxJudged {
		return k, ""
	}
	return known{clock: k.clock}, fmt.Sprintf("More than %s rows: the bot does not look up which are exploited, contained in others, overdue or accepted.", view.Thousands(maxJudged))
}

// marks returns what is accepted of rows, and a note if that could not be read.
func (k known) marks(ctx context.Context, rows []patchgap.Row) (m risk.Marks, note string) {
	if k.accepted == nil {
		return m, ""
	}
	m, err := k.accepted.Marks(ctx, rows)
	if err != nil {
		return risk.Marks{}, "The bot could not read now which updates are accepted."
	}
	return m, risk.PastWords(m.Past)
}

func knownBy(opts []Option) known {
	var k known
	for _, o := range opts {
		o(&k)
	}
	return k
}

// advisories returns the current snapshot, which may be nil.
func (k known) advisories() *advisory.Snapshot {
	if k.snapshot == nil {
		return nil
	}
	return k.snapshot()
}

// versionOf identifies a snapshot in cache keys.
func versionOf(s *advisory.Snapshot) string { return "\n" + strconv.FormatUint(s.Version(), 10) }

// ages returns the dates of a software's updates, and false without a source.
func (k known) ages(ctx context.Context, software ...string) (f aging.Facts, known bool) {
	if k.facts == nil || len(software) == 0 {
		return f, false
	}
	f = k.facts(ctx, software[0])
	for _, id := range software[1:] {
		f = f.Join(k.facts(ctx, id))
	}
	return f, true
}

// acceptName is the command in package riskcmd that accepts a risk.
const acceptName = "accept"

// acceptedWords returns a sentence on who accepted an update and why; "" if it is not accepted.
func acceptedWords(m risk.Marks, u patchgap.Update) string {
	a, _, found := m.Of(u)
	if !found {
		return ""
	}
	return fmt.Sprintf("Accepted %s by %s: %s", m.Cell(u), a.By, sentence(strings.TrimRight(a.Reason, ".")))
}

// acceptAction returns the button to accept an update or to show the decision.
func (k known) acceptAction(m risk.Marks, u patchgap.Update) []view.Action {
	if k.accepted == nil || u.KB() == "" {
		return nil
	}
	if a, _, found := m.Of(u); found {
		return []view.Action{{Label: "Accepted risk", Command: cmdline.Join(acceptName, "show", a.ID)}}
	}
	return []view.Action{{Label: "Accept…", Command: cmdline.Join(acceptName, catalog.Label(u.KB()))}}
}
