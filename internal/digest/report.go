package digest

import (
	"time"

	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/risk"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Report is the content of a digest. Its snapshots and changes hold every row; the pages leave out what the
// subscription's filter hides.
//
// A digest never takes silence for good news. Software that could not be read is named and not compared. An update
// counts as closed if two readings agree that it is gone and no newer one took its place. If nothing could be read, the
// digest is a message that says so, and is retried. Open installs are the sum of devices over all updates: one for each
// device and update missing on it. The verdict of a digest follows open installs, not the number of updates.
//
// Everything is counted in updates: a [patchgap.Update] is one KB and the devices that miss it, summed over the OS
// builds of one software but never over several software ids that share the KB; of those the one with most devices
// counts. Leads, changes, totals, filters, tables and charts all count this way. So the updates of the last digest,
// minus closed and unlisted ones, plus new ones, are the updates of this one. Snapshots keep Defender's rows.
type Report struct {
	Subscription Subscription
	Kind         Kind
	Due          time.Time
	Now          time.Time
	Since        time.Time         // when the channel was last told
	Before       patchgap.Snapshot // what the digest compares with; empty for a first one
	After        patchgap.Snapshot
	Waits        bool // what could not be read is waiting for the rate limit
	Changes      patchgap.Changes
	History      []Delivery // earlier deliveries, newest first
	Accepted     risk.Marks // of the updates in After
	Ages         Ages       // of the updates in After; may be nil
	Patching     *view.Page // the patch report that replaces the list of missing updates; nil for other digests
	Advice       Advice     // about the updates in After and Before

	folding  Folding // of the shown updates; may be nil
	recorded bool    // made earlier: exploits are as they were known then
	alone    bool    // the page has Defender's rows, each of which stands for itself
}

// lateAfter is the delay after its due time from which a digest is called late.
const lateAfter = 30 * time.Minute

// Bounds of what a digest lists; the details hold the rest. The first screen of a phone holds about fifteen lines.
const (
	maxGaps    = 8
	maxListed  = 3   // changes of one kind
	maxDetails = 20  // changes of one kind in the details
	maxUnread  = 5   // software ids that could not be read for one reason
	maxLine    = 450 // characters of a fact
)

// Page returns the digest: the verdict and its reason, since when, what changed, the largest gaps, progress, and
// buttons.
func (r Report) Page() view.Page {
	if r.Patching != nil {
		return r.patching()
	}
	s := r.Subscription
	page := view.Page{
		Title:   r.title(),
		Lead:    r.lead(),
		Context: r.context(),
		Note:    r.note(),
		AsOf:    r.asOf(),

		Software:   s.software(),
		Unreadable: r.After.UnreadableRows(),
		Actions: []view.Action{
			{Label: "Details", Command: "digest details " + s.ID},
			{Label: "CSV", Command: "digest csv " + s.ID, Effect: view.CSVFile},
			{Label: "Pause", Command: "digest pause " + s.ID},
			{Label: "Settings", Command: "digest show " + s.ID},
		},
	}
	if unread := unreadFacts(r.After); len(unread) > 0 {
		page.Parts = append(page.Parts, unread)
	}
	if turned := r.nowExploited(); len(turned.Items) > 0 {
		page.Parts = append(page.Parts, turned)
	}
	page.Parts = append(page.Parts, r.changed(maxListed)...)
	if back := r.cameBack(); len(back.Items) > 0 {
		page.Parts = append(page.Parts, back)
	}
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

// Details returns the page for a digest's thread: every change and every update.
func (r Report) Details() view.Page {
	page := r.details()
	page.Parts = append(r.changed(maxDetails), page.Parts...)
	return page
}

// patching returns the digest of a subscription with Report.
func (r Report) patching() view.Page {
	s, page := r.Subscription, *r.Patching
	page.AsOf, page.Software, page.Unreadable = r.asOf(), s.software(), r.After.UnreadableRows()
	if r.late() {
		page.Title += " (late)"
	}
	page.Actions = append(page.Actions, view.Action{Label: "Pause", Command: "digest pause " + s.ID}, view.Action{Label: "Settings", Command: "digest show " + s.ID})
	return page
}

// details returns the page of all updates, in the order of the digest.
func (r Report) details() view.Page {
	s, at, now := r.Subscription, r.After.Missing(), r.Now
	gap := at.Gap(s.Filter)
	rows, folded := r.order(r.install()), r.contained()
	command, other := "digest details "+s.ID, view.Action{Label: "All rows as Defender gave them", Command: "digest details " + s.ID + " --all-rows"}
	if r.alone {
		rows, folded = patchgap.EachRow(r.order(gap.Shown)), nil
		command, other = other.Command, view.Action{Label: "Updates to install", Command: command}
	}
	table := r.table(rows, folded)
	table.Caption, table.Command = "Missing updates of "+s.Name(), command
	if words := r.orderWords(rows); words != "" {
		table.Caption += ", " + words
	}
	page := view.Page{
		Title: "Details: " + s.Name(),
		Lead:  view.JoinSentences(gapWords(at, gap), r.foldWords()),
		Parts: []view.Part{table},
		Note:  sharedNote(gap.Shown),
		AsOf:  view.AsOf{Time: at.At, Age: max(0, now.Sub(at.At))},

		Software:   s.software(),
		Unreadable: at.UnreadableRows(),
	}
	if r.alone && len(rows) > len(gap.Shown) {
		page.Lead += " " + plural(len(rows), "row") + ": one for each product and OS build."
	}
	if patchgap.Several(gap.Shown) || len(r.contained()) > 0 {
		page.Actions = []view.Action{other}
	}
	page.Actions = append(page.Actions, view.Copies(command)...)
	if unread := unreadFacts(at); len(unread) > 0 {
		page.Parts = append([]view.Part{unread}, page.Parts...)
	}
	return page
}

func (r Report) first() bool               { return r.Kind == First }
func (r Report) late() bool                { return r.Now.Sub(r.Due) > lateAfter }
func (r Report) changes() patchgap.Changes { return r.Changes.Keep(r.Subscription.Filter) }

// Told returns the changes that the digest shows: those that pass its filter. A first digest has none.
func (r Report) Told() patchgap.Changes {
	if r.first() {
		return patchgap.Changes{}
	}
	return r.changes()
}

func (r Report) asOf() view.AsOf {
	return view.AsOf{Time: r.After.At, Age: max(0, r.Now.Sub(r.After.At))}
}

// readLong is the duration from which a reading no longer has a single time.
const readLong = 5 * time.Minute

// context says on one line since when, as of when and from what a digest is.
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
	if f := r.Subscription.Filter; f != (patchgap.Filter{}) {
		when += "; only updates " + f.String()
	}
	return view.JoinSentences(when+".", r.Advice.Dates)
}

// zone returns the subscription's time zone, or UTC if this machine does not know it.
func (s Subscription) zone() *time.Location {
	zone, err := schedule.LoadZone(s.Schedule.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}
