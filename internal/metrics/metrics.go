// Package metrics counts what happens and serves it to Prometheus. It takes plain values, and functions that are called
// on each scrape: it knows the names, units and buckets of metrics, but neither Slack nor Defender nor the database. No
// label contains who asked, where, or about what: a label has few values, and further ones are counted as "other".
package metrics

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const namespace = "missingkbs"

// Metrics are all metrics of one process. Create them with [New]; all methods are safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	bound    *bound
	sources  atomic.Pointer[Sources]

	questions *prometheus.CounterVec
	outcomes  *prometheus.CounterVec
	failures  *prometheus.CounterVec
	unseen    *prometheus.CounterVec
	stages    *prometheus.HistogramVec
	calls     *prometheus.CounterVec
	callTimes *prometheus.HistogramVec
	signIns   *prometheus.CounterVec
	due       prometheus.Counter
	digests   *prometheus.CounterVec
	late      prometheus.Counter
	lag       prometheus.Histogram
	looked    prometheus.Gauge
	audits    *prometheus.CounterVec
	blocks    *prometheus.CounterVec
	webhook   *prometheus.CounterVec
}

// New creates the metrics of a program version.
func New(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), bound: newBound()}
	m.sources.Store(&Sources{})
	m.questionMetrics()
	m.defenderMetrics()
	m.digestMetrics()
	m.auditMetrics()
	m.blockMetrics()
	m.webhookMetrics()
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "Version of the program; the value is always 1.",
	}, []string{"version", "goversion"})
	info.WithLabelValues(version, runtime.Version()).Set(1)
	m.registry.MustRegister(info, scraped{m},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// Handler serves the metrics.
func (m *Metrics) Handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ErrorHandling:       promhttp.ContinueOnError, // serve what can be collected
		MaxRequestsInFlight: 4,
		Timeout:             10 * time.Second,
	})
}

// Registry returns the registry, for tests.
func (m *Metrics) Registry() *prometheus.Registry { return m.registry }

// counter registers a counter with labels.
func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

// histogram registers a histogram of seconds with labels.
func (m *Metrics) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(h)
	return h
}

// maxValues bounds the values of one label. The code has fewer.
const maxValues = 40

// bound limits the values of each label, whatever it is given.
type bound struct {
	mu   sync.Mutex
	seen map[string]map[string]bool // by label
}

func newBound() *bound { return &bound{seen: map[string]map[string]bool{}} }

// other replaces values beyond the bound, none replaces the empty value.
const (
	other = "other"
	none  = "none"
)

// of returns the value to use for a value of a label.
func (b *bound) of(label, value string) string {
	if value == "" {
		return none
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	values := b.seen[label]
	if values == nil {
		values = map[string]bool{}
		b.seen[label] = values
	}
	if values[value] {
		return value
	}
	if len(value) > 60 || len(values) >= maxValues {
		return other
	}
	values[value] = true
	return value
}

// scrapeTime bounds the functions of [Sources] on each scrape.
const scrapeTime = 3 * time.Second

func scrapeContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), scrapeTime)
}
