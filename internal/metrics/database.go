package metrics

import "github.com/prometheus/client_golang/prometheus"

// Database describes how well the database works.
type Database struct {
	Writable bool // it accepted the last changes
	Failures []DatabaseFailures
}

// DatabaseFailures counts the failures of one kind.
type DatabaseFailures struct {
	Trouble string // such as "full"
	Write   bool   // the query was a write
	Count   int64
}

func (w writer) database(d Database) {
	writable := 0.0
	if d.Writable {
		writable = 1
	}
	w.gauge("database_writable", "Whether the database is writable, according to a probe every 30 seconds and to later writes: 1 or 0.", writable)
	desc := prometheus.NewDesc(namespace+"_database_failures_total",
		"Failed reads and writes of the database, by problem; probes count, too.", []string{"trouble", "access"}, nil)
	for _, f := range d.Failures {
		access := "read"
		if f.Write {
			access = "write"
		}
		w.to <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(f.Count), w.bound.of("trouble", f.Trouble), access)
	}
}
