package commands_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/commands/digestcmd"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// memory keeps subscriptions in memory, with the contract of a store.
type memory struct {
	beforeEdit func() // before an edit is written; nil for nothing
	mu         sync.Mutex
	held       map[string]digest.Subscription
	audits     []audit.Entry
	deliveries []digest.Delivery
	runs       map[string]digest.Run
	baseline   map[string]patchgap.Snapshot
	err        error // of every call, when set
}

func newMemory(subs ...digest.Subscription) *memory {
	m := &memory{held: map[string]digest.Subscription{}, baseline: map[string]patchgap.Snapshot{}}
	for _, s := range subs {
		m.held[s.ID] = s
	}
	return m
}

func (m *memory) Subscription(_ context.Context, id string) (digest.Subscription, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.held[id]
	if !ok {
		return s, cmp.Or(m.err, fmt.Errorf("look up %s: %w", id, digest.ErrNotFound))
	}
	return s, m.err
}

func (m *memory) Subscriptions(_ context.Context, f digest.SubscriptionFilter) ([]digest.Subscription, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []digest.Subscription
	for _, s := range m.held {
		if (f.Channel == "" || f.Channel == s.Channel) && (f.Tenant == "" || f.Tenant == s.Tenant) {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b digest.Subscription) int { return strings.Compare(a.ID, b.ID) })
	return out, m.err
}

func (m *memory) AddSubscription(_ context.Context, s digest.Subscription, who audit.Entry) error {
	_, has := m.held[s.ID]
	return m.write(has, digest.ErrExists, who, func() { m.held[s.ID] = s })
}

func (m *memory) UpdateSubscription(_ context.Context, s digest.Subscription, who audit.Entry) error {
	_, has := m.held[s.ID]
	return m.write(!has, digest.ErrNotFound, who, func() { m.held[s.ID] = s })
}

func (m *memory) EditSubscription(_ context.Context, was, is digest.Subscription, who audit.Entry) (bool, error) {
	if m.beforeEdit != nil {
		m.beforeEdit()
	}
	errOther := errors.New("another one by now")
	err := m.write(!reflect.DeepEqual(m.held[was.ID], was), errOther, who, func() { m.held[is.ID] = is })
	if errors.Is(err, errOther) {
		return false, nil
	}
	return err == nil, err
}

func (m *memory) RemoveSubscription(_ context.Context, id string, who audit.Entry) error {
	_, has := m.held[id]
	return m.write(!has, digest.ErrNotFound, who, func() { delete(m.held, id) })
}

func (m *memory) write(refused bool, refusal error, who audit.Entry, change func()) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	if refused {
		return refusal
	}
	change()
	m.audits = append(m.audits, who)
	return nil
}

func (m *memory) AddAudit(_ context.Context, who audit.Entry) error {
	return m.write(false, nil, who, func() {})
}

func (m *memory) Deliveries(_ context.Context, id string, limit int) ([]digest.Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []digest.Delivery
	for _, d := range m.deliveries {
		if d.Subscription == id && len(out) < limit {
			out = append(out, d)
		}
	}
	return out, m.err
}

func (m *memory) Baseline(_ context.Context, id string) (patchgap.Snapshot, bool, error) {
	s, ok := m.baseline[id]
	return s, ok, m.err
}

func (m *memory) Run(_ context.Context, id string) (digest.Run, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	run, ok := m.runs[id]
	return run, ok, m.err
}

func (m *memory) Runs(context.Context) (map[string]digest.Run, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.runs, m.err
}

// town is who lives where, and which channels take nothing from whom.
type town struct {
	zones   map[string]string
	refused map[string]string // channel or user: why
	left    map[string]bool   // users that read no channel but the one they ask in
	direct  string            // a conversation that takes no digests at all
}

func (p town) Zone(_ context.Context, user string) (string, error) {
	if z, ok := p.zones[user]; ok {
		return z, nil
	}
	return "", errors.New("users.info: ratelimited")
}

func (p town) MayPost(_ context.Context, user, channel string) error {
	if channel == p.direct && channel != "" {
		return &commands.Error{Title: "Digests go to channels", Here: true}
	}
	for _, id := range []string{user, channel} {
		if why, ok := p.refused[id]; ok {
			return &commands.Error{Title: "Not here", Message: why}
		}
	}
	return nil
}

func (p town) MayRead(_ context.Context, user, _ string) error {
	if p.left[user] {
		return &commands.Error{Title: "Not for you", Message: "You are not in that channel."}
	}
	return nil
}

// pile takes jobs.
type pile struct {
	jobs []digest.Job
	err  error
}

func (p *pile) Enqueue(_ context.Context, job digest.Job) error {
	if !slices.Contains(p.jobs, job) {
		p.jobs = append(p.jobs, job)
	}
	return p.err
}

