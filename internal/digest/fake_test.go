package digest_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

var errBroken = errors.New("broken on purpose")

// breaker fails the calls that a test names: breaker{"Post": errBroken}.
type breaker map[string]error

func (b breaker) check(step string) error { return b[step] }

// memory is a store in memory.
type memory struct {
	mu            sync.Mutex
	broken        breaker
	subscriptions map[string]digest.Subscription
	deliveries    []digest.Delivery
	baselines     map[string]patchgap.Snapshot
	seen          map[patchgap.Key]time.Time
	audits        []audit.Entry
	threads       map[string]owed
	runs          map[string]digest.Run
}

// owed is the thread of a delivery that is not complete.
type owed struct {
	page   view.Page
	posted int
}

func newMemory(subs ...digest.Subscription) *memory {
	m := &memory{
		broken: breaker{}, subscriptions: map[string]digest.Subscription{}, baselines: map[string]patchgap.Snapshot{},
		seen: map[patchgap.Key]time.Time{}, threads: map[string]owed{}, runs: map[string]digest.Run{},
	}
	for _, s := range subs {
		m.subscriptions[s.ID] = s
	}
	return m
}

func (m *memory) Subscription(_ context.Context, id string) (digest.Subscription, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.subscriptions[id]
	if !ok {
		return s, digest.ErrNotFound
	}
	return s, m.broken.check("Subscription")
}

func (m *memory) Subscriptions(_ context.Context, f digest.SubscriptionFilter) ([]digest.Subscription, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []digest.Subscription
	for _, s := range m.subscriptions {
		if (f.Tenant == "" || f.Tenant == s.Tenant) && (f.Channel == "" || f.Channel == s.Channel) {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b digest.Subscription) int { return cmp.Compare(a.ID, b.ID) })
	return all, m.broken.check("Subscriptions")
}

func (m *memory) AddSubscription(_ context.Context, s digest.Subscription, who audit.Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.subscriptions[s.ID]; ok {
		return digest.ErrExists
	}
	return m.write(s, who, "AddSubscription")
}

func (m *memory) UpdateSubscription(_ context.Context, s digest.Subscription, who audit.Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.subscriptions[s.ID]; !ok {
		return digest.ErrNotFound
	}
	return m.write(s, who, "UpdateSubscription")
}

func (m *memory) write(s digest.Subscription, who audit.Entry, step string) error {
	if err := m.broken.check(step); err != nil {
		return err
	}
	m.subscriptions[s.ID] = s
	m.audits = append(m.audits, who)
	return nil
}

func (m *memory) RemoveSubscription(_ context.Context, id string, who audit.Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.subscriptions[id]; !ok {
		return digest.ErrNotFound
	}
	delete(m.subscriptions, id)
	m.audits = append(m.audits, who)
	return m.broken.check("RemoveSubscription")
}

func (m *memory) Due(_ context.Context, now time.Time, limit int) ([]digest.Subscription, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.broken.check("Due"); err != nil {
		return nil, err
	}
	var due []digest.Subscription
	for _, s := range m.subscriptions {
		if !s.NextRun.IsZero() && !s.NextRun.After(now) && (!s.Paused || !s.PausedUntil.IsZero()) {
			due = append(due, s)
		}
	}
	slices.SortFunc(due, func(a, b digest.Subscription) int {
		return cmp.Or(a.NextRun.Compare(b.NextRun), cmp.Compare(a.ID, b.ID))
	})
	return due[:min(limit, len(due))], nil
}

func (m *memory) Advance(_ context.Context, id string, from, to time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.subscriptions[id]
	if err := m.broken.check("Advance"); err != nil || !s.NextRun.Equal(from) {
		return false, err
	}
	s.NextRun = to
	m.subscriptions[id] = s
	return true, nil
}

func (m *memory) SetPause(_ context.Context, was, is digest.Subscription, who audit.Entry) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.subscriptions[was.ID]
	if s.Paused != was.Paused || !s.PausedUntil.Equal(was.PausedUntil) || !s.NextRun.Equal(was.NextRun) || s.Schedule != was.Schedule {
		return false, nil
	}
	s.Paused, s.PausedUntil, s.PauseReason, s.NextRun = is.Paused, is.PausedUntil, is.PauseReason, is.NextRun
	return true, m.write(s, who, "SetPause")
}

