package blocks

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/view"
)

// Not every workspace accepts every newer block, and Slack does not say in advance which it accepts. So a page is drawn
// in the richest form that the workspace is not known to refuse, and in a simpler one when Slack refuses it: data_table
// with buttons, data_table with links, table, sections. Charts are judged separately from tables. If Slack even refuses
// sections, only the text is sent. This is the only place that decides this, for answers, digests, their threads,
// direct messages and the Home tab; refusal.go parses the refusals.
//
// What is remembered, and when:
//
// - Slack names a type that it does not support: remembered at once, for [forgetAfter].
// - Slack names something else, such as a missing field or a text that is too long: that is our fault in this one
// message. It says nothing about the workspace, so nothing is remembered. It is counted, and logged as an error with
// Slack's words.
// - Slack gives no reason, as a response_url does not: the form changes for this message only. What was left out last
// before Slack accepted the message becomes a suspect, the newest feature if there are several. It is remembered when
// [maxSuspicions] different pages in a row are refused for it, with none accepted between them.
//
// An accepted message clears all suspects that it uses. Refusals of the Home tab say nothing about messages; refusals
// of messages count for the Home tab too. A process starts without memory.
//
// Acknowledgements are excluded: Slack silently drops one that it dislikes, so a refusal would go unnoticed. Newer
// blocks go to the response_url instead, right after an empty acknowledgement.

const (
	// forgetAfter is how long a refusal is remembered: Slack rolls out new blocks workspace by workspace.
	forgetAfter = 24 * time.Hour
	// maxSuspicions is how many different pages in a row must be refused without a reason before the feature is blamed.
	maxSuspicions = 3

	// MaxTries bounds the posts of one page by calls of the Web API.
	MaxTries = 6
)

// TableSetting is the setting of how tables are drawn.
type TableSetting string

// The settings.
const (
	TablesAuto    TableSetting = "auto"       // as rich as the workspace takes
	TablesData    TableSetting = "data_table" // every message is tried as data_table, regardless of refusals
	TablesPlain   TableSetting = "table"      // table blocks, or simpler
	TablesClassic TableSetting = "classic"    // sections and buttons, charts as text
)

// richest returns the form to try first.
func (t TableSetting) richest() Form {
	switch t {
	case TablesPlain:
		return Form{Tables: PlainTables}
	case TablesClassic:
		return Classic()
	default:
		return Form{}
	}
}

// RefusalCause is the reason why Slack refused blocks.
type RefusalCause string

// The causes.
const (
	Unsupported RefusalCause = "unsupported" // the workspace does not support a type of block
	OurFault    RefusalCause = "content"     // what was sent is wrong
	Unexplained RefusalCause = "unknown"     // Slack did not say
)

// Refusal is one message that Slack refused because of its blocks.
type Refusal struct {
	Cause   RefusalCause
	Feature Feature // left out from now on; empty for none
}

// LadderOptions configure a [Ladder]. The zero value of each field stands for its default.
type LadderOptions struct {
	Tables  TableSetting  // default TablesAuto
	Observe func(Refusal) // called for each refusal
	Refused func()        // called when the workspace starts to refuse something
	Taken   func()        // called when it accepts everything again
	Log     *slog.Logger  // default: discarded
}

// Ladder draws pages as richly as the workspace accepts them, and remembers what it refuses. A process has one. It is
// safe for concurrent use.
type Ladder struct {
	options LadderOptions

	mu       sync.Mutex
	refused  map[usage]time.Time       // features not used until a time
	suspects map[usage]map[string]bool // titles of the pages refused since the last accepted one
}

// usage is a feature and where it is used.
type usage struct {
	on      Destination
	feature Feature
}

// Destination is where blocks are shown. A workspace may accept different blocks in each.
type Destination int

// The destinations.
const (
	ToMessage Destination = iota
	ToHome
)

