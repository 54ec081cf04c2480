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

// Option tells a command more than Defender knows.
type Option func(*known)

// WithAdvisories makes pages say what MSRC and CISA publish. The function returns the newest snapshot of that, and nil as
// long as there is none.
func WithAdvisories(snapshot func() *advisory.Snapshot) Option {
	return func(k *known) { k.snapshot = snapshot }
}

// Accepted tells which missing updates are accepted; *[risk.Register] has it.
type Accepted interface {
	Marks(ctx context.Context, rows []patchgap.Row) (risk.Marks, error)
}

// WithAccepted makes pages mark accepted updates.
func WithAccepted(a Accepted) Option {
	return func(k *known) { k.accepted = a }
}

// History tells when updates were first seen missing; *store.Store has it.
type History interface {
	FirstSeen(ctx context.Context, tenant, software string) (map[patchgap.Key]patchgap.Seen, error)
}

// WithHistory makes the page of an update say since when digests see it.
func WithHistory(h History) Option {
	return func(k *known) { k.history = h }
}

// WithAges makes pages tell the age and the deadline of updates. facts returns what is known for that of the updates of a
// software; it is called for each question.
func WithAges(facts func(ctx context.Context, software string) aging.Facts) Option {
	return func(k *known) { k.facts = facts }
}

// WithClock sets the clock by which pages tell the age of what is known; default [time.Now].
func WithClock(now func() time.Time) Option {
	return func(k *known) { k.clock = now }
}

// ClockOf is the clock of [WithClock] among options.
func ClockOf(opts ...Option) func() time.Time { return knownBy(opts).now }

// known holds what the program knows beyond Defender's data. The zero value knows nothing.
type known struct {
	snapshot func() *advisory.Snapshot
	accepted Accepted                                               // nil for none
	history  History                                                // nil for none
	facts    func(ctx context.Context, software string) aging.Facts // nil for none
	clock    func() time.Time                                       // nil for time.Now
}

func (k known) now() time.Time {
	if k.clock == nil {
		return time.Now()
	}
	return k.clock()
}

// maxJudged bounds the rows of one answer that are judged. A software lacks hundreds of updates, so many more are a fault
// whose judging would only take memory.
const maxJudged = 20_000

// within returns what is used for an answer of so many rows, and what to say below the page if that is nothing.
func (k known) within(rows int) (used known, note string) {
	if rows <= maxJudged {
		return k, ""
	}
	return known{clock: k.clock}, fmt.Sprintf("More than %s rows: the bot does not look up which are exploited, contained in others, overdue or accepted.", view.Thousands(maxJudged))
}

// marks returns what is accepted of rows, and what to say of it below a page.
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

// advisories returns the newest snapshot, which may be nil.
func (k known) advisories() *advisory.Snapshot {
	if k.snapshot == nil {
		return nil
	}
	return k.snapshot()
}

// versionOf is what tells the pages of one snapshot from those of another.
func versionOf(s *advisory.Snapshot) string { return "\n" + strconv.FormatUint(s.Version(), 10) }

// ages returns what is known about the age of updates of some software, and false without a source.
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

// acceptName is the command that accepts a risk; package riskcmd has it.
const acceptName = "accept"

// acceptedWords says of one update that it is accepted, by whom and why; "" if it is not.
func acceptedWords(m risk.Marks, u patchgap.Update) string {
	a, _, found := m.Of(u)
	if !found {
		return ""
	}
	return fmt.Sprintf("Accepted %s by %s: %s", m.Cell(u), a.By, sentence(strings.TrimRight(a.Reason, ".")))
}

// acceptAction offers to accept an update, or to look at the decision.
func (k known) acceptAction(m risk.Marks, u patchgap.Update) []view.Action {
	if k.accepted == nil || u.KB() == "" {
		return nil
	}
	if a, _, found := m.Of(u); found {
		return []view.Action{{Label: "Accepted risk", Command: cmdline.Join(acceptName, "show", a.ID)}}
	}
	return []view.Action{{Label: "Accept…", Command: cmdline.Join(acceptName, catalog.Label(u.KB()))}}
}
