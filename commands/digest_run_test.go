package commands_test

import (
	"cmp"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/missingkbs/missingkbs/commands/digestcmd"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/view"
)

// maker is a queue whose jobs are done after a while.
type maker struct {
	*pile
	takes time.Duration
	makes func(job digest.Job)
}

func (m maker) Enqueue(ctx context.Context, job digest.Job) error {
	err := m.pile.Enqueue(ctx, job)
	time.AfterFunc(m.takes, func() { m.makes(job) })
	return err
}

// Whoever runs a digest is told what came of it, in the answer and where the digest is shown, however often it is run: that
// it was posted, that nothing had changed, that a reading was used again, that it is being made or was made in this minute.
func TestDigestRunSaysWhatCameOfIt(t *testing.T) {
	t.Parallel()
	quiet := func(q digest.Quiet) func(*digest.Subscription) { return func(s *digest.Subscription) { s.Quiet = q } }
	made := digest.Delivery{Subscription: "1", Message: "1.2", Kind: digest.Changed}
	as := func(change func(*digest.Delivery)) digest.Delivery {
		d := made
		change(&d)
		return d
	}
	for name, tc := range map[string]struct {
		sub         func(*digest.Subscription)
		takes       time.Duration
		made        digest.Delivery
		read        time.Duration // before it was run
		title, lead string
		shown       string
	}{
		"posted":                     {made: made, title: "Digest 1 has run", lead: "It is in its channel, with what has changed. Read from Defender Mon 23 Mar 2026 10:00 CET. Its schedule", shown: "changes, posted"},
		"the first":                  {made: as(func(d *digest.Delivery) { d.Kind = digest.First }), title: "Digest 1 has run", lead: "It is in its channel. Read", shown: "first digest, posted"},
		"nothing changed":            {made: as(func(d *digest.Delivery) { d.Kind, d.Message = digest.Same, "" }), title: "Digest 1 has run", lead: "Nothing has changed, so nothing was posted: this digest is silent then. Read", shown: "nothing changed, not posted"},
		"nothing changed, heartbeat": {sub: quiet(digest.Heartbeat), made: as(func(d *digest.Delivery) { d.Kind = digest.Same }), title: "Digest 1 has run", lead: "Nothing has changed. One line in its channel says so.", shown: "nothing changed, posted"},
		"nothing changed, always":    {sub: quiet(digest.Always), made: as(func(d *digest.Delivery) { d.Kind = digest.Same }), title: "Digest 1 has run", lead: "Nothing has changed. It is in its channel all the same.", shown: "nothing changed, posted"},
		"a reading is used again":    {made: as(func(d *digest.Delivery) { d.Kind, d.Message = digest.Same, "" }), read: 10 * time.Minute, title: "Digest 1 has run", lead: "The reading of Mon 23 Mar 2026 09:50 CET was still fresh and was used again.", shown: "not posted; the reading of Mon 23 Mar 2026 09:50 CET was still fresh and was used again"},
		"its channel is gone":        {made: as(func(d *digest.Delivery) { d.Kind, d.Message = digest.Failed, "" }), title: "Digest 1 has run", lead: "Slack accepted no message for its channel.", shown: "could not be posted"},
		"its thread is owed":         {made: as(func(d *digest.Delivery) { d.Thread = digest.ThreadOwed }), title: "Digest 1 has run", lead: "It is in its channel", shown: "changes, posted, its thread not complete yet"},
		"its thread was refused":     {made: as(func(d *digest.Delivery) { d.Thread = digest.ThreadRefused }), title: "Digest 1 has run", lead: "It is in its channel", shown: "changes, posted, its thread incomplete"},
		"it was deleted":             {made: as(func(d *digest.Delivery) { d.Thread = digest.ThreadDeleted }), title: "Digest 1 has run", lead: "It is in its channel", shown: "and deleted or locked before its thread was complete"},
		"it takes longer than that":  {made: made, takes: time.Minute, title: "Digest 1 is being made", lead: "as soon as Defender has answered", shown: "changes, posted"},
	} {
		synctest.Test(t, func(t *testing.T) {
			store, queue := newMemory(edge("1", func(s *digest.Subscription) {
				if tc.sub != nil {
					tc.sub(s)
				}
			})), &pile{}
			now := aMonday
			router, err := commands.NewRouter(commands.Software(nil, nil), commands.Search(nil, nil), digestcmd.New(store, digestcmd.Options{
				Now: func() time.Time { return now }, RunWait: 2 * time.Second, People: town{},
				Queue: maker{queue, cmp.Or(tc.takes, time.Second), func(job digest.Job) {
					store.mu.Lock()
					defer store.mu.Unlock()
					d := tc.made
					d.Due, d.At, d.Read = job.Due, now, job.Due.Add(-tc.read)
					store.deliveries = append([]digest.Delivery{d}, store.deliveries...)
				}},
			}))
			if err != nil {
				t.Fatal(err)
			}
			ask := func(line string) view.Page {
				req, err := commands.Parse(line)
				if err != nil {
					t.Fatal(err)
				}
				req.User, req.Channel = alice, here
				page, err := router.Run(t.Context(), req)
				if err != nil {
					t.Fatalf("%s: %s: %v", name, line, err)
				}
				return page
			}
			began := time.Now()
			page := ask("digest run 1")
			if page.Title != tc.title || !strings.Contains(page.Lead, tc.lead) {
				t.Errorf("%s: %q, %q; want %q, %q", name, page.Title, page.Lead, tc.title, tc.lead)
			}
			if waited := time.Since(began); waited > 2*time.Second {
				t.Errorf("%s: the answer waited for %v", name, waited)
			}
			time.Sleep(2 * time.Minute)
			page = ask("digest run 1") // on the clock of digests it is the same minute
			if page.Title != "Digest 1 has run within this minute" || len(queue.jobs) != 1 {
				t.Errorf("%s: again: %q, %q, and %d jobs", name, page.Title, page.Lead, len(queue.jobs))
			}
			table := ask("digest show 1").Parts[1].(view.Table)
			if due, what := table.Rows[0][0].Text, table.Rows[0][1].Text; !strings.Contains(what, tc.shown) || due != "Mon 23 Mar 2026 10:00 CET, run by hand" {
				t.Errorf("%s: shown as %q, %q; want %q", name, due, what, tc.shown)
			}
			now = now.Add(time.Minute)
			ask("digest run 1")
			if len(queue.jobs) != 2 {
				t.Errorf("%s: a minute later it is not run again", name)
			}
		})
	}
}

