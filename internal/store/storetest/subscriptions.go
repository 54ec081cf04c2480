package storetest

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/store"
)

func subscriptionIsKept(in test) {
	t, s := in.T, in.store
	want := sample("a1")
	added(t, s, want)
	got, err := s.Subscription(t.Context(), "a1")
	must(t, err)
	diff(t, "added", want, got)

	want = digest.Subscription{
		ID: "a1", Tenant: "other", Channel: "C02", Owner: "U02", Watch: []string{digest.All},
		Schedule: schedule.Schedule{Words: "0 9 * * 2#2", Zone: "UTC"}, Quiet: digest.Silent, Origin: digest.FromFile,
		Created: day(2), Paused: true, PausedUntil: day(30), PauseReason: "holidays", Failures: 2,
	}
	must(t, s.UpdateSubscription(t.Context(), want, by("U02", "digest.pause", "a1")))
	got, err = s.Subscription(t.Context(), "a1")
	must(t, err)
	diff(t, "updated", want, got)
}

func subscriptionsAreFiltered(in test) {
	t, s := in.T, in.store
	a, b, c := sample("b"), sample("a"), sample("c")
	a.Created, b.Channel, c.Tenant = day(-1), "C02", "other"
	added(t, s, c, b, a)
	for _, tt := range []struct {
		filter digest.SubscriptionFilter
		want   []digest.Subscription
	}{
		{digest.SubscriptionFilter{}, []digest.Subscription{a, b, c}}, // the oldest first, then by id
		{digest.SubscriptionFilter{Channel: "C02"}, []digest.Subscription{b}},
		{digest.SubscriptionFilter{Tenant: digest.DefaultTenant}, []digest.Subscription{a, b}},
		{digest.SubscriptionFilter{Tenant: "other", Channel: "C01"}, []digest.Subscription{c}},
		{digest.SubscriptionFilter{Tenant: "other", Channel: "C02"}, nil},
	} {
		got, err := s.Subscriptions(t.Context(), tt.filter)
		must(t, err)
		diff(t, "subscriptions", tt.want, got)
	}
}

func missingSubscriptions(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"))
	ctx, who := t.Context(), by("U01", "x", "y")
	_, err := s.Subscription(ctx, "zz")
	for what, tt := range map[string]struct{ got, want error }{
		"read":      {err, digest.ErrNotFound},
		"update":    {s.UpdateSubscription(ctx, sample("zz"), who), digest.ErrNotFound},
		"remove":    {s.RemoveSubscription(ctx, "zz", who), digest.ErrNotFound},
		"add twice": {s.AddSubscription(ctx, sample("a1"), who), digest.ErrExists},
	} {
		if !errors.Is(tt.got, tt.want) {
			t.Errorf("%s: got %v, want %v", what, tt.got, tt.want)
		}
	}
}

func failedChangeLeavesNoAudit(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"))
	if err := s.AddSubscription(t.Context(), sample("a1"), by("U02", "digest.add", "a1")); err == nil {
		t.Fatal("added twice")
	}
	wantAudits(t, s, store.AuditFilter{}, by("U01", "digest.add", "a1"))
}

func removalTakesHistory(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"), sample("a2"))
	snap := snapshot(day(1), []string{"x"}, row("x", "1", 7))
	recorded(t, s, "a1", snap)
	recorded(t, s, "a2", snap)
	must(t, s.RemoveSubscription(t.Context(), "a1", by("U01", "digest.remove", "a1")))
	if _, err := s.Subscription(t.Context(), "a1"); !errors.Is(err, digest.ErrNotFound) {
		t.Errorf("after the removal: %v", err)
	}
	// The ID may be given to another subscription, whose next digest is its first.
	if got, found := baseline(t, s, "a1"); found {
		t.Errorf("baseline of a removed subscription: %v", got)
	}
	list, err := s.Deliveries(t.Context(), "a1", 10)
	must(t, err)
	diff(t, "deliveries", nil, list)
	wantBaseline(t, s, "a2", snap)
}

