package digest

import (
	"testing"

	"github.com/missingkbs/missingkbs/internal/patchgap"
)

func TestPercent(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		was, is int
		want    string
	}{
		{15, 118, " (687 %)"}, // of 686.7
		{106, 32, " (70 %)"},  // of 69.8
		{167, 73, " (56 %)"},  // of 56.3
		{1000, 1, " (99 %)"},  // 100 % fewer would be none
		{49, 0, " (100 %)"},   // none
		{1000, 1001, ""},      // too little for a percentage
		{0, 117, ""},          // from nothing
		{15, 15, ""},          // as it was
		{1, 2000, " (199,900 %)"},
	} {
		if got := percent(tt.was, tt.is); got != tt.want {
			t.Errorf("percent(%d, %d) = %q, want %q", tt.was, tt.is, got, tt.want)
		}
	}
}

func TestMovedSaysAtLeastOfBoth(t *testing.T) {
	t.Parallel()
	shared := func(devices int) patchgap.Update {
		return patchgap.Updates([]patchgap.Row{{Key: patchgap.Key{Software: "a-_-a", KB: "1"}, Devices: devices}, {Key: patchgap.Key{Software: "b-_-b", KB: "1"}, Devices: 1}})[0]
	}
	alone := patchgap.Updates([]patchgap.Row{{Key: patchgap.Key{Software: "a-_-a", KB: "1"}, Devices: 9}})[0]
	for _, tt := range []struct {
		change patchgap.Change
		want   string
	}{
		{patchgap.Change{Was: shared(14), Now: shared(12)}, "from at least 14 to at least 12 devices"},
		{patchgap.Change{Was: shared(14), Now: alone}, "from at least 14 to 9 devices"},
		{patchgap.Change{Was: alone, Now: shared(12)}, "from 9 to at least 12 devices"},
	} {
		if got := moved(tt.change); got != tt.want {
			t.Errorf("moved = %q, want %q", got, tt.want)
		}
	}
}

func TestChartNamesWhatItCounts(t *testing.T) {
	t.Parallel()
	for f, want := range map[patchgap.Filter]string{{}: "All updates", {MinDevices: 30}: "Passing the filter", {MinCVEs: 1}: "Passing the filter"} {
		chart := Report{Subscription: Subscription{Filter: f}}.chart()
		if got := chart.Series[0].Name; got != want {
			t.Errorf("a chart filtered by %v names its series %q, want %q", f, got, want)
		}
	}
}
