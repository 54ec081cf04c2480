package main

import (
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/config"
)

func TestAuditCommandReadsTimes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 8, 25, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Time{
		"":                          {},
		"90m":                       now.Add(-90 * time.Minute),
		"24h":                       now.AddDate(0, 0, -1),
		"7d":                        now.AddDate(0, 0, -7),
		"2w":                        now.AddDate(0, 0, -14),
		"2026-08-01":                time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC),
		"2026-08-01T09:30":          time.Date(2026, 8, 1, 9, 30, 0, 0, time.UTC),
		"2026-08-01T09:30:00+02:00": time.Date(2026, 8, 1, 7, 30, 0, 0, time.UTC),
	} {
		var m config.Errors
		if got := readTime(&m, "--since", value, now); !got.Equal(want) || m.Err() != nil {
			t.Errorf("%q: got %v, %v; want %v", value, got, m.Err(), want)
		}
	}
	for _, value := range []string{"yesterday", "-1h", "7", "99999999d", "2026-13-01"} {
		var m config.Errors
		if readTime(&m, "--since", value, now); m.Err() == nil {
			t.Errorf("%q is taken", value)
		}
	}
}
