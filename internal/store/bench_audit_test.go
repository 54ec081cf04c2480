package store_test

import (
	"runtime"
	"testing"

	"github.com/missingkbs/missingkbs/internal/store"
)

// millionAudits are one every 20 seconds, some seven months, of a hundred people.
const millionAudits = `INSERT INTO audits (id, at_ms, tenant, person, channel, action, subject, detail, result, reason, request)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
SELECT 'A' || (10000000 + i), CAST(1767225600000 AS BIGINT) + i * CAST(20000 AS BIGINT), 'default', 'U' || (i % 100), 'C0GENERAL', 'ask', 'software',
    'microsoft-_-windows_11 --sort cves', 'done', '', '0a1b2c3d' FROM n`

// BenchmarkAudits reads a million audits, and those of one person among them. The memory is what was in use at most.
func BenchmarkAudits(b *testing.B) {
	for name, url := range engines() {
		b.Run(name, func(b *testing.B) {
			s := open(b, url(b), store.Options{})
			if _, err := s.DB().ExecContext(b.Context(), millionAudits); err != nil {
				b.Fatal(err)
			}
			for kind, filter := range map[string]store.AuditFilter{"All": {}, "OfOnePerson": {User: "U7"}} {
				b.Run(kind, func(b *testing.B) {
					var n, most uint64
					for b.Loop() {
						n, most = readAudits(b, s, filter)
					}
					b.ReportMetric(float64(n), "rows")
					b.ReportMetric(float64(most)/1e6, "MB-heap")
				})
			}
		})
	}
}

func readAudits(b *testing.B, s *store.Store, f store.AuditFilter) (n, most uint64) {
	b.Helper()
	for _, err := range s.Audits(b.Context(), f) {
		if err != nil {
			b.Fatal(err)
		}
		if n++; n%50_000 == 1 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
		}
	}
	return n, most
}
