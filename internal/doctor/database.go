package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/view"
)

// allSubscriptions is the filter for all subscriptions.
var allSubscriptions = digest.SubscriptionFilter{}

// databaseLogCure is the cure for an unexpected error of the database.
const databaseLogCure = "check what the database's own log says"

// databaseChecks returns the checks of the database and its content.
func (c *Checker) databaseChecks() []*Check {
	database := &Check{Name: "database", Run: c.databaseState}
	after := []*Check{database}
	list := []*Check{
		database,
		{Name: "database-files", Run: c.databaseFiles},
		{Name: "queue", Run: c.queueState, After: after},
		{Name: "digests", Run: c.digestAges, After: after},
	}
	return append(list, &Check{Name: "http-addr", Run: c.adminServer})
}

// databaseState opens the database for reading, and checks its version, its integrity and the right to write. Checks after it use
// the same connection.
func (c *Checker) databaseState(ctx context.Context) []Finding {
	if c.hasError("DATABASE_URL") || c.values.DatabaseURL == "" {
		return skip("DATABASE_URL is wrong")
	}
	s, err := store.OpenReadOnly(ctx, c.values.DatabaseURL)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return warn("there is no database yet: serve makes it at its first start", "if the bot has run here before, correct DATABASE_URL, which names another file than then")
	case err != nil:
		return failDatabase("DATABASE_URL: ", err, c.databaseFile(), "check that the database runs, that DATABASE_URL is right, and that this machine can reach it")
	}
	c.store.Store(s)
	found, err := s.Condition(ctx)
	if err != nil {
		return failDatabase("", err, c.databaseFile(), databaseLogCure)
	}
	text := fmt.Sprintf("%s, %s, %s, version %d", found.Engine, found.Address, bytesText(found.Bytes), found.Version)
	switch {
	case found.Damage != nil:
		return failDatabase(text+": ", found.Damage, c.databaseFile(), store.RestoreCure(found.Address))
	case found.Newer():
		return fail(fmt.Sprintf("%s: it was made by a newer missingkbs (this one knows version %d)", text, found.Wanted), "run that version again, or restore a backup")
	case found.Write != nil:
		return failDatabase(text+": it cannot be written: ", found.Write, c.databaseFile(), "give the user of this program the right to write; with replicas, name the primary server in DATABASE_URL")
	case found.Behind():
		return warn(fmt.Sprintf("%s, and this program wants version %d", text, found.Wanted), "run missingkbs migrate; serve does it at its next start")
	}
	c.ready.Store(true)
	return pass(text + ", can be written")
}

// databaseFile returns the path of SQLite's file, empty for another database.
func (c *Checker) databaseFile() string {
	f, ok, err := store.InspectFile(c.values.DatabaseURL)
	if err != nil || !ok {
		return ""
	}
	return f.File
}

// failDatabase reports an error of the database with its cure. Some errors may come only because the check runs as another
// user or asks another server; for these it keeps the cure of the check.
func failDatabase(found string, err error, file, cure string) []Finding {
	switch trouble := digest.TroubleOf(err); trouble {
	case digest.TroubleDamaged:
		if file != "" && store.IsForeign(err) {
			return fail(found+"the file holds no SQLite database, or is damaged", store.ForeignCure(file))
		}
		found += "it is damaged: "
		if file != "" {
			cure = store.RestoreCure(file)
		}
	case digest.TroubleFull, digest.TroubleDisk, digest.TroubleBusy:
		database := "the database"
		if file != "" {
			database = file
		}
		cure = store.Cure(trouble, database, file != "")
	}
	return fail(found+err.Error(), cure)
}

// bytesText formats a number of bytes for people.
func bytesText(n int64) string {
	if n < 10<<20 {
		return fmt.Sprintf("%d KB", (n+1023)>>10)
	}
	return fmt.Sprintf("%d MB", n>>20)
}

// databaseFiles checks the files of a SQLite database.
func (c *Checker) databaseFiles(context.Context) []Finding {
	if c.hasError("DATABASE_URL") || c.values.DatabaseURL == "" {
		return skip("DATABASE_URL is wrong")
	}
	f, ok, err := store.InspectFile(c.values.DatabaseURL)
	if err != nil || !ok {
		return pass("the database is not a file")
	}
	var all []Finding
	if f.ReadOnly != nil {
		all = append(all, fail("the program cannot create files in "+f.ReadOnly.Error(), "let the user of this program write there: SQLite keeps files next to its database")...)
	}
	if f.Network != "" {
		all = append(all, warn(fmt.Sprintf("%s is on a network file system (%s), where SQLite may lose data", f.File, f.Network), "keep the file on a disk of this machine, or use PostgreSQL")...)
	}
	if f.Full {
		all = append(all, fail("no space is left on the disk of "+f.File, store.Cure(digest.TroubleFull, f.File, true))...)
	}
	if len(f.Exposed) > 0 {
		all = append(all, warn("users other than the owner can read or change "+strings.Join(f.Exposed, ", "), "chmod 600 "+strings.Join(f.Exposed, " "))...)
	}
	if f.Open != "" {
		all = append(all, warn("all users of this machine can replace files in "+f.Open, "chmod o-w "+f.Open)...)
	}
	if len(all) == 0 {
		return pass(f.File + ": its folder is writable, and only its owner can read it")
	}
	return all
}

// overdueAfter is how late a job or digest may be before it is reported. A scheduler interval, a retry and a rescue take less.
const overdueAfter = 10 * time.Minute