func due(in test) {
	t, s := in.T, in.store
	now := day(10)
	subs := map[string]func(*digest.Subscription){
		"now":             func(d *digest.Subscription) { d.NextRun = now },
		"long ago":        func(d *digest.Subscription) { d.NextRun = day(1) },
		"later":           func(d *digest.Subscription) { d.NextRun = now.Add(time.Millisecond) },
		"never":           func(d *digest.Subscription) { d.NextRun = time.Time{} },
		"paused":          func(d *digest.Subscription) { d.Paused = true },
		"paused still":    func(d *digest.Subscription) { d.Paused, d.PausedUntil = true, now.Add(time.Minute) },
		"paused till now": func(d *digest.Subscription) { d.Paused, d.PausedUntil, d.NextRun = true, now, day(9) },
	}
	for id, change := range subs {
		sub := sample(id)
		change(&sub)
		added(t, s, sub)
	}
	for _, tt := range []struct {
		limit int
		want  []string
	}{{10, []string{"long ago", "paused till now", "now"}}, {2, []string{"long ago", "paused till now"}}, {0, nil}} {
		list, err := s.Due(t.Context(), now, tt.limit)
		must(t, err)
		var got []string
		for _, sub := range list {
			got = append(got, sub.ID)
		}
		diff(t, "due", tt.want, got)
	}
}

func pauseOfWhatWasRead(in test) {
	t, s := in.T, in.store
	var resumed int
	for name, change := range map[string]func(*digest.Subscription){
		"paused for longer": func(d *digest.Subscription) { d.PausedUntil = day(20) },
		"resumed":           func(d *digest.Subscription) { d.Paused, d.PausedUntil, d.PauseReason = false, time.Time{}, "" },
		"moved":             func(d *digest.Subscription) { d.NextRun = day(11) },
		"another time":      func(d *digest.Subscription) { d.Schedule.Words = "daily 07:00" },
		"another zone":      func(d *digest.Subscription) { d.Schedule.Zone = "UTC" },
		"nothing":           func(*digest.Subscription) {},
		"another channel":   func(d *digest.Subscription) { d.Channel, d.Watch = "C9", []string{"x", "y"} },
	} {
		was := sample(name)
		was.Paused, was.PausedUntil, was.PauseReason, was.NextRun = true, day(9), "holidays", day(10)
		added(t, s, was)
		want := was
		change(&want)
		must(t, s.UpdateSubscription(t.Context(), want, by("U02", "digest.change", name)))
		is := was
		is.Paused, is.PausedUntil, is.PauseReason = false, time.Time{}, ""
		changed, err := s.SetPause(t.Context(), was, is, by("", "digest.resume", name))
		must(t, err)
		expected := name == "nothing" || name == "another channel"
		if changed != expected {
			t.Errorf("%s: the pause was ended: %v, want %v", name, changed, expected)
		}
		if expected {
			resumed++
			want.Paused, want.PausedUntil, want.PauseReason = false, time.Time{}, ""
		}
		got, err := s.Subscription(t.Context(), name)
		must(t, err)
		diff(t, name, want, got)
	}
	for _, err := range s.Audits(t.Context(), store.AuditFilter{Actions: []string{"digest.resume"}}) {
		must(t, err)
		resumed--
	}
	if resumed != 0 {
		t.Errorf("the audits are %d too few", resumed)
	}
}

func advanceHasOneWinner(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"))
	var winners atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			moved, err := s.Advance(t.Context(), "a1", day(1), day(8))
			if err != nil {
				t.Error(err)
			}
			if moved {
				winners.Add(1)
			}
		})
	}
	wg.Wait()
	if got := winners.Load(); got != 1 {
		t.Errorf("%d moved the next run, want 1", got)
	}
	want := sample("a1")
	want.NextRun = day(8)
	got, err := s.Subscription(t.Context(), "a1")
	must(t, err)
	diff(t, "advanced", want, got)
	if moved, err := s.Advance(t.Context(), "zz", day(1), day(8)); moved || err != nil {
		t.Errorf("a subscription that is not: moved %t, %v", moved, err)
	}
}

