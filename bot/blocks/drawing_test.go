package blocks_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/internal/view"
)

// A drawing is, byte for byte, the message that [blocks.Render] makes of the page, also at another age than that at which
// it was drawn.
func TestDrawingIsTheMessage(t *testing.T) {
	t.Parallel()
	fetched := time.Date(2026, 11, 3, 9, 30, 0, 0, time.UTC)
	ages := []view.AsOf{
		{},
		{Time: fetched},
		{Time: fetched, Age: 40 * time.Second},
		{Time: fetched, Age: 3 * time.Hour},
		{Time: fetched, Age: 72 * time.Hour, Stale: view.Unreachable},
		{Time: fetched, Age: time.Hour, Stale: view.UsedUp, Again: fetched.Add(2 * time.Hour)},
	}
	pages := []view.Page{kbPage(1), kbPage(30), kbPage(250), hostilePage(), newsPage(), chartPage(progress(3, 2)), {}, {Title: "a", Lead: "b", Note: "c"}}
	for _, form := range append(forms(), blocks.Form{TextOnly: true}) {
		for _, o := range []blocks.Options{{Form: form}, {Form: form, SharedBy: "U0ALICE01"}, {Form: form, Direct: true}} {
			for _, page := range pages {
				var early *blocks.Drawing
				for _, at := range ages {
					page.AsOf = at
					drawn, err := blocks.Draw(page, o)
					if err != nil {
						t.Fatal(err)
					}
					want := blocks.Render(page, o)
					same(t, want, drawn, at)
					switch {
					case early == nil:
						early = drawn
					case at.Stale == view.NotStale:
						same(t, want, early, at)
					}
				}
			}
		}
	}
}

func same(t *testing.T, want blocks.Message, got *blocks.Drawing, at view.AsOf) {
	t.Helper()
	if diff := cmp.Diff(asJSON(t, want.Text), string(got.AppendText(nil, at))); diff != "" {
		t.Errorf("at %+v: text (-want +got):\n%s", at, diff)
	}
	if diff := cmp.Diff(blocks.Uses(want.Blocks), got.Uses()); diff != "" {
		t.Errorf("at %+v: features (-want +got):\n%s", at, diff)
	}
	if got.HasBlocks() != (len(want.Blocks) > 0) {
		t.Fatalf("has blocks: %v, want %d of them", got.HasBlocks(), len(want.Blocks))
	}
	if !got.HasBlocks() {
		return
	}
	if diff := cmp.Diff(asJSON(t, want.Blocks), string(got.AppendBlocks(nil, at))); diff != "" {
		t.Errorf("at %+v: blocks (-want +got):\n%s", at, diff)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