// queueState finds jobs that no process works on.
func (c *Checker) queueState(ctx context.Context) []Finding {
	s := c.store.Load()
	if s == nil || !c.ready.Load() {
		return skip("the database is not ready")
	}
	b, err := s.Backlog(ctx)
	if err != nil {
		return fail(err.Error(), databaseLogCure)
	}
	now := c.now()
	var all []Finding
	if b.Waiting > 0 && now.Sub(b.Oldest) > overdueAfter {
		all = append(all, warn(fmt.Sprintf("%s wait to be made, the oldest for %s", view.Count(b.Waiting, "digest"), view.Age(now.Sub(b.Oldest))), "start missingkbs serve; if it runs, see its log")...)
	}
	if b.Running > 0 && now.Sub(b.Since) > overdueAfter {
		all = append(all, warn(fmt.Sprintf("a digest is being made for %s: it is stuck, or its process was killed", view.Age(now.Sub(b.Since))), "a running serve takes it over within two minutes; restart it if it does not")...)
	}
	if b.GivenUp > 0 {
		all = append(all, warn(fmt.Sprintf("%s failed permanently, the last %s ago", view.Count(b.GivenUp, "digest"), view.Age(now.Sub(b.Last))), "fix what fails here, then type /missingkbs digest run N in the channel; the log says why each failed")...)
	}
	if len(all) == 0 {
		return pass(fmt.Sprintf("%d waiting, %d being made, %d for later", b.Waiting, b.Running, b.Later))
	}
	return all
}

// maxDigests bounds how many digests are reported one by one.
const maxDigests = 20

// digestAges reports how old the data of digests is, and which digests are overdue or paused by the program.
func (c *Checker) digestAges(ctx context.Context) []Finding {
	s := c.store.Load()
	if s == nil || !c.ready.Load() {
		return skip("the database is not ready")
	}
	subscriptions, err := s.Subscriptions(ctx, allSubscriptions)
	if err != nil {
		return fail(err.Error(), databaseLogCure)
	}
	newest, err := s.NewestReading(ctx, digest.DefaultTenant)
	if err != nil {
		return fail(err.Error(), databaseLogCure)
	}
	recorded, err := s.BaselineTimesBySubscription(ctx)
	if err != nil {
		return fail(err.Error(), databaseLogCure)
	}
	all := c.takenIDs(subscriptions)
	var last time.Time
	for _, sub := range subscriptions {
		delivered, err := s.Deliveries(ctx, sub.ID, 1)
		if err != nil {
			return fail(err.Error(), databaseLogCure)
		}
		var at time.Time
		if len(delivered) > 0 {
			at = delivered[0].At
		}
		if at.After(last) {
			last = at
		}
		all = append(all, c.digestAge(sub, at)...)
		all = append(all, c.dataAge(sub, recorded[sub.ID])...)
	}
	if n := len(all) - maxDigests; n > 0 {
		all = append(slices.Clip(all[:maxDigests]), skip(fmt.Sprintf("%s more like these", view.Count(n, "digest")))...)
	}
	if len(subscriptions) == 0 {
		return pass("no digests yet")
	}
	return append(all, Finding{Status: OK, Found: fmt.Sprintf("%s; delivered last: %s; Defender read last: %s",
		view.Count(len(subscriptions), "digest"), c.ago(last), c.ago(newest))})
}

// oldData is how old the last data of a digest may be: a month and some days. The alert MissingkbsDataOld has the same limit.
const oldData = 33 * 24 * time.Hour

// dataAge reports a digest whose data is too old.
func (c *Checker) dataAge(sub digest.Subscription, recorded time.Time) []Finding {
	age := c.now().Sub(recorded)
	if sub.Paused || recorded.IsZero() || age <= oldData {
		return nil
	}
	return warn(fmt.Sprintf("digest %s in %s continues from data that is %s old", sub.ID, sub.Channel, view.Age(age)),
		"its channel or software may be gone: see its log, or /missingkbs digest show "+sub.ID+" there; nothing, where it comes more rarely than monthly")
}

// takenIDs reports IDs in the file of digests that other digests have. With these serve does not start.
func (c *Checker) takenIDs(held []digest.Subscription) []Finding {
	if c.values.Digests == nil {
		return nil
	}
	if err := digest.Taken(held, c.values.Digests.Subscriptions); err != nil {
		return fail("MISSINGKBS_DIGESTS: "+err.Error(), "change these ids in the file, or remove the digests in Slack: serve does not start until then")
	}
	return nil
}

// ago says how long ago t was.
func (c *Checker) ago(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return view.Age(max(0, c.now().Sub(t))) + " ago"
}

// digestAge reports a digest that is overdue, or that the program paused.
func (c *Checker) digestAge(sub digest.Subscription, last time.Time) []Finding {
	name := fmt.Sprintf("digest %s in %s (delivered last: %s)", sub.ID, sub.Channel, c.ago(last))
	switch overdue := c.now().Sub(sub.NextRun); {
	case sub.Paused && sub.PauseReason != "":
		return warn(name+" was paused: "+sub.PauseReason, "fix that, then type /missingkbs digest resume "+sub.ID)
	case !sub.Paused && !sub.NextRun.IsZero() && overdue > overdueAfter:
		return warn(name+" has been due for "+view.Age(overdue), "start missingkbs serve; if it runs, see its log")
	}
	return nil
}