// A digest that is being made says how far it is: to whoever runs it again, where it is shown, and in the list.
func TestDigestSaysHowFarItIs(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		run  func(now time.Time) digest.Run
		want string // empty: it is over
	}{
		"just begun": {func(now time.Time) digest.Run { return digest.Run{Began: now, Seen: now, Until: now.Add(time.Minute)} }, "being made"},
		"reading": {func(now time.Time) digest.Run {
			return digest.Run{Began: now.Add(-10*time.Minute - time.Second), Seen: now, Until: now.Add(time.Minute), Done: 120, Total: 1400}
		}, "being made for 10 min, 120 of 1,400 software ids read"},
		"between two attempts": {func(now time.Time) digest.Run {
			return digest.Run{Began: now.Add(-3*time.Hour - time.Second), Seen: now.Add(-time.Hour), Done: 1, Total: 2}
		}, "being made for 3 h, 1 of 2 software ids read, waiting to go on"},
		"left behind": {func(now time.Time) digest.Run {
			return digest.Run{Began: now.Add(-5 * time.Hour), Seen: now.Add(-3 * time.Hour)}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, edge("1"))
			run := tc.run(time.Now())
			run.Subscription = "1"
			d.store.runs = map[string]digest.Run{"1": run}
			first := d.does(t, "digest show 1").Parts[0].(view.Facts)[0]
			next := d.does(t, "digest list").Parts[0].(view.Table).Rows[0][3].Text
			page := d.does(t, "digest run 1")
			if tc.want == "" {
				if first.Name == "Now" || strings.HasPrefix(next, "now") || len(d.queue.jobs) != 1 {
					t.Errorf("shown %v, listed %q, %d jobs; want nothing of a run that was left behind", first, next, len(d.queue.jobs))
				}
				return
			}
			if first != (view.Fact{Name: "Now", Value: tc.want}) || next != "now: "+tc.want+"; then Mon 30 Mar 2026 09:00 CEST" {
				t.Errorf("shown %v, listed %q; want %q", first, next, tc.want)
			}
			if page.Title != "Digest 1 is already being made" || !strings.Contains(strings.ToLower(page.Lead), tc.want) || len(d.queue.jobs) != 0 {
				t.Errorf("run again: %q, %q, %d jobs", page.Title, page.Lead, len(d.queue.jobs))
			}
			d.wantAudit(t, alice, "digest.run", "1", "it was being made")
		})
	}
}