func (m *memory) Delivery(_ context.Context, key string) (digest.Delivery, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range m.deliveries {
		if d.Key == key {
			return d, true, nil
		}
	}
	return digest.Delivery{}, false, m.broken.check("Delivery")
}

func (m *memory) Deliveries(_ context.Context, subscription string, limit int) ([]digest.Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []digest.Delivery
	for _, d := range slices.Backward(m.deliveries) {
		if d.Subscription == subscription && len(all) < limit {
			all = append(all, d)
		}
	}
	return all, m.broken.check("Deliveries")
}

func (m *memory) Baseline(_ context.Context, subscription string) (patchgap.Snapshot, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.baselines[subscription]
	return s, ok, m.broken.check("Baseline")
}

func (m *memory) Record(_ context.Context, d digest.Delivery, s patchgap.Snapshot, after digest.Subscription, details view.Page) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.broken.check("Record"); err != nil {
		return err
	}
	if slices.ContainsFunc(m.deliveries, func(old digest.Delivery) bool { return old.Key == d.Key }) {
		return nil
	}
	m.deliveries = append(m.deliveries, d)
	if d.Thread == digest.ThreadOwed {
		m.threads[d.Key] = owed{page: details}
	}
	if d.Kind != digest.Failed {
		m.baselines[d.Subscription] = s
	}
	held := m.subscriptions[after.ID]
	if held.Failures = after.Failures; after.Paused && after.PauseReason != "" {
		held.Paused, held.PauseReason, held.PausedUntil, held.NextRun = true, after.PauseReason, time.Time{}, time.Time{}
	}
	m.subscriptions[after.ID] = held
	return nil
}

func (m *memory) Thread(_ context.Context, key string) (view.Page, int, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, found := m.threads[key]
	return o.page, o.posted, found, m.broken.check("Thread")
}

func (m *memory) SetPosted(_ context.Context, key string, messages int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.broken.check("SetPosted"); err != nil {
		return err
	}
	o := m.threads[key]
	o.posted = messages
	m.threads[key] = o
	return nil
}

func (m *memory) EndThread(_ context.Context, key string, end digest.Thread) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.broken.check("EndThread"); err != nil {
		return err
	}
	delete(m.threads, key)
	for i := range m.deliveries {
		if m.deliveries[i].Key == key {
			m.deliveries[i].Thread = end
		}
	}
	return nil
}

func (m *memory) BeginRun(_ context.Context, a digest.Attempt) (digest.Run, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.broken.check("BeginRun"); err != nil {
		return digest.Run{}, false, err
	}
	run, ok := m.runs[a.Subscription]
	if ok && !run.Due.Equal(a.Due) {
		return run, false, nil
	}
	if !ok {
		run = digest.Run{Job: a.Job, Began: a.Now}
	}
	run.Holder, run.Seen, run.Until = a.Holder, a.Now, a.Until
	m.runs[a.Subscription] = run
	return run, true, nil
}

func (m *memory) TakeRun(_ context.Context, was digest.Run, a digest.Attempt) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.runs[a.Subscription] != was {
		return false, m.broken.check("TakeRun")
	}
	m.runs[a.Subscription] = digest.Run{Job: a.Job, Holder: a.Holder, Began: a.Now, Seen: a.Now, Until: a.Until}
	return true, nil
}

// held changes a run that an attempt still has.
func (m *memory) held(a digest.Attempt, step string, change func(*digest.Run)) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	run := m.runs[a.Subscription]
	if err := m.broken.check(step); err != nil || run.Holder != a.Holder {
		return false, err
	}
	change(&run)
	m.runs[a.Subscription] = run
	return true, nil
}

func (m *memory) SetPosting(_ context.Context, a digest.Attempt, key string) (bool, error) {
	return m.held(a, "SetPosting", func(r *digest.Run) { r.Posting = key })
}

func (m *memory) SetProgress(_ context.Context, a digest.Attempt, done, total int) error {
	_, err := m.held(a, "SetProgress", func(r *digest.Run) { r.Done, r.Total = done, total })
	return err
}

func (m *memory) RestRun(_ context.Context, a digest.Attempt) error {
	_, err := m.held(a, "RestRun", func(r *digest.Run) { r.Seen, r.Until = a.Now, time.Time{} })
	return err
}

func (m *memory) EndRun(_ context.Context, job digest.Job) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.runs[job.Subscription].Due.Equal(job.Due) {
		delete(m.runs, job.Subscription)
	}
	return m.broken.check("EndRun")
}

