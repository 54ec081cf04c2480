package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/doctor"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/view"
)

// allSubscriptions is the filter that picks all.
var allSubscriptions = digest.SubscriptionFilter{}

// databaseChecks are those of the database and what is in it.
func (e *exam) databaseChecks() []*doctor.Check {
	database := &doctor.Check{Name: "database", Run: e.databaseState}
	after := []*doctor.Check{database}
	list := []*doctor.Check{
		database,
		{Name: "database-files", Run: e.databaseFiles},
		{Name: "queue", Run: e.queueState, After: after},
		{Name: "digests", Run: e.digestAges, After: after},
	}
	return append(list, &doctor.Check{Name: "http-addr", Run: e.operator})
}

func (e *exam) databaseState(ctx context.Context) []doctor.Finding {
	if e.wrong("DATABASE_URL") || e.database == "" {
		return unchecked("DATABASE_URL needs mending")
	}
	s, err := store.Peek(ctx, e.database)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return doubtful("there is no database yet: serve makes it at its first start", "nothing, if the bot has never run here; else DATABASE_URL names another file than it used to")
	case err != nil:
		return unwellDatabase("DATABASE_URL: ", err, e.filePlace(), "check that the database runs, that DATABASE_URL is right, and that this machine may reach it")
	}
	e.store.Store(s)
	c, err := s.Condition(ctx)
	if err != nil {
		return unwellDatabase("", err, e.filePlace(), "check what the database's own log says")
	}
	text := fmt.Sprintf("%s, %s, %s, version %d", c.Engine, c.Place, bytesText(c.Bytes), c.Version)
	switch {
	case c.Damage != nil:
		return unwellDatabase(text+": ", c.Damage, e.filePlace(), store.RestoreCure(c.Place))
	case c.Newer():
		return unwell(fmt.Sprintf("%s: it was made by a newer missingkbs (this one knows version %d)", text, c.Wanted), "run that version again, or restore a backup")
	case c.Write != nil:
		return unwellDatabase(text+": it cannot be written: ", c.Write, e.filePlace(), "give the user of this program the right to write; with replicas, name the primary server in DATABASE_URL")
	case c.Behind():
		return doubtful(fmt.Sprintf("%s, and this program wants version %d", text, c.Wanted), "run missingkbs migrate; serve does it at its next start")
	}
	e.ready.Store(true)
	return well(text + ", can be written")
}

// filePlace is SQLite's file; empty for another database.
func (e *exam) filePlace() string {
	f, ok, err := store.LookAround(e.database)
	if err != nil || !ok {
		return ""
	}
	return f.File
}

// unwellDatabase is the finding of an error of the database, with the cure for its trouble. Of those that a check may meet
// only because it is another user, or asks another server, the check's own cure knows more.
func unwellDatabase(found string, err error, file, cure string) []doctor.Finding {
	switch trouble := digest.TroubleOf(err); trouble {
	case digest.TroubleDamaged:
		found += "it is damaged: "
		if file != "" {
			cure = store.RestoreCure(file)
		}
	case digest.TroubleFull, digest.TroubleDisk, digest.TroubleBusy:
		place := "the database"
		if file != "" {
			place = file
		}
		cure = store.Cure(trouble, place, file != "")
	}
	return unwell(found+err.Error(), cure)
}

// bytesText writes bytes for people.
func bytesText(n int64) string {
	if n < 10<<20 {
		return fmt.Sprintf("%d KB", (n+1023)>>10)
	}
	return fmt.Sprintf("%d MB", n>>20)
}

// databaseFiles looks at the files of a SQLite database.
func (e *exam) databaseFiles(context.Context) []doctor.Finding {
	if e.wrong("DATABASE_URL") || e.database == "" {
		return unchecked("DATABASE_URL needs mending")
	}
	f, ok, err := store.LookAround(e.database)
	if err != nil || !ok {
		return well("the database is not a file")
	}
	var all []doctor.Finding
	if f.ReadOnly != nil {
		all = append(all, unwell("no file can be made in "+f.ReadOnly.Error(), "let the user of this program write there: SQLite keeps files beside its database")...)
	}
	if f.Network != "" {
		all = append(all, doubtful(fmt.Sprintf("%s is on a network file system (%s), where SQLite may lose data", f.File, f.Network), "keep the file on a disk of this machine, or use PostgreSQL")...)
	}
	if f.Full {
		all = append(all, unwell("there is no room left on the disk of "+f.File, store.Cure(digest.TroubleFull, f.File, true))...)
	}
	if len(f.Exposed) > 0 {
		all = append(all, doubtful("others than their owner can read or change "+strings.Join(f.Exposed, ", "), "chmod 600 "+strings.Join(f.Exposed, " "))...)
	}
	if f.Open != "" {
		all = append(all, doubtful("everybody can put other files in the place of those in "+f.Open, "chmod o-w "+f.Open)...)
	}
	if len(all) == 0 {
		return well(f.File + ": its folder can be written, nobody else can read it")
	}
	return all
}

// late is how long after its time a job or digest may be before it is told: a tick, a retry and a rescue take less.
const late = 10 * time.Minute

