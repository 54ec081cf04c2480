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

// The bounds of what a digest lists; the details hold the rest. The first screen of a phone holds some fifteen lines.
const (
	maxGaps    = 8
	maxListed  = 3   // changes of a kind
	maxDetails = 20  // changes of a kind, in the details
	maxUnread  = 5   // software ids that could not be read for one reason
	maxLine    = 450 // characters of a fact
)

// Page is the digest: the verdict and why, since when, what changed, the largest gaps, progress, and what can be done.
func (r Report) Page() view.Page {
	s := r.Subscription
	page := view.Page{
		Title:   string(r.Verdict()) + ": " + s.scope(),
		Lead:    r.lead(),
		Context: r.context(),
		Note:    r.note(),
		AsOf:    r.asOf(),

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
	if unread := unreadFacts(r.After); len(unread) > 0 {
		page.Parts = append(page.Parts, unread)
	}
	page.Parts = append(page.Parts, r.changed(maxListed)...)
	if gaps := r.gaps(); gaps.Len() > 0 {
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

// Details is the page of a digest's thread: every change and every update.
func (r Report) Details() view.Page {
	page := Details(r.Subscription, r.After, r.Now, false)
	page.Parts = append(r.changed(maxDetails), page.Parts...)
	return page
}

// Details is the page of all updates of a snapshot that a subscription's filter lets pass, the largest gaps first; with
// eachRow, of their rows as Defender gives them.
func Details(s Subscription, at Snapshot, now time.Time, eachRow bool) view.Page {
	at = at.missing()
	gap := at.Gap(s.Filter)
	rows, command, other := gap.Shown, "digest details "+s.ID, view.Action{Label: "By product and OS build", Command: "digest details " + s.ID + " --all-rows"}
	if eachRow {
		rows, command, other = EachRow(rows), other.Command, view.Action{Label: "By KB", Command: command}
	}
	table := s.table(rows)
	table.Caption, table.Command = "Missing updates of "+s.scope(), command
	page := view.Page{
		Title: "Details: " + s.scope(),
		Lead:  gapWords(at, gap),
		Parts: []view.Part{table},
		Note:  sharedNote(gap.Shown),
		AsOf:  view.AsOf{Time: at.At, Age: max(0, now.Sub(at.At))},

		Unreadable: at.unreadable(),
	}
	if len(rows) > len(gap.Shown) {
		page.Lead += " " + plural(len(rows), "row") + ": one for each product and OS build."
	}
	if Several(gap.Shown) {
		page.Actions = []view.Action{other}
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

// context says since when, of when and of what a digest is, in one line.
func (r Report) context() string {
	zone := r.Subscription.zone()
	since, read, through := r.Since.In(zone), r.After.At.In(zone), r.After.Through.In(zone)
	const day, clock = "2 Jan", "15:04"
	when := "read " + read.Format(day+" "+clock+" MST")
	if through.Sub(read) >= readLong {
		when = "read " + read.Format(day+" "+clock) + " to " + through.Format(day+" "+clock+" MST")
	}
	switch {
	case r.first():
		when = "First digest, " + when
	case r.Since.IsZero():
		when = upperFirst(when)
	case !read.Truncate(time.Minute).After(since):
		when = upperFirst(when) + ", as for the last digest"
	case sameDay(since, read):
		when = "Since " + since.Format(day+" "+clock) + ", " + when
	case since.Year() != read.Year():
		when = "Since " + since.Format("Mon "+day+" 2006") + ", " + when
	default:
		when = "Since " + since.Format("Mon "+day) + ", " + when
	}
	if r.late() {
		when += "; due " + r.Due.In(zone).Format(day+" "+clock) + ", sent " + view.Age(r.Now.Sub(r.Due)) + " later"
	}
	if f := r.Subscription.Filter; f != (Filter{}) {
		when += "; only updates " + f.String()
	}
	return when + "."
}

// zone is the subscription's time zone, or UTC where this machine does not know it.
func (s Subscription) zone() *time.Location {
	zone, err := loadZone(s.Schedule.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// moment writes a time on the clocks of the subscription's zone.
func (s Subscription) moment(t time.Time) string {
	return t.In(s.zone()).Format("Mon 2 Jan 2006 15:04 MST")
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
	state := gapWords(r.After, r.gap())
	switch news := r.news(); {
	case len(r.After.Software) == 0 && len(r.After.Unread) == 0:
		return "No software in this tenant matches what this digest watches."
	case r.first():
		return state + " This is the first digest: there is nothing to compare with yet."
	case news == "":
		if where := inWhatWasRead(r.After); where != "" {
			return r.unchanged() + where + ". " + r.gap().Words("the filter", " there")
		}
		return r.unchanged() + ". " + state
	default:
		return upperFirst(news) + ". " + state
	}
}

// news counts what changed, in a few words; it is empty where nothing did.
func (r Report) news() string {
	c := r.changes()
	var words []string
	for _, m := range []struct {
		changes []Change
		verb    string
	}{
		{c.New, "new"},
		{c.Reopened, "reopened"},
		{c.Added, "in software new here"},
		{c.Grew, "grew"},
		{c.Rose, "rose above the filter"},
		{c.Shrank, "shrank"},
		{c.Fell, "fell below the filter"},
		{c.Closed, "closed"},
		{c.Unlisted, "no longer listed"},
	} {
		if len(m.changes) > 0 {
			words = append(words, plain(len(m.changes))+" "+m.verb)
		}
	}
	return list(words)
}

// unchanged says how little changed where nothing is told.
func (r Report) unchanged() string {
	was, is := r.gapBefore(), r.gap()
	switch {
	case Sum(was.Shown) != Sum(is.Shown):
		return "No change worth telling"
	case Sum(was.Hidden) != Sum(is.Hidden):
		return "Nothing that passes the filter has changed"
	}
	return "Nothing has changed"
}

// gapWords says how large a patch gap is, what the filter hides of it, and whether that is all.
func gapWords(at Snapshot, gap Gap) string { return gap.Words("the filter", inWhatWasRead(at)) }

// inWhatWasRead limits a sentence to what is known.
func inWhatWasRead(s Snapshot) string {
	if s.whole() {
		return ""
	}
	return " in what could be read"
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// String says what a filter lets pass, to follow "only updates".
func (f Filter) String() string {
	var words []string
	if f.MinDevices > 0 {
		words = append(words, "missing on "+plural(f.MinDevices, "device")+" or more")
	}
	if f.MinCVEs > 0 {
		words = append(words, "fixing "+plural(f.MinCVEs, "CVE")+" or more")
	}
	return strings.Join(words, " and ")
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
		facts = append(facts, view.Fact{Name: "Could not read", Value: join(software, maxUnread, ", ") + ": " + reason + " Nothing is known about it, and it is not counted."})
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
		"%s could not be read (%s). Which updates they are about is unknown: they are not counted, and no update of this software is called closed.",
		plural(s.unreadable(), "row"), join(of, maxUnread, ", "))}
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

// note says what the page leaves out, and how it counts.
func (r Report) note() string {
	var notes []string
	shown := r.gap().Shown
	if rest := len(shown) - maxGaps; rest > 0 {
		notes = append(notes, plural(rest, "more update")+" in the details.")
	}
	if note := sharedNote(shown); note != "" {
		notes = append(notes, note)
	}
	if len(r.progress()) > 0 {
		notes = append(notes, "Open installs: one for each device and update that it lacks.")
	}
	if len(r.After.Unread) > 0 && len(r.History) > 0 {
		notes = append(notes, "The chart counts what could not be read as it was last known.")
	}
	return strings.Join(notes, " ")
}

// sharedNote says how devices are counted of updates that several software ids list; it is empty where none is.
func sharedNote(updates []Update) string {
	if !slices.ContainsFunc(updates, Update.Shared) {
		return ""
	}
	return "Of products that share an update, the one with most devices counts: at least that many lack it."
}