func (m *memory) SeenBefore(_ context.Context, _ string, keys []patchgap.Key, since time.Time) (map[patchgap.Key]time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	seen := maps.Clone(m.seen)
	maps.DeleteFunc(seen, func(k patchgap.Key, at time.Time) bool { return !slices.Contains(keys, k) || at.Before(since) })
	return seen, m.broken.check("SeenBefore")
}

func (m *memory) AddAudit(_ context.Context, a audit.Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.broken.check("AddAudit"); err != nil {
		return err
	}
	m.audits = append(m.audits, a)
	return nil
}

// defender is a source whose patch gap a test sets.
type defender struct {
	rows    []patchgap.Row
	unread  map[string]string // software that cannot be read, and why
	partial map[string]int    // rows of software that cannot be read
	broken  breaker
	again   []patchgap.Row // what a second reading finds; nil for the same as the first
	asked   int
	confirm [][]string // what was asked to be confirmed
	ids     []string   // software that lacks nothing
}

func (d *defender) Snapshot(ctx context.Context, _ digest.Subscription, _ time.Time) (patchgap.Snapshot, error) {
	d.asked++
	if err := d.broken.check("Snapshot"); err != nil {
		return patchgap.Snapshot{}, err
	}
	return d.snapshot(d.rows), ctx.Err()
}

func (d *defender) Confirm(_ context.Context, software []string) (patchgap.Snapshot, error) {
	d.confirm = append(d.confirm, software)
	rows := d.rows
	if d.again != nil {
		rows = d.again
	}
	s := d.snapshot(rows)
	for _, id := range software { // what has left the tenant lacks nothing
		if d.unread[id] == "" {
			s.Software = append(s.Software, id)
		}
	}
	s.Software = slices.Compact(slices.Sorted(slices.Values(s.Software)))
	return s, d.broken.check("Confirm")
}

func (d *defender) snapshot(rows []patchgap.Row) patchgap.Snapshot {
	var known []patchgap.Row
	ids := map[string]bool{}
	for _, id := range d.ids {
		ids[id] = d.unread[id] == ""
	}
	for _, r := range rows {
		if d.unread[r.Software] == "" {
			ids[r.Software] = true
			known = append(known, r)
		}
	}
	maps.DeleteFunc(ids, func(_ string, read bool) bool { return !read })
	s := patchgap.Snapshot{Tenant: digest.DefaultTenant, At: time.Now(), Software: slices.Sorted(maps.Keys(ids)), Rows: known}
	for id, why := range d.unread {
		s.Unread = append(s.Unread, patchgap.Unread{Software: id, Reason: why})
	}
	for id, rows := range d.partial {
		s.Partial = append(s.Partial, patchgap.Partial{Software: id, Rows: rows})
	}
	slices.SortFunc(s.Unread, func(a, b patchgap.Unread) int { return cmp.Compare(a.Software, b.Software) })
	slices.SortFunc(s.Rows, func(a, b patchgap.Row) int { return a.Compare(b.Key) })
	return s
}

// message is something that was posted or told.
type message struct {
	to, key string
	digest  view.Page
	details view.Page // of its thread
	thread  int       // how many of the two messages of its thread are there
}

// threadLength is how many messages each thread takes.
const threadLength = 2

// slack is a poster that keeps what it was given.
type slack struct {
	broken breaker // "Post" and "Reply" fail before a message is there, "PostAfter" and "ReplyAfter" after it
	posted []message
	told   []message
	blind  bool              // the channel's messages may not be read
	lanes  map[string]string // who has the turn in a channel
	looked int
}

func (s *slack) Enter(_ context.Context, channel, key string) error {
	if holder := s.lanes[channel]; holder != "" && holder != key {
		return digest.RetryLater{After: time.Second}
	}
	return s.broken.check("Enter")
}

func (s *slack) Leave(context.Context, string, string) {}

func (s *slack) Post(_ context.Context, channel, key string, digest view.Page) (string, error) {
	if err := s.broken.check("Post"); err != nil {
		return "", err
	}
	s.posted = append(s.posted, message{to: channel, key: key, digest: digest})
	return fmt.Sprintf("message %d", len(s.posted)), s.broken.check("PostAfter")
}

