package store_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	benchSoftware = 500
	benchKBs      = 40
	benchWeeks    = 52
)

// estate is a tenant whose devices are patched week by week: nearly all counts change each week, and each month some
// updates close and as many come.
type estate struct {
	random   *rand.Rand
	software []string
	rows     []patchgap.Row
	nextKB   int
}

func newEstate() *estate {
	e := &estate{random: rand.New(rand.NewPCG(1, 2)), nextKB: 5_000_000}
	for i := range benchSoftware {
		e.software = append(e.software, fmt.Sprintf("microsoft-_-product_%03d", i))
		for range benchKBs {
			e.rows = append(e.rows, e.update(e.software[i]))
		}
	}
	return e
}

func (e *estate) update(software string) patchgap.Row {
	e.nextKB += 1 + e.random.IntN(300)
	kb := strconv.Itoa(e.nextKB)
	return patchgap.Row{
		Key:     patchgap.Key{Software: software, KB: kb, OSBuild: fmt.Sprintf("10.0.%d.%d", 19045+e.random.IntN(7000), e.random.IntN(6000))},
		Name:    fmt.Sprintf("%s 2026 Security Updates", time.Month(1+e.random.IntN(12))),
		URL:     "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB" + kb,
		Devices: e.random.IntN(5000), CVEs: e.random.IntN(90),
	}
}

func (e *estate) week(n int) patchgap.Snapshot {
	for i := range e.rows {
		if n > 0 && n%4 == 0 && e.random.IntN(10) == 0 {
			e.rows[i] = e.update(e.rows[i].Software)
		} else if e.random.IntN(10) > 0 {
			e.rows[i].Devices = max(0, e.rows[i].Devices-e.random.IntN(60))
		}
	}
	rows := append([]patchgap.Row(nil), e.rows...)
	return patchgap.Snapshot{Tenant: digest.DefaultTenant, At: monday.AddDate(0, 0, 7*n), Software: e.software, Rows: rows}
}

func benchSubscription(b *testing.B, s *store.Store, id string) digest.Subscription {
	b.Helper()
	sub := digest.Subscription{ID: id, Tenant: digest.DefaultTenant, Channel: "C01", Watch: []string{digest.All}, NextRun: monday}
	if err := s.AddSubscription(b.Context(), sub, audit.Entry{At: monday}); err != nil {
		b.Fatal(err)
	}
	return sub
}

func record(b *testing.B, s *store.Store, sub digest.Subscription, n int, snap patchgap.Snapshot) {
	b.Helper()
	d := digest.Delivery{Key: fmt.Sprint(sub.ID, "/", n), Subscription: sub.ID, Tenant: sub.Tenant, At: snap.At, Kind: digest.Changed}
	if err := s.Record(b.Context(), d, snap, sub, view.Page{}); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkYear is a year of weekly snapshots of 500 software with 40 updates each: what it takes on disk, and how long
// a snapshot takes to write, to read, and to tell what was seen before.
func BenchmarkYear(b *testing.B) {
	for name, url := range engines() {
		b.Run(name, func(b *testing.B) {
			at := url(b)
			s := open(b, at, store.Options{})
			sub, e := benchSubscription(b, s, "a1"), newEstate()
			var worst, total time.Duration
			var last patchgap.Snapshot
			for n := range benchWeeks {
				last = e.week(n)
				start := time.Now()
				record(b, s, sub, n, last)
				took := time.Since(start)
				worst, total = max(worst, took), total+took
			}
			size := databaseSize(b, s, name)
			b.Run("Baseline", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, found, err := s.Baseline(b.Context(), sub.ID); !found || err != nil {
						b.Fatal(found, err)
					}
				}
				b.ReportMetric(float64(size)/1e6, "MB-on-disk")
				b.ReportMetric(float64(total.Milliseconds())/benchWeeks, "ms/record")
				b.ReportMetric(float64(worst.Milliseconds()), "ms-worst-record")
			})
			b.Run("SeenBefore", func(b *testing.B) {
				var keys []patchgap.Key
				for i := 0; i < len(last.Rows); i += benchKBs / 2 { // a thousand, of all software
					keys = append(keys, last.Rows[i].Key)
				}
				for b.Loop() {
					if _, err := s.SeenBefore(b.Context(), digest.DefaultTenant, keys, time.Time{}); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("Deliveries", func(b *testing.B) {
				for b.Loop() {
					if _, err := s.Deliveries(b.Context(), sub.ID, 12); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// BenchmarkRecordShared is a subscription that records what another one has recorded a moment ago: 50 software.
func BenchmarkRecordShared(b *testing.B) {
	for name, url := range engines() {
		b.Run(name, func(b *testing.B) {
			s := open(b, url(b), store.Options{})
			snap := newEstate().week(0)
			snap.Software, snap.Rows = snap.Software[:50], snap.Rows[:50*benchKBs]
			sub := benchSubscription(b, s, "a1")
			n := 0
			for b.Loop() {
				record(b, s, sub, n, snap)
				n++
			}
		})
	}
}

// BenchmarkEnqueue is one job.
func BenchmarkEnqueue(b *testing.B) {
	for name, url := range engines() {
		b.Run(name, func(b *testing.B) {
			q, err := open(b, url(b), store.Options{}).Queue(calls(nil).work, store.QueueOptions{})
			if err != nil {
				b.Fatal(err)
			}
			n := 0
			for b.Loop() {
				n++
				if err := q.Enqueue(b.Context(), digest.Job{Subscription: strconv.Itoa(n), Due: monday}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func databaseSize(b *testing.B, s *store.Store, engine string) (size int64) {
	b.Helper()
	if engine != "SQLite" {
		if err := s.DB().QueryRowContext(b.Context(), "SELECT pg_database_size(current_database())").Scan(&size); err != nil {
			b.Fatal(err)
		}
		return size
	}
	var path string
	err := s.DB().QueryRowContext(b.Context(), "SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&path)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := s.DB().ExecContext(b.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		b.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil {
		b.Fatal(err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			b.Fatal(err)
		}
		size += info.Size()
	}
	return size
}
