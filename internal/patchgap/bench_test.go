package patchgap_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// BenchmarkDiff compares two patch gaps of 500 software with 40 KBs each, in which every tenth count has changed.
func BenchmarkDiff(b *testing.B) {
	gap := func(shrunk int) patchgap.Snapshot {
		s := patchgap.Snapshot{Tenant: "default", At: time.Unix(0, 0)}
		for i := range 500 {
			id := fmt.Sprintf("microsoft-_-software_%03d", i)
			s.Software = append(s.Software, id)
			for k := range 40 {
				devices := 100 + k
				if k%10 == 0 {
					devices -= shrunk
				}
				s.Rows = append(s.Rows, patchgap.Row{Key: patchgap.Key{Software: id, KB: strconv.Itoa(5000000 + 40*i + k)}, Devices: devices, CVEs: k})
			}
		}
		return s
	}
	before, after := gap(0), gap(50)
	b.ReportAllocs()
	for b.Loop() {
		if got := len(patchgap.Diff(before, after, nil).Shrank); got != 2000 {
			b.Fatalf("%d shrank, want 2000", got)
		}
	}
}
