package between_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/between"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

const win11 = "microsoft-_-windows_11"

func row(kb, name string, devices int) patchgap.Row {
	return patchgap.Row{Key: patchgap.Key{Software: win11, KB: kb}, Name: name, Devices: devices, CVEs: 2}
}

func gap(at time.Time, rows ...patchgap.Row) patchgap.Snapshot {
	return patchgap.Snapshot{Tenant: digest.DefaultTenant, At: at, Software: []string{win11}, Rows: rows}
}

// feeds are what is published, by KB. Without any there is no data.
type feeds map[string]between.Exploit

func (f feeds) Ready() bool { return len(f) > 0 }

func (f feeds) Containing([]patchgap.Update) map[string]string { return map[string]string{"3": "KB4"} }

func (f feeds) Exploited(kb string) (between.Exploit, bool) {
	e, ok := f[kb]
	return e, ok
}

var kev = between.Exploit{By: "CISA", CVEs: []string{"CVE-2026-1"}, Due: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}

// What is news, and what is not.
func TestNews(t *testing.T) {
	t.Parallel()
	nov := func(day int) time.Time { return time.Date(2026, 11, day, 9, 0, 0, 0, time.UTC) } // Patch Tuesday is the 10th
	for name, c := range map[string]struct {
		base, is  patchgap.Snapshot
		published feeds
		filter    patchgap.Filter
		want      string
	}{
		"nothing is exploited":               {gap(nov(16), row("1", "November 2026 Security Updates", 5)), gap(nov(17), row("1", "November 2026 Security Updates", 5)), feeds{"9": kev}, patchgap.Filter{}, ""},
		"a missing one is exploited":         {gap(nov(16), row("1", "November 2026 Security Updates", 5)), gap(nov(17), row("1", "November 2026 Security Updates", 5)), feeds{"1": kev}, patchgap.Filter{}, "1 CISA 5"},
		"the largest first":                  {gap(nov(16)), gap(nov(17), row("1", "", 5), row("2", "", 7)), feeds{"1": kev, "2": kev}, patchgap.Filter{}, "2 CISA 7, 1 CISA 5"},
		"too few devices for the digest":     {gap(nov(16)), gap(nov(17), row("1", "", 5)), feeds{"1": kev}, patchgap.Filter{MinDevices: 6}, ""},
		"a digest of exploited ones alone":   {gap(nov(16)), gap(nov(20), row("1", "", 5), row("2", "November 2026 Update", 4)), feeds{"1": kev}, patchgap.Filter{Exploited: true}, "1 CISA 5"},
		"an out-of-band update":              {gap(nov(16), row("1", "November 2026 Security Updates", 5)), gap(nov(20), row("1", "November 2026 Security Updates", 5), row("2", "November 2026 Update", 4)), feeds{"9": kev}, patchgap.Filter{}, "2  4"},
		"exploited goes before out of band":  {gap(nov(16)), gap(nov(20), row("1", "November 2026 Update", 50), row("2", "October 2026 Update", 4)), feeds{"2": kev}, patchgap.Filter{}, "2 CISA 4, 1  50"},
		"a new device lacks an old update":   {gap(nov(16)), gap(nov(20), row("2", "June 2026 Update", 4)), feeds{"9": kev}, patchgap.Filter{}, ""},
		"the month's updates on their day":   {gap(nov(9)), gap(nov(11), row("2", "November 2026 Update", 4)), feeds{"9": kev}, patchgap.Filter{}, ""},
		"the month's updates some days late": {gap(nov(12)), gap(nov(14), row("2", "November 2026 Update", 4)), feeds{"9": kev}, patchgap.Filter{}, ""},
		"no month in the name":               {gap(nov(16)), gap(nov(20), row("2", "Update", 4)), feeds{"9": kev}, patchgap.Filter{}, ""},
		"software that was not read before":  {patchgap.Snapshot{At: nov(16)}, gap(nov(20), row("2", "November 2026 Update", 4)), feeds{"9": kev}, patchgap.Filter{}, ""},
		"software that is not watched":       {gap(nov(16)), patchgap.Snapshot{At: nov(20), Software: []string{"other"}, Rows: []patchgap.Row{{Key: patchgap.Key{Software: "other", KB: "1"}, Devices: 3}}}, feeds{"1": kev}, patchgap.Filter{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := subscription()
			s.Filter = c.filter
			var got []string
			for _, i := range between.News(s, c.base, c.is, c.published) {
				got = append(got, fmt.Sprint(i.KB, " ", i.Exploit.By, " ", i.Devices))
			}
			if diff := cmp.Diff(c.want, strings.Join(got, ", ")); diff != "" {
				t.Errorf("news (-want +got):\n%s", diff)
			}
		})
	}
}

