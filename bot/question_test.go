package bot

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Only what a person types is read as people write; what a page or a select of ours carried is read exactly, for a
// software id may hold any character.
func TestOnlyTypedLinesAreCleaned(t *testing.T) {
	t.Parallel()
	const odd = "*acme*-_-anvil–2\u200b."
	for _, c := range []struct {
		entry Entry
		typed bool
		want  string
	}{
		{EntryTyped, true, "*acme*-_-anvil-2"},
		{EntryClick, false, odd},
		{EntryHome, false, odd},
		{EntryModal, false, odd},
		{EntryShortcut, false, odd},
	} {
		req, err := question{entry: c.entry, typed: c.typed, line: odd}.request()
		if diff := cmp.Diff([]string{c.want}, req.Words); diff != "" || err != nil {
			t.Errorf("%v: %v (-want +got):\n%s", c.entry, err, diff)
		}
	}
}
