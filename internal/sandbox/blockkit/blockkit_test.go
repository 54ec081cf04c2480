package blockkit

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCodes(t *testing.T) {
	t.Parallel()
	tests := map[string]l{
		"msg_blocks_too_long": same(5, section(o{"text": mrkdwn(3000)})),
		"":                    same(51, o{"type": "divider"}),
	}
	for want, blocks := range tests {
		faults := Check(Message, encoded(t, blocks))
		if len(faults) != 1 || faults[0].Code != want {
			t.Errorf("faults = %+v, want one with the code %q", faults, want)
		}
	}
}

// TestAccepted reads files with blocks of every type, each field used.
func TestAccepted(t *testing.T) {
	t.Parallel()
	for _, surface := range []string{Message, Modal, Home} {
		t.Run(surface, func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(filepath.Join("testdata", surface+".json"))
			if err != nil {
				t.Fatal(err)
			}
			var blocks json.RawMessage = raw
			faults := Check(surface, blocks)
			if surface != Message {
				faults = CheckView(raw)
			}
			if diff := cmp.Diff([]Fault(nil), faults); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckView(t *testing.T) {
	t.Parallel()
	modal := func(more o) o {
		return plus(o{"type": "modal", "title": plain(1), "blocks": l{o{"type": "divider"}}}, more)
	}
	tests := []struct {
		name string
		view any
		want []string // pointers
	}{
		{"no object", l{}, []string{""}},
		{"no type", o{}, []string{""}},
		{"unknown type", o{"type": "workflow_step"}, []string{"/type"}},
		{"good modal", modal(nil), nil},
		{"nothing but a type", o{"type": "modal"}, []string{"", ""}},
		{"title at the limit", modal(o{"title": plain(24), "submit": plain(24), "close": plain(24)}), nil},
		{"title too long", modal(o{"title": plain(25)}), []string{"/title/text"}},
		{"submit too long", modal(o{"submit": plain(25)}), []string{"/submit/text"}},
		{"close too long", modal(o{"close": plain(25)}), []string{"/close/text"}},
		{"texts at the limit", modal(o{"private_metadata": long(3000), "callback_id": long(255), "external_id": long(255)}), nil},
		{"private_metadata too long", modal(o{"private_metadata": long(3001)}), []string{"/private_metadata"}},
		{"callback_id too long", modal(o{"callback_id": long(256)}), []string{"/callback_id"}},
		{"external_id too long", modal(o{"external_id": long(256)}), []string{"/external_id"}},
		{"input without submit", modal(o{"blocks": l{input(o{"type": "plain_text_input"})}}), []string{""}},
		{"101 blocks", modal(o{"blocks": same(101, o{"type": "divider"})}), []string{"/blocks"}},
		{"fault in a block", modal(o{"blocks": l{o{"type": "header", "text": plain(151)}}}), []string{"/blocks/0/text/text"}},
		{"title of a Home tab", o{"type": "home", "title": plain(1), "blocks": l{}}, []string{""}},
		{"good Home tab", o{"type": "home", "blocks": l{dataTable(rows(2, 1), nil)}}, nil},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, f := range CheckView(encoded(t, tc.view)) {
				got = append(got, f.Pointer)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("pointers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckSuggestion(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer any
		want   string // pointer, "-" for none
	}{
		{"none found", o{"options": l{}}, "-"},
		{"100 options", o{"options": options(100)}, "-"},
		{"101 options", o{"options": options(101)}, "/options"},
		{"100 groups", o{"option_groups": same(100, o{"label": plain(1), "options": options(1)})}, "-"},
		{"101 groups", o{"option_groups": same(101, o{"label": plain(1), "options": options(1)})}, "/option_groups"},
		{"both", o{"options": l{}, "option_groups": l{}}, ""},
		{"neither", o{}, ""},
		{"101 options in a group", o{"option_groups": l{o{"label": plain(1), "options": options(101)}}}, "/option_groups/0/options"},
		{"long label", o{"option_groups": l{o{"label": plain(76), "options": l{}}}}, "/option_groups/0/label/text"},
		{"long text", o{"options": l{o{"text": plain(76), "value": "v"}}}, "/options/0/text/text"},
		{"long value", o{"options": l{choiceOf(151)}}, "/options/0/value"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := "-"
			if faults := CheckSuggestion(encoded(t, tc.answer)); len(faults) > 0 {
				got = faults[0].Pointer
			}
			if got != tc.want {
				t.Errorf("first fault at %q, want %q", got, tc.want)
			}
		})
	}
}

func TestBrokenJSON(t *testing.T) {
	t.Parallel()
	broken := json.RawMessage(`[{`)
	for name, faults := range map[string][]Fault{
		"blocks": Check(Message, broken), "view": CheckView(broken), "suggestion": CheckSuggestion(broken),
	} {
		if len(faults) != 1 {
			t.Errorf("%s: faults = %v, want one", name, faults)
		}
	}
}

func FuzzCheck(f *testing.F) {
	raw, err := os.ReadFile(filepath.Join("testdata", "message.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(raw))
	f.Add(`[{"type":"layout","rows":[{"items":[null]}]},{"type":"data_table","rows":[[],1]}]`)
	f.Fuzz(func(t *testing.T, blocks string) {
		Check(Message, json.RawMessage(blocks))
		CheckView(json.RawMessage(`{"type":"modal","blocks":` + blocks + `}`))
	})
}