func subscription() digest.Subscription {
	return digest.Subscription{ID: "4711", Tenant: digest.DefaultTenant, Channel: "C1", Watch: []string{win11}, Alert: digest.AlertExploited}
}

// records are a store in memory, and the queue of its alerts.
type records struct {
	subscription digest.Subscription
	base, latest patchgap.Snapshot
	sent         []digest.Delivery
	told         map[string]int
	queue        []between.Alert
}

func (r *records) Subscription(_ context.Context, id string) (digest.Subscription, error) {
	if id != r.subscription.ID {
		return digest.Subscription{}, digest.ErrNotFound
	}
	return r.subscription, nil
}

func (r *records) Deliveries(context.Context, string, int) ([]digest.Delivery, error) {
	return r.sent, nil
}

func (r *records) Latest(context.Context, string) (base, latest patchgap.Snapshot, found bool, err error) {
	return r.base, r.latest, len(r.sent) > 0, nil
}

func (r *records) ClaimAlert(_ context.Context, a between.Alert, told bool) (int, error) {
	first := r.told == nil
	if first {
		r.told = map[string]int{}
	}
	a.Items = slices.DeleteFunc(slices.Clone(a.Items), func(i between.Item) bool {
		was, known := r.told[i.KB]
		if known && (i.Devices <= was || 5*was > 4*i.Devices) {
			return true
		}
		r.told[i.KB] = i.Devices
		return told || first
	})
	if len(a.Items) > 0 {
		r.queue = append(r.queue, a)
	}
	return len(a.Items), nil
}

// channel is a poster that keeps what it was given, by key. It may die right after a message.
type channel struct {
	thread  map[string]string // key: message above
	posted  map[string]view.Page
	order   []string
	gone    bool // the message above is deleted
	dies    bool
	refuses error
}

var errKilled = errors.New("killed")

func (c *channel) Enter(context.Context, string, string) error { return c.refuses }
func (c *channel) Leave(context.Context, string, string)       {}

func (c *channel) put(key, above string, page view.Page) error {
	c.thread[key], c.posted[key] = above, page
	c.order = append(c.order, key)
	if c.dies {
		c.dies = false
		return errKilled
	}
	return nil
}

func (c *channel) Post(_ context.Context, _, key string, page view.Page) (string, error) {
	return "9.9", c.put(key, "", page)
}

func (c *channel) Reply(_ context.Context, r digest.Reply, _ func(int) error) error {
	if c.gone {
		return digest.ErrThreadGone
	}
	if _, there := c.posted[r.Key]; there && r.Look {
		return nil
	}
	return c.put(r.Key, r.Message, r.Details)
}

func (c *channel) Find(_ context.Context, _, key string, _ time.Time) (string, bool, error) {
	_, there := c.posted[key]
	return "9.9", there, nil
}

func (c *channel) Tell(context.Context, string, view.Page) error { return nil }

// desk is a checker and a teller over memory.
type desk struct {
	*records
	*channel
	published feeds
	t         *testing.T
	silent    bool // digests do not tell what is exploited
}

func inBubble(t *testing.T, test func(d *desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := &desk{
			t: t, records: &records{subscription: subscription(), base: gap(time.Now(), row("1", "", 40)), latest: gap(time.Now(), row("1", "", 40))},
			channel: &channel{thread: map[string]string{}, posted: map[string]view.Page{}},
		}
		d.sent = []digest.Delivery{{Channel: "C1", Message: "1.1", Kind: digest.Changed}}
		test(d)
	})
}

// check checks, and then tells what was claimed, each with attempts until it succeeds. A minute passes.
func (d *desk) check(because string) {
	d.t.Helper()
	checker := &between.Checker{Store: d.records, Published: func() between.Published { return d.published }, DigestsTell: !d.silent}
	teller := &between.Teller{Store: d.records, Poster: d.channel, Log: slog.New(slog.DiscardHandler)}
	if err := checker.Check(d.t.Context(), between.Check{Subscription: "4711", Because: because, Told: because == "told"}); err != nil {
		d.t.Fatal(err)
	}
	for _, a := range d.queue {
		for attempt := 1; ; attempt++ {
			err := teller.Tell(d.t.Context(), a, attempt)
			if err == nil {
				break
			}
			if !errors.Is(err, errKilled) || attempt > 5 {
				d.t.Fatalf("attempt %d: %v", attempt, err)
			}
			time.Sleep(time.Minute)
		}
	}
	d.queue = nil
	time.Sleep(time.Minute)
}