// fixedPreview gives one report.
type fixedPreview struct {
	report digest.Report
	err    error
}

func (p fixedPreview) Preview(_ context.Context, s digest.Subscription) (digest.Report, error) {
	p.report.Subscription = s
	return p.report, p.err
}

// The people and channels of the tests.
const (
	alice  = "U0ALICE"
	bob    = "U0BOB"
	nomad  = "U0NOMAD" // of no known zone
	here   = "C0HERE"
	there  = "C0THERE"
	direct = "D0ALICE" // Alice's conversation with the bot
)

// aMonday is when the tests take place, 10:00 in Stockholm.
var aMonday = time.Date(2026, 3, 23, 9, 0, 20, 0, time.UTC)

// desk is a tenant with a router that knows the command digest.
type desk struct {
	tenant
	store *memory
	queue *pile
	now   time.Time
	ids   []string // of new subscriptions, in turn
}

func newDesk(t *testing.T, subs ...digest.Subscription) *desk {
	t.Helper()
	return newDeskWith(t, func(*digestcmd.Options) {}, subs...)
}

func newDeskWith(t *testing.T, change func(*digestcmd.Options), subs ...digest.Subscription) *desk {
	t.Helper()
	d := &desk{tenant: newTenant(t), store: newMemory(subs...), queue: &pile{}, now: aMonday, ids: []string{"4711", "4712", "4713"}}
	d.PutSoftware(apitest.Software{ID: "microsoft-_-windows_11", Name: "windows_11", Vendor: "microsoft", ExposedMachines: 57})
	d.PutSoftware(apitest.Software{ID: "google-_-chrome", Name: "chrome", Vendor: "google", ExposedMachines: 29})
	index := &search.Index{}
	o := digestcmd.Options{
		Defender: d.client, Index: index, Queue: d.queue, File: true, Now: func() time.Time { return d.now },
		People: town{zones: map[string]string{alice: "Europe/Stockholm", bob: "America/New_York"}, refused: map[string]string{}},
		NewID:  func(attempt int) string { return d.ids[attempt-1] },
	}
	change(&o)
	var err error
	d.router, err = commands.NewRouter(commands.Software(d.client, index), commands.Search(d.client, index), commands.KB(d.client, index), digestcmd.New(d.store, o))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// from answers a typed line of a person in a channel.
func (d *desk) from(t *testing.T, user, channel, line string) (view.Page, error) {
	t.Helper()
	req, err := commands.Parse(line)
	if err != nil {
		t.Fatal(err)
	}
	req.ID = question
	req.User, req.Channel, req.Terminal = user, channel, user == "" && channel == ""
	return d.router.Run(t.Context(), req)
}

// does answers a line of Alice's that must not fail.
func (d *desk) does(t *testing.T, line string) view.Page {
	t.Helper()
	page, err := d.from(t, alice, here, line)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return page
}

// refuses answers a line that must fail, as people see it, and checks that nothing was changed.
func (d *desk) refuses(t *testing.T, user, channel, line string) view.Page {
	t.Helper()
	before := len(d.store.audits)
	page, err := d.from(t, user, channel, line)
	if err == nil {
		t.Fatalf("%s: got the page %q, want a refusal", line, page.Title)
	}
	if len(d.store.audits) != before {
		t.Errorf("%s: something was changed: %+v", line, d.store.audits)
	}
	return commands.Explain(err)
}

// question is the id of every question.
const question = "0a1b2c3d"

// edge is a subscription of Alice's to Edge, on Mondays.
func edge(id string, change ...func(*digest.Subscription)) digest.Subscription {
	s := digest.Subscription{
		ID: id, Tenant: digest.DefaultTenant, Channel: here, Owner: alice, Watch: []string{"microsoft-_-edge"},
		Schedule: schedule.Schedule{Words: "mon 09:00", Zone: "Europe/Stockholm"}, Quiet: digest.Silent, Origin: digest.FromChat,
		Created: aMonday.AddDate(0, 0, -14), NextRun: time.Date(2026, 3, 30, 7, 0, 0, 0, time.UTC),
	}
	for _, f := range change {
		f(&s)
	}
	return s
}

func elsewhere(s *digest.Subscription) { s.Channel, s.Owner = there, bob }
func inFile(s *digest.Subscription)    { s.Origin = digest.FromFile }
func paused(s *digest.Subscription)    { *s = s.Pause(time.Time{}, "") }

// commandsOf are the command lines of a page's buttons, by label.
func commandsOf(p view.Page) map[string]string {
	out := map[string]string{}
	for _, a := range p.Actions {
		out[a.Label] = a.Command
	}
	return out
}
