package blocks_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/internal/view"
)

// everyField is a dialog with each kind of field; the values are filled in at first.
func everyField() view.Dialog {
	few := []view.Choice{{Label: "One", Value: "1"}, {Label: "Two", Value: "2"}}
	return view.Dialog{
		Title: "A title that is longer than Slack's 24", Submit: "Go", Command: []string{"digest", "edit", "7"},
		Fields: []view.Field{
			{Name: view.WordsField, Label: "Software", Kind: view.WatchField, Required: true, Values: []string{"a-_-b", "c-_-d e"}},
			{Name: "choice", Option: "at", Label: "When", Kind: view.ChoiceField, Choices: few, Values: []string{"2"}},
			{Name: "typed", Option: "at", Label: "When, in words", Hint: "It counts more.", Kind: view.TextField},
			{Name: "least", Option: "min-devices", Label: "Least", Kind: view.NumberField, Unset: "0"},
			{Name: "one", Option: "one", Label: "One", Kind: view.SoftwareField, Values: []string{"x-_-y"}},
			{Name: view.AudienceName, Label: "Who", Kind: view.AudienceField, Values: []string{view.OnlyMe}, Choices: []view.Choice{{Label: "Me", Value: view.OnlyMe}, {Label: "All", Value: view.Everyone}}},
			{Name: "channel", Option: "channel", Label: "Where", Kind: view.ChannelField, Values: []string{"C0DIGEST"}},
		},
	}
}

func TestDialogIsTaken(t *testing.T) {
	t.Parallel()
	modal, err := blocks.Dialog(everyField(), "C0FROM")
	if err != nil {
		t.Fatal(err)
	}
	checkedView(t, modal)

	long := everyField()
	long.Fields[0].Values = []string{strings.Repeat("v", 100) + "-_-" + strings.Repeat("n", 100), "e-_-f"} // no option of a select
	if modal, err = blocks.Dialog(long, ""); err != nil {
		t.Fatal(err)
	}
	checkedView(t, modal)
	filled, err := blocks.ReadDialog(modal.PrivateMetadata, entered(t, `{"words":{"fill:1":{"value":" a-_-b  c-_-d "}}}`))
	if err != nil || strings.Join(filled.Words, " ") != "digest edit 7 a-_-b c-_-d --min-devices=0" {
		t.Errorf("got %q, %v", filled.Words, err)
	}
}

func TestDialogThatSlackWouldRefuse(t *testing.T) {
	t.Parallel()
	long, empty := everyField(), everyField()
	long.Command = []string{strings.Repeat("x", 3000)}
	empty.Fields[1].Choices = nil
	for name, d := range map[string]view.Dialog{"metadata": long, "choices": empty} {
		if _, err := blocks.Dialog(d, ""); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
}

func entered(t *testing.T, raw string) (in blocks.Inputs) {
	t.Helper()
	if err := json.Unmarshal([]byte(raw), &in); err != nil {
		t.Fatal(err)
	}
	return in
}

func TestReadDialog(t *testing.T) {
	t.Parallel()
	modal, err := blocks.Dialog(everyField(), "C0FROM")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		values  string
		line    []string
		channel string
		share   bool
		at      string // where an error about "at" stands
	}{
		{`{}`, []string{"digest", "edit", "7", "--min-devices=0"}, "", false, "choice"},
		{
			`{"words":{"watch:1":{"selected_options":[{"value":"a-_-b"},{"value":"c-_-d e"}]}},"choice":{"fill:1":{"selected_option":{"value":"2"}}},
			"typed":{"fill:1":{"value":null}},"least":{"fill:1":{"value":"3"}},"channel":{"fill:1":{"selected_conversation":"C1"}}}`,
			[]string{"digest", "edit", "7", "a-_-b", "c-_-d e", "--at=2", "--min-devices=3", "--channel=C1"},
			"C1", false, "choice",
		},
		{
			`{"choice":{"fill:1":{"selected_option":{"value":"2"}}},"typed":{"fill:1":{"value":" mon 09:00 "}},"audience":{"fill:1":{"selected_option":{"value":"everyone"}}}}`,
			[]string{"digest", "edit", "7", "--at=mon 09:00", "--min-devices=0"},
			"", true, "typed",
		},
	} {
		got, err := blocks.ReadDialog(modal.PrivateMetadata, entered(t, c.values))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.line, got.Words); diff != "" || got.Channel != c.channel || got.Share != c.share {
			t.Errorf("%s: got channel %q, share %v, line (-want +got):\n%s", c.values, got.Channel, got.Share, diff)
		}
		want := blocks.FieldErrors{Action: "errors", Errors: map[string]string{c.at: "No."}}
		if diff := cmp.Diff(want, got.Refuse("at", "No.")); diff != "" {
			t.Errorf("%s: errors (-want +got):\n%s", c.values, diff)
		}
		if _, last := got.Refuse("", "No.").Errors["channel"]; !last {
			t.Errorf("%s: an error of no field stands elsewhere than at the last one", c.values)
		}
	}
	for _, metadata := range []string{"", "{}", "digest details 4711"} {
		if _, err := blocks.ReadDialog(metadata, nil); err == nil {
			t.Errorf("metadata %q: want an error", metadata)
		}
	}
}