func foreignText(in test) {
	t, s := in.T, in.store
	const nasty = "'; DROP TABLE audits; -- <!channel> \x00 \xff \U0001F4A5 $1 ?1 @x"
	must(t, s.AddAudit(t.Context(), audit.Entry{At: day(0), User: nasty, Action: "share", Detail: nasty}))
	const kept = "'; DROP TABLE audits; -- <!channel>  \uFFFD \U0001F4A5 $1 ?1 @x"
	wantAudits(t, s, store.AuditFilter{}, audit.Entry{At: day(0), User: kept, Action: "share", Detail: kept, Result: audit.ResultDone})

	added(t, s, sample("a1"))
	strange := patchgap.Row{Key: patchgap.Key{Software: "x\x00y", KB: "1\x00", OSBuild: "'\"\\"}, Name: nasty[:30], URL: "javascript:\x00"}
	snap := snapshot(day(1), []string{"x\x00y"}, strange)
	recorded(t, s, "a1", snap)
	wantBaseline(t, s, "a1", snap)
	recorded(t, s, "a1", snapshot(day(2), []string{"x\x00y"}))
	seen, err := s.SeenBefore(t.Context(), digest.DefaultTenant, []patchgap.Key{strange.Key}, time.Time{})
	must(t, err)
	diff(t, "seen", map[patchgap.Key]time.Time{strange.Key: day(1)}, seen)
}

// An edit only overwrites the settings, the next run and the pause that its user saw.
func editOfWhatWasRead(in test) {
	t, s := in.T, in.store
	var edited int
	for name, change := range map[string]func(*digest.Subscription){
		"nothing":           func(*digest.Subscription) {},
		"its failures":      func(d *digest.Subscription) { d.Failures = 1 },
		"another channel":   func(d *digest.Subscription) { d.Channel = "C9" },
		"other software":    func(d *digest.Subscription) { d.Watch = []string{"x-_-y"} },
		"another filter":    func(d *digest.Subscription) { d.Filter.MinCVEs = 9 },
		"another time":      func(d *digest.Subscription) { d.Schedule.Words = "daily 07:00" },
		"another zone":      func(d *digest.Subscription) { d.Schedule.Zone = "UTC" },
		"another quiet":     func(d *digest.Subscription) { d.Quiet = digest.Always },
		"a report":          func(d *digest.Subscription) { d.Report = !d.Report },
		"moved":             func(d *digest.Subscription) { d.NextRun = day(11) },
		"resumed":           func(d *digest.Subscription) { d.Paused, d.PausedUntil, d.PauseReason = false, time.Time{}, "" },
		"paused for longer": func(d *digest.Subscription) { d.PausedUntil = day(21) },
	} {
		was := sample(name)
		was.Paused, was.PausedUntil, was.NextRun = true, day(9), day(10)
		added(t, s, was)
		want := was
		change(&want)
		must(t, s.UpdateSubscription(t.Context(), want, by("U02", "digest.change", name)))
		is := was
		is.Channel, is.Watch, is.Filter, is.Quiet, is.Schedule.Words, is.NextRun, is.Failures = "C10", []string{digest.All}, patchgap.Filter{MinDevices: 7}, digest.Heartbeat, "fri 15:00", day(12), 0
		changed, err := s.EditSubscription(t.Context(), was, is, by("U03", "digest.change", name))
		must(t, err)
		expected := name == "nothing" || name == "its failures"
		if changed != expected {
			t.Errorf("%s: it was edited: %v, want %v", name, changed, expected)
		}
		if expected {
			edited++
			want = is
		}
		got, err := s.Subscription(t.Context(), name)
		must(t, err)
		diff(t, name, want, got)
	}
	recorded := 0
	for a, err := range s.Audits(t.Context(), store.AuditFilter{User: "U03"}) {
		must(t, err)
		if a.User == "U03" {
			recorded++
		}
	}
	if recorded != edited {
		t.Errorf("%d edits were recorded, want %d", recorded, edited)
	}
}
