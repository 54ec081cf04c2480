package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Sources are called on each scrape. Metrics of nil sources are left out.
type Sources struct {
	Ready    func(context.Context) map[string]bool // by part
	Load     func() Load
	Slack    func() Slack
	Quota    func(context.Context) []Quota
	Client   func() Client
	Stored   func(context.Context) (Stored, error) // an error means that the database does not respond
	Database func() Database
}

// Load is how busy the program is with questions.
type Load struct {
	Waiting  int // questions waiting for a worker
	Capacity int // greatest value of Waiting
	Running  int // questions being answered
	Workers  int // greatest value of Running
}

// Slack describes the connections to Slack.
type Slack struct {
	Connections int              // that are open
	Wanted      int              // that should be open
	Opened      int64            // opened since the start
	Reconnects  map[string]int64 // connections that ended, by reason
	Failures    int64            // failed attempts to connect
	AckFailures int64            // acknowledgements that no connection took
	Duplicates  int64            // envelopes that Slack repeated
	Undecodable int64            // envelopes that could not be read
	Dropped     int64            // envelopes that could not even be refused
}

// Quota is the budget of Defender calls for one window.
type Quota struct {
	Window string // "minute", "hour"
	For    string // "questions", "digests"
	Left   float64
	Limit  float64
}

// Client are the counters of the Defender client.
type Client struct {
	Hits, Joined, Asked, Stale int64 // answers by their source
	Waited                     int64 // calls that waited for our own limit
	Refused                    int64 // calls not made because their turn was too far away
	Throttled                  int64 // responses with status 429
	Unreadable                 int64 // rows of answers that could not be read
	BudgetErrors               int64 // failures of the shared budget
}

// Stored are the figures in the database.
type Stored struct {
	Active  int           // subscriptions that make digests
	Paused  int           // subscriptions that do not
	Overdue time.Duration // of the digest that has been due longest; 0 for none
	Oldest  time.Duration // age of the oldest baseline of active subscriptions
	Newest  time.Duration // age of the newest one
	HasData bool          // there is a baseline
	Feeds   []Feed
}

// Feed describes a stored feed.
type Feed struct {
	Name    string
	HasData bool
	Age     time.Duration // of its newest document
	Entries int
	Failing bool      // the last update failed
	Failed  time.Time // last failure; zero for none
}

// SetSources sets what is read on each scrape. It replaces all earlier sources.
func (m *Metrics) SetSources(s Sources) { m.sources.Store(&s) }

// scraped collects the figures of [Sources].
type scraped struct{ *Metrics }

// Describe sends nothing, which tells Prometheus that the metrics are not known in advance.
func (scraped) Describe(chan<- *prometheus.Desc) {}

// Collect implements [prometheus.Collector].
func (s scraped) Collect(to chan<- prometheus.Metric) {
	from := s.sources.Load()
	w := writer{to: to, bound: s.bound}
	ctx, cancel := scrapeContext()
	defer cancel()
	if from.Ready != nil {
		w.ready(from.Ready(ctx))
	}
	if from.Load != nil {
		w.load(from.Load())
	}
	if from.Slack != nil {
		w.slack(from.Slack())
	}
	if from.Client != nil {
		w.client(from.Client())
	}
	if from.Quota != nil {
		w.quota(from.Quota(ctx))
	}
	if from.Database != nil {
		w.database(from.Database())
	}
	if from.Stored != nil {
		stored, err := from.Stored(ctx)
		w.stored(stored, err)
	}
}

// writer writes metrics that were just read.
type writer struct {
	to    chan<- prometheus.Metric
	bound *bound
}

func (w writer) gauge(name, help string, v float64) {
	w.to <- prometheus.MustNewConstMetric(prometheus.NewDesc(namespace+"_"+name, help, nil, nil), prometheus.GaugeValue, v)
}

func (w writer) counter(name, help string, n int64) {
	w.to <- prometheus.MustNewConstMetric(prometheus.NewDesc(namespace+"_"+name, help, nil, nil), prometheus.CounterValue, float64(n))
}

func (w writer) ready(parts map[string]bool) {
	desc := prometheus.NewDesc(namespace+"_part_ready", "Whether a part of the program is ready, as in /readyz: 1 or 0.", []string{"part"}, nil)
	for part, ready := range parts {
		v := 0.0
		if ready {
			v = 1
		}
		w.to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, w.bound.of("part", part))
	}
}

func (w writer) load(l Load) {
	w.gauge("question_queue_length", "Questions waiting for a worker.", float64(l.Waiting))
	w.gauge("question_queue_capacity", "Maximum questions that may wait; beyond that, people are told that the bot is busy.", float64(l.Capacity))
	w.gauge("questions_running", "Questions being answered.", float64(l.Running))
	w.gauge("question_workers", "Maximum questions answered at the same time.", float64(l.Workers))
}

