package digest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/view"
)

// Report is what a digest is made of. Its snapshots and changes hold every row; the pages leave out what the
// subscription's filter leaves out.
type Report struct {
	Subscription Subscription
	Kind         Kind
	Due          time.Time
	Now          time.Time
	Since        time.Time // when the channel was told last
	Before       Snapshot  // what the digest compares with; nothing for a first one
	After        Snapshot
	Waits        bool // what could not be read waits for its turn
	Changes      Changes
	History      []Delivery // earlier ones, the newest first
}

// lateAfter is how long after its due time a digest is called late.
const lateAfter = 30 * time.Minute

// The bounds of what a digest lists; the details hold the rest.
const (
	maxGaps    = 8
	maxListed  = 5   // changes of a kind
	maxDetails = 40  // changes of a kind, in the details
	maxLine    = 450 // characters of a fact
)

// Page is the digest: the verdict, scope and period, what changed, the largest gaps, progress, and what can be done.
func (r Report) Page() view.Page {
	s := r.Subscription
	page := view.Page{
		Title: string(r.Verdict()) + ": " + s.scope(),
		Lead:  r.lead(),
		Parts: []view.Part{r.header(), r.changed(maxListed)},
		Note:  r.note(),
		AsOf:  r.asOf(),

		Unreadable: r.After.unreadable(),
		Actions: []view.Action{
			{Label: "Details", Command: "digest details " + s.ID},
			{Label: "CSV", Command: "digest csv " + s.ID},
			{Label: "Pause", Command: "digest pause " + s.ID},
			{Label: "Settings", Command: "digest show " + s.ID},
		},
	}
	if r.late() {
		page.Title += " (late)"
	}
	if gaps := r.gaps(); len(gaps.Rows) > 0 {
		page.Parts = append(page.Parts, gaps)
	}
	if progress := r.progress(); len(progress) > 0 {
		page.Parts = append(page.Parts, progress)
	}
	if chart := r.chart(); len(chart.Points) > 1 {
		page.Parts = append(page.Parts, chart)
	}
	return page
}

// Details is the page of a digest's thread: every change and every row.
func (r Report) Details() view.Page {
	page := Details(r.Subscription, r.After, r.Now)
	if changed := r.changed(maxDetails); len(changed) > 0 {
		page.Parts = append([]view.Part{changed}, page.Parts...)
	}
	return page
}

// Details is the page of all rows of a snapshot that a subscription's filter lets pass, the largest gaps first.
func Details(s Subscription, at Snapshot, now time.Time) view.Page {
	at = at.missing()
	shown := at.Keep(s.Filter)
	table := gapTable(ranked(shown.Rows))
	table.Caption = "Missing updates of " + s.scope()
	table.Command = "digest details " + s.ID
	page := view.Page{
		Title: "Details: " + s.scope(),
		Lead:  gapWords(at, shown),
		Parts: []view.Part{table},
		AsOf:  view.AsOf{Time: at.At, Age: max(0, now.Sub(at.At))},

		Unreadable: at.unreadable(),
	}
	if unread := unreadFacts(at); len(unread) > 0 {
		page.Parts = append([]view.Part{unread}, page.Parts...)
	}
	return page
}

func (r Report) first() bool      { return r.Kind == First }
func (r Report) late() bool       { return r.Now.Sub(r.Due) > lateAfter }
func (r Report) changes() Changes { return r.Changes.Keep(r.Subscription.Filter) }

func (r Report) asOf() view.AsOf {
	return view.AsOf{Time: r.After.At, Age: max(0, r.Now.Sub(r.After.At))}
}

// readLong is how long a reading takes that has no one time any more.
const readLong = 5 * time.Minute

// readAt is when the patch gap was read.
func (r Report) readAt() string {
	at := r.Subscription.moment(r.After.At)
	if r.After.Through.Sub(r.After.At) < readLong {
		return at
	}
	return at + " to " + r.Subscription.moment(r.After.Through)
}

// moment writes a time on the clocks of the subscription's zone.
func (s Subscription) moment(t time.Time) string {
	zone, err := loadZone(s.Schedule.Zone)
	if err != nil {
		zone = time.UTC
	}
	return t.In(zone).Format("Mon 2 Jan 2006 15:04 MST")
}

// scope says in a few words what is watched.
func (s Subscription) scope() string {
	names := make([]string, len(s.Watch))
	for i, w := range s.Watch {
		if names[i] = w; w == All {
			names[i] = "all Microsoft software"
		}
	}
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:2], ", "), len(names)-2)
	}
	return list(names)
}

