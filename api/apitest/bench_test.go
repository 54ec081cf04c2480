package apitest

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func BenchmarkNewTenant(b *testing.B) {
	for b.Loop() {
		NewTenant(Options{})
	}
}

func BenchmarkAdvance(b *testing.B) {
	ten := NewTenant(Options{})
	for b.Loop() {
		ten.Advance(time.Hour)
	}
}

func BenchmarkRequest(b *testing.B) {
	ten := NewTenant(Options{})
	for name, path := range map[string]string{
		"edge":            edgeKBs,
		"windows_10":      "/api/Software/microsoft-_-windows_10/getmissingkbs",
		"machine":         "/api/machines/plant-pc-01/getmissingkbs",
		"software":        "/api/Software",
		"distributions":   "/api/Software/microsoft-_-windows_10/distributions",
		"machines":        "/api/machines",
		"vulnerabilities": "/api/vulnerabilities",
		"oneKB":           "/api/vulnerabilities/machinesVulnerabilities?$filter=fixingKbId%20eq%20'4540673'",
		"tenThousand":     "/api/vulnerabilities/machinesVulnerabilities",
	} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "https://defender.test"+path, nil)
			r.Header.Set("Authorization", "Bearer "+ten.Token())
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				if ten.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}

func BenchmarkOverTLS(b *testing.B) {
	s := start(b, Options{})
	for b.Loop() {
		if _, _, err := get(b, s, edgeKBs); err != nil {
			b.Fatal(err)
		}
	}
}