// queueState looks for digests that nobody makes.
func (e *exam) queueState(ctx context.Context) []doctor.Finding {
	s := e.store.Load()
	if s == nil || !e.ready.Load() {
		return unchecked("the database is not ready")
	}
	b, err := s.Backlog(ctx)
	if err != nil {
		return unwell(err.Error(), "check what the database's own log says")
	}
	now := e.now()
	var all []doctor.Finding
	if b.Waiting > 0 && now.Sub(b.Oldest) > late {
		all = append(all, doubtful(fmt.Sprintf("%s wait to be made, the oldest for %s", view.Count(b.Waiting, "digest"), view.Age(now.Sub(b.Oldest))), "start missingkbs serve; if it runs, see its log")...)
	}
	if b.Running > 0 && now.Sub(b.Since) > late {
		all = append(all, doubtful(fmt.Sprintf("a digest is being made for %s: it is stuck, or its process was killed", view.Age(now.Sub(b.Since))), "a running serve takes it over within two minutes; restart it if it does not")...)
	}
	if b.GivenUp > 0 {
		all = append(all, doubtful(fmt.Sprintf("%s failed for good, the last %s ago", view.Count(b.GivenUp, "digest"), view.Age(now.Sub(b.Last))), "mend what fails here, then /missingkbs digest run N in the channel; the log says why each failed")...)
	}
	if len(all) == 0 {
		return well(fmt.Sprintf("%d waiting, %d being made, %d for later", b.Waiting, b.Running, b.Later))
	}
	return all
}

// maxTold bounds how many digests are told one by one.
const maxTold = 20

// digestAges tells how old everything is, and which digests are late or paused by the program.
func (e *exam) digestAges(ctx context.Context) []doctor.Finding {
	s := e.store.Load()
	if s == nil || !e.ready.Load() {
		return unchecked("the database is not ready")
	}
	subscriptions, err := s.Subscriptions(ctx, allSubscriptions)
	if err != nil {
		return unwell(err.Error(), "check what the database's own log says")
	}
	newest, err := s.NewestReading(ctx, digest.DefaultTenant)
	if err != nil {
		return unwell(err.Error(), "check what the database's own log says")
	}
	recorded, err := s.AgesBySubscription(ctx)
	if err != nil {
		return unwell(err.Error(), "check what the database's own log says")
	}
	all := e.takenIDs(subscriptions)
	var last time.Time
	for _, sub := range subscriptions {
		delivered, err := s.Deliveries(ctx, sub.ID, 1)
		if err != nil {
			return unwell(err.Error(), "check what the database's own log says")
		}
		var at time.Time
		if len(delivered) > 0 {
			at = delivered[0].At
		}
		if at.After(last) {
			last = at
		}
		all = append(all, e.digestAge(sub, at)...)
		all = append(all, e.dataAge(sub, recorded[sub.ID])...)
	}
	if n := len(all) - maxTold; n > 0 {
		all = append(slices.Clip(all[:maxTold]), unchecked(fmt.Sprintf("%s more like these", view.Count(n, "digest")))...)
	}
	if len(subscriptions) == 0 {
		return well("no digests yet")
	}
	return append(all, doctor.Finding{Status: doctor.OK, Found: fmt.Sprintf("%s; delivered last: %s; Defender read last: %s",
		view.Count(len(subscriptions), "digest"), e.ago(last), e.ago(newest))})
}

// oldData is how old the data may be that the next digest goes on from before it is told; the alert MissingkbsDataOld has the
// same limit. It is more than a month, and a day late.
const oldData = 33 * 24 * time.Hour

// dataAge says whether a digest has long gone without data.
func (e *exam) dataAge(sub digest.Subscription, recorded time.Time) []doctor.Finding {
	age := e.now().Sub(recorded)
	if sub.Paused || recorded.IsZero() || age <= oldData {
		return nil
	}
	return doubtful(fmt.Sprintf("digest %s in %s goes on from data that is %s old", sub.ID, sub.Channel, view.Age(age)),
		"its channel or software may be gone: see its log, or /missingkbs digest show "+sub.ID+" there; nothing, where it comes more rarely than monthly")
}

// takenIDs says which ids of the file of digests are taken, for serve does not start then.
func (e *exam) takenIDs(held []digest.Subscription) []doctor.Finding {
	if e.digests == nil {
		return nil
	}
	if err := digest.Taken(held, e.digests.Subscriptions); err != nil {
		return unwell("MISSINGKBS_DIGESTS: "+err.Error(), "change these ids in the file, or remove the digests in Slack: serve does not start before")
	}
	return nil
}

func (e *exam) ago(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return view.Age(max(0, e.now().Sub(t))) + " ago"
}

// digestAge says what is wrong with one digest.
func (e *exam) digestAge(sub digest.Subscription, last time.Time) []doctor.Finding {
	name := fmt.Sprintf("digest %s in %s (delivered last: %s)", sub.ID, sub.Channel, e.ago(last))
	switch overdue := e.now().Sub(sub.NextRun); {
	case sub.Paused && sub.PauseReason != "":
		return doubtful(name+" was paused: "+sub.PauseReason, "mend that, then /missingkbs digest resume "+sub.ID)
	case !sub.Paused && !sub.NextRun.IsZero() && overdue > late:
		return doubtful(name+" is due since "+view.Age(overdue), "start missingkbs serve; if it runs, see its log")
	}
	return nil
}