// lead is the verdict's reason in a sentence or two.
func (r Report) lead() string {
	shown := r.After.Keep(r.Subscription.Filter)
	c := r.changes()
	var moved []string
	for _, m := range []struct {
		n    int
		verb string
	}{
		{len(c.New), "new"},
		{len(c.Reopened), "reopened"},
		{len(c.Grew), "grew"},
		{len(c.Shrank), "shrank"},
		{len(c.Closed), "closed"},
		{len(c.Added), "of software that is new here"},
	} {
		if m.n > 0 {
			moved = append(moved, view.Thousands(m.n)+" "+m.verb)
		}
	}
	state := gapWords(r.After, shown)
	switch {
	case len(r.After.Software) == 0 && len(r.After.Unread) == 0:
		return "No software in this tenant fits what this digest watches."
	case r.first():
		return state + " This is the first digest: there is nothing to compare with yet."
	case len(moved) == 0:
		return "Nothing has changed" + inWhatWasRead(r.After) + ". " + state
	}
	return upperFirst(list(moved)) + ". " + state
}

// gapWords says how large a patch gap is, what the filter hides of it, and whether that is all.
func gapWords(all, shown Snapshot) string {
	t := shown.Totals()
	words := "No update is missing"
	if t.Rows > 0 {
		words = fmt.Sprintf("%s missing, worst on %s", plural(t.KBs, "update"), plural(t.Worst, "device"))
	}
	if t.Rows > 0 && !all.whole() {
		words += ","
	}
	words += inWhatWasRead(all) + "."
	if t.KBs < t.Rows {
		words += " " + plural(t.Rows, "row") + ": one for each software and OS build."
	}
	if n := len(all.Rows) - len(shown.Rows); n > 0 {
		words += " " + plural(n, "row") + " hidden by the filter."
	}
	return words
}

// inWhatWasRead limits a sentence to what is known.
func inWhatWasRead(s Snapshot) string {
	if s.whole() {
		return ""
	}
	return " in what could be read"
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// header says what the digest is about, since when, and what it knows nothing of.
func (r Report) header() view.Facts {
	s := r.Subscription
	facts := view.Facts{{Name: "Scope", Value: strings.Join(s.Watch, ", ") + s.Filter.words()}}
	if r.first() {
		facts = append(facts, view.Fact{Name: "As of", Value: r.readAt()},
			view.Fact{Name: "Compared with", Value: "nothing: this is the first digest"})
	} else {
		facts = append(facts, view.Fact{Name: "Period", Value: s.moment(r.Since) + " to " + s.moment(r.Now)},
			view.Fact{Name: "As of", Value: r.readAt()},
			view.Fact{Name: "Compared with", Value: "the digest of " + s.moment(r.Since)})
	}
	if r.late() {
		facts = append(facts, view.Fact{Name: "Late", Value: fmt.Sprintf("due %s, sent %s later", s.moment(r.Due), view.Age(r.Now.Sub(r.Due)))})
	}
	return append(facts, unreadFacts(r.After)...)
}

func (f Filter) words() string {
	var words []string
	if f.MinDevices > 0 {
		words = append(words, plural(f.MinDevices, "device")+" or more")
	}
	if f.MinCVEs > 0 {
		words = append(words, plural(f.MinCVEs, "CVE")+" or more")
	}
	if len(words) == 0 {
		return ""
	}
	return " (only updates with " + strings.Join(words, " and ") + ")"
}

// unreadFacts names what could not be read, grouped by reason.
func unreadFacts(s Snapshot) view.Facts {
	reasons := map[string][]string{}
	for _, u := range s.Unread {
		reasons[u.Reason] = append(reasons[u.Reason], u.Software)
	}
	var facts view.Facts
	for reason, software := range reasons {
		slices.Sort(software)
		facts = append(facts, view.Fact{Name: "Could not read", Value: join(software, maxListed, ", ") + ": " + reason + " Nothing is known of it, and it counts as nothing above or below."})
	}
	slices.SortFunc(facts, func(a, b view.Fact) int { return cmp.Compare(a.Value, b.Value) })
	if len(s.Partial) > 0 {
		facts = append(facts, partialFact(s))
	}
	return facts
}

// partialFact counts the rows that could not be read.
func partialFact(s Snapshot) view.Fact {
	of := make([]string, len(s.Partial))
	for i, p := range s.Partial {
		of[i] = p.Software
	}
	slices.Sort(of)
	return view.Fact{Name: "Could not read", Value: fmt.Sprintf(
		"%s could not be read (%s). Which updates they are about is not known: they count as nothing above or below, and no update of this software is called closed.",
		plural(s.unreadable(), "row"), join(of, maxListed, ", "))}
}

// join joins the first words and counts the others.
func join(words []string, most int, sep string) string {
	var b strings.Builder
	for i, w := range words {
		if i == most || b.Len()+len(w) > maxLine && i > 0 {
			fmt.Fprintf(&b, "%sand %d more", sep, len(words)-i)
			break
		}
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(w)
	}
	return b.String()
}

// note says what the page leaves out.
func (r Report) note() string {
	var notes []string
	if rest := len(r.After.Keep(r.Subscription.Filter).Rows) - maxGaps; rest > 0 {
		notes = append(notes, plural(rest, "more row")+" in the details.")
	}
	if len(r.After.Unread) > 0 && len(r.History) > 0 {
		notes = append(notes, "The chart goes on with the last known numbers of what could not be read.")
	}
	return strings.Join(notes, " ")
}