// NewLadder returns a ladder without memory.
func NewLadder(o LadderOptions) *Ladder {
	if o.Tables == "" {
		o.Tables = TablesAuto
	}
	if o.Observe == nil {
		o.Observe = func(Refusal) {}
	}
	if o.Refused == nil {
		o.Refused = func() {}
	}
	if o.Taken == nil {
		o.Taken = func() {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Ladder{options: o, refused: map[usage]time.Time{}, suspects: map[usage]map[string]bool{}}
}

// Form returns the richest form that the workspace is not known to refuse.
func (l *Ladder) Form(on Destination) Form {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.options.Tables.richest()
	if l.options.Tables == TablesData {
		return f
	}
	for _, feature := range Features() {
		if f.MayUse(feature) && l.refusesLocked(on, feature) {
			f = f.Without(feature)
		}
	}
	return f
}

// refusesLocked reports whether the workspace is known to refuse a feature now.
func (l *Ladder) refusesLocked(on Destination, f Feature) bool {
	now := time.Now()
	return now.Before(l.refused[usage{on, f}]) || on == ToHome && now.Before(l.refused[usage{ToMessage, f}])
}

// MayAcknowledge reports whether an acknowledgement may carry a page: it draws nothing newer, or the settings say that
// the workspace accepts it and no message was refused recently.
func (l *Ladder) MayAcknowledge(p view.Page) bool {
	used := l.Form(ToMessage).Draws(p)
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(used) == 0 || l.options.Tables == TablesData &&
		!slices.ContainsFunc(used, func(f Feature) bool { return l.refusesLocked(ToMessage, f) })
}

// taken records what Slack accepted, and suspects what was left out after a refusal without a reason.
func (l *Ladder) taken(d Delivery, used, refused []Feature) {
	var tell func()
	defer func() {
		if tell != nil {
			tell()
		}
	}()
	l.mu.Lock()
	defer l.mu.Unlock()
	bad := len(l.refused)
	for _, f := range used {
		at := usage{d.On, f}
		if _, was := l.refused[at]; was {
			l.options.Log.Info("this workspace takes blocks that it refused before", "type", f)
			delete(l.refused, at)
		}
		delete(l.suspects, at)
	}
	if bad > 0 && len(l.refused) == 0 {
		tell = l.options.Taken
	}
	i := slices.IndexFunc(refused, func(f Feature) bool { return !slices.Contains(used, f) })
	if i < 0 {
		return
	}
	at := usage{d.On, refused[i]}
	if l.suspects[at] == nil {
		l.suspects[at] = map[string]bool{}
	}
	if l.suspects[at][d.Page.Title] = true; len(l.suspects[at]) >= maxSuspicions && l.rememberLocked(context.Background(), at, []string{"no reason, several messages in a row"}) {
		tell = l.options.Refused
	}
}

// rememberLocked records that the workspace refuses a feature, and reports whether that is new.
func (l *Ladder) rememberLocked(ctx context.Context, at usage, said []string) (news bool) {
	now := time.Now()
	news = !now.Before(l.refused[at])
	l.refused[at] = now.Add(forgetAfter)
	delete(l.suspects, at)
	if news {
		l.options.Log.WarnContext(ctx, "this workspace refuses blocks; drawing them more simply",
			"type", at.feature, "home", at.on == ToHome, "said", said, "again_after", forgetAfter)
	}
	return news
}

// report logs and counts a refusal, and remembers what Slack names.
func (l *Ladder) report(ctx context.Context, d Delivery, r blockRefusal, blamed []Feature) {
	log, said := l.options.Log, []any{"error", r.code, "said", r.words, "home", d.On == ToHome} // not With: logging with ctx removes what the user typed
	switch {
	case len(r.faults) > 0:
		log.ErrorContext(ctx, "Slack refused a message as malformed; sending it in a simpler form. Please report this as a fault of missingkbs", append(said, "faults", r.faults)...)
	case r.cause == Unexplained:
		log.WarnContext(ctx, "Slack refused blocks without a reason; sending the message in a simpler form", said...)
	}
	seen := Refusal{Cause: r.cause}
	if len(blamed) > 0 {
		seen.Feature = blamed[0]
	}
	l.options.Observe(seen)
	if r.cause == Unsupported && len(r.faults) > 0 {
		l.options.Observe(Refusal{Cause: OurFault})
	}
	news := false
	l.mu.Lock()
	for _, f := range r.unsupported {
		news = l.rememberLocked(ctx, usage{d.On, f}, r.words) || news
	}
	l.mu.Unlock()
	if news {
		l.options.Refused()
	}
}
