package inputs

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const form = `[
	{"type":"section","block_id":"s"},
	{"type":"input","block_id":"who","element":{"type":"external_select","action_id":"a"}},
	{"type":"input","block_id":"several","optional":true,"element":{"type":"multi_external_select","action_id":"a","max_selected_items":1}},
	{"type":"input","block_id":"words","optional":true,"element":{"type":"plain_text_input","action_id":"a","min_length":2,"max_length":3}},
	{"type":"input","block_id":"count","optional":true,"element":{"type":"number_input","action_id":"a","is_decimal_allowed":false,"min_value":"0","max_value":"9"}},
	{"type":"input","block_id":"where","optional":true,"element":{"type":"conversations_select","action_id":"a","response_url_enabled":true,"default_to_current_conversation":true}}]`

func TestCheck(t *testing.T) {
	t.Parallel()
	chosen := `"who":{"a":{"type":"external_select","selected_option":{"value":"x"}}}`
	for _, c := range []struct{ values, want string }{
		{chosen, ""},
		{``, "who"},
		{`"who":{"a":{"type":"external_select","selected_option":null}}`, "who"},
		{`"who":{"other":{"type":"external_select","selected_option":{"value":"x"}}}`, "who"},
		{chosen + `,"several":{"a":{"selected_options":[]}}`, ""},
		{chosen + `,"several":{"a":{"selected_options":[1,2]}}`, "several"},
		{chosen + `,"words":{"a":{"value":"åäö"}}`, ""},
		{chosen + `,"words":{"a":{"value":"a"}}`, "words"},
		{chosen + `,"words":{"a":{"value":"abcd"}}`, "words"},
		{chosen + `,"count":{"a":{"value":"9"}}`, ""},
		{chosen + `,"count":{"a":{"value":"1.5"}}`, "count"},
		{chosen + `,"count":{"a":{"value":"-1"}}`, "count"},
		{chosen + `,"count":{"a":{"value":"10"}}`, "count"},
		{chosen + `,"count":{"a":{"value":"many"}}`, "count"},
	} {
		wrong := Check(json.RawMessage(form), ReadValues(json.RawMessage(`{`+c.values+`}`)))
		var got []string
		for id := range wrong {
			got = append(got, id)
		}
		if strings.Join(got, ",") != c.want {
			t.Errorf("%s: got %v, want an error at %q", c.values, wrong, c.want)
		}
	}
}

func TestConversations(t *testing.T) {
	t.Parallel()
	in := InConversation(json.RawMessage(form), "C1")
	if !strings.Contains(string(in), `"initial_conversation":"C1"`) || strings.Contains(string(InConversation(json.RawMessage(form), "")), "initial_conversation") {
		t.Errorf("got %s, want the current conversation to be chosen where there is one", in)
	}
	got := Conversations(in, ReadValues(map[string]any{"where": map[string]any{"a": map[string]any{"selected_conversation": "C2"}}}))
	if diff := cmp.Diff([]Conversation{{"where", "a", "C2"}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := Conversations(in, nil); got != nil {
		t.Errorf("of nothing chosen: %v", got)
	}
}