func (s *slack) Reply(_ context.Context, r digest.Reply, posted func(int) error) error {
	var i int
	if _, err := fmt.Sscanf(r.Message, "message %d", &i); err != nil || s.posted[i-1].key != r.Key || s.posted[i-1].to != r.Channel {
		return fmt.Errorf("no message %q of %s in %s: %w", r.Message, r.Key, r.Channel, err)
	}
	i--
	there := r.Posted
	if r.Look && !s.blind {
		there = s.posted[i].thread
	}
	for n := there + 1; n <= threadLength; n++ {
		if err := s.broken.check("Reply"); err != nil {
			return err
		}
		s.posted[i].thread++
		s.posted[i].details = r.Details
		if err := s.broken.check("ReplyAfter"); err != nil {
			return err
		}
		if err := posted(n); err != nil {
			return err
		}
	}
	return nil
}

func (s *slack) Find(_ context.Context, channel, key string, _ time.Time) (string, bool, error) {
	s.looked++
	if err := s.broken.check("Find"); err != nil {
		return "", false, err
	}
	for i, m := range s.posted {
		if m.to == channel && m.key == key && !s.blind {
			return fmt.Sprintf("message %d", i+1), true, nil
		}
	}
	return "", false, nil
}

func (s *slack) Tell(_ context.Context, user string, page view.Page) error {
	if err := s.broken.check("Tell"); err != nil {
		return err
	}
	s.told = append(s.told, message{to: user, digest: page})
	return nil
}

const (
	edge    = "microsoft-_-edge"
	windows = "microsoft-_-windows_11"
)

// seed is the row that Microsoft documents:
// https://learn.microsoft.com/en-us/defender-endpoint/api/get-missing-kbs-software.
func seed() patchgap.Row {
	return patchgap.Row{
		Key: patchgap.Key{Software: edge, KB: "4540673"}, Name: "March 2020 Security Updates", Devices: 240, CVEs: 14,
		URL: "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673",
	}
}

func weekly() digest.Subscription {
	return digest.Subscription{
		ID: "7", Tenant: digest.DefaultTenant, Channel: "C0PATCHES", Owner: "U0ALICE01", Watch: []string{"microsoft-_-*"},
		Schedule: schedule.Schedule{Words: "mon 09:00", Zone: "Europe/Stockholm"}, Quiet: digest.Silent, Origin: digest.FromChat,
	}
}

// house is a worker with all that it works with. It lives in a synctest bubble, whose clock starts at the midnight
// that begins 1 January 2000, a Saturday.
type house struct {
	*digest.Worker
	t        *testing.T
	store    *memory
	defender *defender
	slack    *slack
	schedule schedule.Schedule
	seen     []digest.Observation
}

func newHouse(s digest.Subscription) *house {
	h := &house{store: newMemory(s), defender: &defender{broken: breaker{}}, slack: &slack{broken: breaker{}}, schedule: s.Schedule}
	h.Worker = &digest.Worker{Store: h.store, Source: h.defender, Poster: h.slack}
	h.Observe = func(_ context.Context, o digest.Observation) { h.seen = append(h.seen, o) }
	return h
}

// outcomes are what was observed, in order.
func (h *house) outcomes() string {
	var words []string
	for _, o := range h.seen {
		word := string(o.Outcome)
		if o.Late {
			word += " late"
		}
		if o.Told {
			word += " told"
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

// next waits for the next due time and returns its job.
func (h *house) next() digest.Job {
	due := schedule.Next(h.schedule, time.Now())
	time.Sleep(time.Until(due))
	return digest.Job{Subscription: "7", Due: due}
}

// week waits for the next due time, works on its job as the queue would, and returns the page that was posted.
func (h *house) week() (page view.Page, posted bool) {
	t := h.t
	t.Helper()
	before := len(h.slack.posted)
	if err := h.Work(t.Context(), h.next(), 1); err != nil {
		t.Fatalf("work: %v", err)
	}
	if len(h.slack.posted) == before {
		return view.Page{}, false
	}
	if len(h.slack.posted) > before+1 {
		t.Fatalf("%d messages for one digest", len(h.slack.posted)-before)
	}
	return h.slack.posted[before].digest, true
}

// fact is the value of a page's fact, or the lines of its list, all of them joined if there are several of the name.
func fact(p view.Page, name string) string {
	var values []string
	for _, part := range p.Parts {
		switch part := part.(type) {
		case view.Facts:
			for _, f := range part {
				if f.Name == name {
					values = append(values, f.Value)
				}
			}
		case view.List:
			if part.Name == name {
				values = append(values, part.Lines()...)
			}
		}
	}
	return strings.Join(values, "")
}
