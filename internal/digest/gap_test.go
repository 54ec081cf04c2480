package digest_test

import (
	"testing"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap/patchgaptest"
)

var monday = patchgaptest.Monday

// Short names for what every case is made of.
var (
	gap   = patchgaptest.Gap
	row   = patchgaptest.Row
	build = patchgaptest.Build
	kbs   = patchgaptest.KBs
)

func TestWatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, software string
		want              bool
	}{
		{edge, edge, true},
		{edge, edge + "_webview2", false},
		{"microsoft-_-*", edge, true},
		{"microsoft-_-*", "google-_-chrome", false},
		{"microsoft-_-win*11", windows, true},
		{"microsoft-_-win*10", windows, false},
		{"microsoft-_-*o*s*11", windows, true},
		{"microsoft-_-windows_11*windows_11", windows, false},
		{digest.All, edge, true},
		{digest.All, "google-_-chrome", false},
	} {
		if got := (digest.Subscription{Watch: []string{"x-_-y", c.pattern}}).Watches(c.software); got != c.want {
			t.Errorf("%s watches %s: %v", c.pattern, c.software, got)
		}
	}
}