// A year of alerts of a subscription: none without data, none on the first data, then each update once in the thread of the last
// digest, grouped, and again when its devices grow by a quarter.
func TestTheAlertsOfASubscription(t *testing.T) {
	t.Parallel()
	inBubble(t, func(d *desk) {
		d.check("no data yet")
		d.published = feeds{"1": kev}
		d.check("first data")
		d.check("again")
		if len(d.order) > 0 {
			d.t.Fatalf("told on the first data: %v", d.order)
		}
		d.latest = gap(time.Now(), row("1", "", 40), row("2", "", 7), row("3", "", 3))
		d.published = feeds{"1": kev, "2": kev, "3": {By: "MSRC", CVEs: []string{"CVE-2026-3"}}}
		d.check("two at once")
		d.check("the same again")
		if len(d.order) != 1 || d.thread[d.order[0]] != "1.1" {
			d.t.Fatalf("told %v below %v, want one message below the digest", d.order, d.thread)
		}
		page := d.posted[d.order[0]]
		var b strings.Builder
		if err := view.WriteText(&b, page); err != nil {
			d.t.Fatal(err)
		}
		for _, want := range []string{
			"Action required: ", "2 updates that are missing here fix vulnerabilities under attack.",
			"  2 (Windows 11): 7 devices; CISA says that CVE-2026-1 is exploited, due 1 Dec 2026", "  3 (Windows 11): 3 devices; MSRC says that CVE-2026-3 is exploited; contained in KB4",
		} {
			if !strings.Contains(b.String(), want) {
				d.t.Errorf("the message lacks %q:\n%s", want, b.String())
			}
		}
		d.latest = gap(time.Now(), row("1", "", 49), row("2", "", 8), row("3", "", 3))
		d.check("not quite a quarter more")
		d.latest = gap(time.Now(), row("1", "", 50), row("2", "", 8), row("3", "", 3))
		d.check("a quarter more")
		if len(d.order) != 2 || len(d.posted[d.order[1]].Parts) != 1 {
			d.t.Errorf("told %v, want one more message", d.order)
		}
		d.latest = gap(time.Now(), row("1", "", 50), row("4", "", 8))
		d.published["4"] = kev
		d.check("told") // by a digest
		d.check("and then looked at")
		d.subscription.Alert = digest.NoAlert
		d.published["5"] = kev
		d.latest = gap(time.Now(), row("5", "", 50))
		d.check("not asked for any more")
		if len(d.order) != 2 {
			d.t.Errorf("told %v, want no more", d.order)
		}
	})
}

// A process that dies right after a message, in the thread or in the channel, has told: the next attempt finds it.
func TestAlertsSurviveACrash(t *testing.T) {
	t.Parallel()
	for _, gone := range []bool{false, true} {
		inBubble(t, func(d *desk) {
			d.published = feeds{"9": kev}
			d.check("first data")
			d.published = feeds{"1": kev}
			d.dies, d.gone = true, gone
			d.check("exploited")
			if len(d.order) != 1 || (d.thread[d.order[0]] == "") != gone {
				d.t.Errorf("digest deleted %v: told %v below %v, want it once", gone, d.order, d.thread)
			}
		})
	}
}

// What came too late, or for a subscription that is paused or gone, is not told.
func TestAlertsThatAreNotTold(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(d *desk){
		"paused":  func(d *desk) { d.subscription.Paused = true },
		"removed": func(d *desk) { d.subscription.ID = "other" },
		"late":    func(*desk) { time.Sleep(25 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(d *desk) {
				a := between.Alert{ID: "4711/1", Subscription: "4711", At: time.Now(), Items: []between.Item{{KB: "1", Exploit: kev}}}
				change(d)
				teller := &between.Teller{Store: d.records, Poster: d.channel, Log: slog.New(slog.DiscardHandler)}
				if err := teller.Tell(d.t.Context(), a, 1); err != nil || len(d.order) > 0 {
					d.t.Errorf("told %v, %v", d.order, err)
				}
			})
		})
	}
}

// Where digests do not say what is exploited, an update that came with a digest is told right below it.
func TestAlertBelowItsDigest(t *testing.T) {
	t.Parallel()
	inBubble(t, func(d *desk) {
		d.silent, d.published = true, feeds{"9": kev}
		d.check("first data")
		d.published = feeds{"1": kev}
		d.check("told")
		if len(d.order) != 1 || d.thread[d.order[0]] != "1.1" {
			d.t.Errorf("told %v below %v, want it below the digest", d.order, d.thread)
		}
	})
}
