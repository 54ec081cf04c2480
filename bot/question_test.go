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
		entry         Entry
		typed, spoken bool
		want          string
	}{
		{EntryTyped, true, false, "*acme*-_-anvil-2"},
		{EntryMention, false, true, "*acme*-_-anvil-2"},
		{EntryDirect, false, true, "*acme*-_-anvil-2"},
		{EntryClick, false, false, odd},
		{EntryHome, false, false, odd},
		{EntryModal, false, false, odd},
		{EntryShortcut, false, false, odd},
		{EntryMessage, false, false, odd},
	} {
		req, err := question{entry: c.entry, typed: c.typed, spoken: c.spoken, line: odd}.request()
		if diff := cmp.Diff([]string{c.want}, req.Words); diff != "" || err != nil {
			t.Errorf("%v: %v (-want +got):\n%s", c.entry, err, diff)
		}
	}
}
