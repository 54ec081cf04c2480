package bot

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/internal/view"
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

// What people write or paste into a form is cleaned of lookalikes as a typed line is; what they chose there is not.
func TestFormsAreCleaned(t *testing.T) {
	t.Parallel()
	modal, err := blocks.Dialog(view.Dialog{Title: "Add", Submit: "Add", Command: []string{"digest", "add"}, Fields: []view.Field{
		{Name: view.WordsField, Label: "Software", Kind: view.SoftwareField}, {Name: "at", Label: "When", Option: "at"}, {Name: "tz", Label: "Zone", Option: "tz"},
	}}, "C1")
	if err != nil {
		t.Fatal(err)
	}
	var c click
	c.View.CallbackID, c.View.PrivateMetadata = blocks.DialogCallback, modal.PrivateMetadata
	chosen := []*blocks.Option{{Value: "acme-_-anvil\u20132"}}
	c.View.State.Values = blocks.Inputs{
		view.WordsField: {"a": {Several: chosen}}, "at": {"a": {Value: "mon\u2013fri\u00a008:30\u200b"}}, "tz": {"a": {Value: "\uff35\uff34\uff23"}},
	}
	q, err := c.submitted(question{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"digest", "add", "acme-_-anvil\u20132", "--at=mon-fri 08:30", "--tz=UTC"}, q.filled.Words); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := q.filled.Refuse("at", "--at 1e3 is not valid: it must be a whole number.").Errors["at"]; got != "It must be a whole number." {
		t.Errorf("a field is told of an option: %s", got)
	}
}