func (w writer) slack(s Slack) {
	w.gauge("slack_connections", "Established connections to Slack.", float64(s.Connections))
	w.gauge("slack_connections_wanted", "Connections to Slack that this process should have.", float64(s.Wanted))
	w.counter("slack_connections_opened_total", "Connections to Slack opened so far.", s.Opened)
	w.counter("slack_connection_failures_total", "Failed attempts to connect to Slack.", s.Failures)
	ended := prometheus.NewDesc(namespace+"_slack_reconnects_total", "Connections to Slack that ended or were replaced, by reason.", []string{"reason"}, nil)
	byReason := map[string]int64{}
	for reason, n := range s.Reconnects {
		byReason[w.bound.of("reconnect", reason)] += n
	}
	for reason, n := range byReason {
		w.to <- prometheus.MustNewConstMetric(ended, prometheus.CounterValue, float64(n), reason)
	}
	w.counter("slack_ack_failures_total", "Acknowledgements that could not be delivered to Slack.", s.AckFailures)
	w.counter("slack_envelopes_duplicate_total", "Envelopes that were delivered again, and not answered again.", s.Duplicates)
	w.counter("slack_envelopes_undecodable_total", "Envelopes that could not be decoded; they were acknowledged.", s.Undecodable)
	w.counter("slack_envelopes_dropped_total", "Envelopes dropped because all queues were full: Slack told the person that the app did not respond.", s.Dropped)
}

func (w writer) client(c Client) {
	answers := prometheus.NewDesc(namespace+"_answers_total", "Reads of Defender's data by source: a call, the cache, a call made by another question, or expired data because nothing else was available (these count twice).", []string{"from"}, nil)
	for from, n := range map[string]int64{"defender": c.Asked, "cache": c.Hits, "joined": c.Joined, "stale": c.Stale} {
		w.to <- prometheus.MustNewConstMetric(answers, prometheus.CounterValue, float64(n), from)
	}
	w.counter("defender_throttled_total", "Responses from Defender with status 429 (too many calls).", c.Throttled)
	w.counter("defender_own_limit_waits_total", "Calls to Defender that waited because of the bot's own rate limit.", c.Waited)
	w.counter("defender_own_limit_refused_total", "Calls to Defender that were not made because the bot's own rate limit would have delayed them too long.", c.Refused)
	w.counter("defender_unreadable_rows_total", "Rows in Defender's responses that could not be read and are left out of answers.", c.Unreadable)
	w.counter("defender_budget_errors_total", "Failed accesses to the quota shared by the replicas.", c.BudgetErrors)
}

func (w writer) quota(list []Quota) {
	left := prometheus.NewDesc(namespace+"_defender_quota_left", "Calls to Defender still available now, by quota window and purpose.", []string{"window", "for"}, nil)
	limit := prometheus.NewDesc(namespace+"_defender_quota_limit", "Maximum calls to Defender per quota window and purpose.", []string{"window", "for"}, nil)
	for _, q := range list {
		window, purpose := w.bound.of("window", q.Window), w.bound.of("for", q.For)
		w.to <- prometheus.MustNewConstMetric(left, prometheus.GaugeValue, q.Left, window, purpose)
		w.to <- prometheus.MustNewConstMetric(limit, prometheus.GaugeValue, q.Limit, window, purpose)
	}
}

func (w writer) stored(s Stored, err error) {
	up := 1.0
	if err != nil {
		up = 0
	}
	w.gauge("database_up", "Whether the database answers: 1 or 0. While it does not, metrics read from it are absent.", up)
	if err != nil {
		return
	}
	subscriptions := prometheus.NewDesc(namespace+"_subscriptions", "Digest subscriptions in the database.", []string{"state"}, nil)
	w.to <- prometheus.MustNewConstMetric(subscriptions, prometheus.GaugeValue, float64(s.Active), "active")
	w.to <- prometheus.MustNewConstMetric(subscriptions, prometheus.GaugeValue, float64(s.Paused), "paused")
	w.gauge("digests_overdue_seconds", "How long the longest-waiting digest has been due; 0 if none is waiting.", s.Overdue.Seconds())
	w.feeds(s.Feeds)
	if !s.HasData {
		return
	}
	age := prometheus.NewDesc(namespace+"_data_age_seconds", "Age of the data that the next digests compare with: the newest and the oldest of all active subscriptions.", []string{"bound"}, nil)
	w.to <- prometheus.MustNewConstMetric(age, prometheus.GaugeValue, s.Newest.Seconds(), "newest")
	w.to <- prometheus.MustNewConstMetric(age, prometheus.GaugeValue, s.Oldest.Seconds(), "oldest")
}

func (w writer) feeds(list []Feed) {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(namespace+"_feed_"+name, help, []string{"feed"}, nil)
	}
	age := desc("age_seconds", "Age of the newest stored document of a feed: MSRC's documents (msrc) or CISA's list (kev).")
	entries := desc("entries", "Stored entries of a feed: updates or exploited vulnerabilities.")
	failing := desc("failing", "Whether the latest update of a feed failed: 1 or 0. Stored data is kept.")
	failed := desc("last_failure_timestamp_seconds", "When an update of the feed last failed, in Unix time; 0 for never.")
	for _, f := range list {
		name := w.bound.of("feed", f.Name)
		gauge := func(d *prometheus.Desc, v float64) {
			w.to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, name)
		}
		last, isFailing := 0.0, 0.0
		if !f.Failed.IsZero() {
			last = float64(f.Failed.Unix())
		}
		if f.Failing {
			isFailing = 1
		}
		gauge(entries, float64(f.Entries))
		gauge(failing, isFailing)
		gauge(failed, last)
		if f.HasData {
			gauge(age, f.Age.Seconds())
		}
	}
}
