package sandbox

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestUpdateAndDelete(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	say := func(method string, args object) map[string]any {
		t.Helper()
		args["channel"] = General
		answer := post(t, w, method, w.BotToken(), args)
		if answer["ok"] != true {
			t.Fatalf("%s: %v", method, answer)
		}
		return answer
	}
	blocks := []object{{"type": "divider", "block_id": "a"}}
	ts := say("chat.postMessage", object{"text": "one", "blocks": blocks})["ts"]
	say("chat.update", object{"ts": ts, "text": "two"})
	m := w.Messages(General, Bob)[0]
	if m.Text != "two" || !m.Edited || len(m.Blocks) == 0 {
		t.Errorf("after new text: %+v, want it edited and the blocks kept", m)
	}
	say("chat.update", object{"ts": ts, "text": "three", "blocks": []object{}})
	if m := w.Messages(General, Bob)[0]; m.Text != "three" || len(m.Blocks) > 0 {
		t.Errorf("after an empty list: %+v, want no blocks", m)
	}
	long := form(t, w, "chat.update", w.BotToken(), url.Values{"channel": {General}, "ts": {ts.(string)}, "text": {strings.Repeat("å", 2001)}})
	if long["error"] != "msg_too_long" {
		t.Errorf("4,002 bytes: %v, want msg_too_long", long)
	}
	say("chat.update", object{"ts": ts, "text": strings.Repeat("å", 2000)})

	reply := say("chat.postMessage", object{"text": "reply", "thread_ts": ts})["ts"]
	say("chat.delete", object{"ts": ts})
	if m := w.Messages(General, Bob)[0]; !m.Deleted {
		t.Errorf("a deleted message with replies: %+v, want a mark of it", m)
	}
	say("chat.delete", object{"ts": reply})
	if got := len(w.Messages(General, Bob)); got != 1 {
		t.Errorf("%d messages after the reply is deleted, want the mark alone", got)
	}
}

func TestLongTextIsCut(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	form(t, w, "chat.postMessage", w.BotToken(), url.Values{"channel": {General}, "text": {strings.Repeat("å", 40_001)}})
	if got := len([]rune(w.Messages(General, Bob)[0].Text)); got != 40_000 {
		t.Errorf("%d characters, want 40,000", got)
	}
}

func TestMessageToAUserOpensTheConversation(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	got := form(t, w, "chat.postMessage", w.BotToken(), url.Values{"channel": {Alice}, "text": {"psst"}})
	if got["channel"] != AliceDM {
		t.Errorf("channel = %v, want %s", got["channel"], AliceDM)
	}
	if diff := cmp.Diff([]string{"psst"}, texts(w, AliceDM, Alice)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if got := w.Messages(AliceDM, Bob); got != nil {
		t.Errorf("Bob reads %v in Alice's conversation", got)
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_795_000_000, 0)
	w := workspace(t, Options{Clock: func() time.Time { return at }}) // a clock that stands still
	var stamps []string
	for i := range 5 {
		meta := fmt.Sprintf(`{"event_type":"digest","event_payload":{"n":%d}}`, i)
		answer := form(t, w, "chat.postMessage", w.BotToken(), url.Values{"channel": {General}, "text": {strconv.Itoa(i)}, "metadata": {meta}})
		stamps = append(stamps, answer["ts"].(string))
	}
	form(t, w, "chat.postMessage", w.BotToken(), url.Values{"channel": {General}, "text": {"reply"}, "thread_ts": {stamps[4]}})
	form(t, w, "chat.postEphemeral", w.BotToken(), url.Values{"channel": {General}, "text": {"psst"}, "user": {Alice}})
	history := func(pairs ...string) (found []string, answer map[string]any) {
		t.Helper()
		args := url.Values{"channel": {General}}
		for i := 0; i < len(pairs); i += 2 {
			args.Set(pairs[i], pairs[i+1])
		}
		answer = form(t, w, "conversations.history", w.BotToken(), args)
		for _, m := range answer["messages"].([]any) {
			found = append(found, m.(map[string]any)["text"].(string))
		}
		return found, answer
	}
	tests := []struct {
		args []string
		want []string
	}{
		{nil, []string{"4", "3", "2", "1", "0"}}, // newest first, no replies, nothing ephemeral
		{[]string{"oldest", stamps[2]}, []string{"4", "3"}},
		{[]string{"oldest", stamps[2], "inclusive", "true"}, []string{"4", "3", "2"}},
		{[]string{"latest", stamps[1]}, []string{"0"}},
		{[]string{"latest", stamps[1], "inclusive", "1"}, []string{"1", "0"}},
		{[]string{"limit", "2"}, []string{"4", "3"}},
	}
	for _, tc := range tests {
		if got, _ := history(tc.args...); !cmp.Equal(tc.want, got) {
			t.Errorf("%v: %v, want %v", tc.args, got, tc.want)
		}
	}
	_, first := history("limit", "3")
	cursor := first["response_metadata"].(map[string]any)["next_cursor"].(string)
	if got, rest := history("limit", "3", "cursor", cursor); !cmp.Equal([]string{"1", "0"}, got) || rest["has_more"] != false {
		t.Errorf("second page: %v, more %v; want the last two", got, rest["has_more"])
	}
	newest := func(answer map[string]any) map[string]any { return answer["messages"].([]any)[0].(map[string]any) }
	_, plain := history()
	_, full := history("include_all_metadata", "true")
	if newest(plain)["metadata"] != nil || newest(full)["metadata"] == nil {
		t.Errorf("metadata %v and %v, want it only when asked for", newest(plain)["metadata"], newest(full)["metadata"])
	}
	if m := newest(full); m["reply_count"] != 1.0 || m["bot_id"] != BotID || m["app_id"] != AppID {
		t.Errorf("newest = %v, want one reply and the bot's ids", m)
	}
	replies := form(t, w, "conversations.replies", w.BotToken(), url.Values{"channel": {General}, "ts": {stamps[4]}})
	if got := len(replies["messages"].([]any)); got != 2 {
		t.Errorf("%d messages in the thread, want 2", got)
	}
}
