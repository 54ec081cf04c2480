package sandbox

import (
	"net/url"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/sandbox/trace"
)

type failing struct {
	name, method string
	args         url.Values
	want         string
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	person, err := w.Message(t.Context(), Alice, Patching, "hello")
	if err != nil || person.Err != "" {
		t.Fatal(person, err)
	}
	persons := w.Messages(Patching, Alice)[0].TS
	archived := "C0ARCHIVE"
	w.rooms.list = append(w.rooms.list, &channel{ID: archived, Name: "old", Archived: true, Members: []string{Alice, BotUser}})
	w.rooms.list = append(w.rooms.list, &channel{ID: "C0WITHOUT", Name: "without", Members: []string{Alice}})
	hi := func(channel string) url.Values { return url.Values{"channel": {channel}, "text": {"hi"}} }
	with := func(v url.Values, pairs ...string) url.Values {
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	tests := []failing{
		{"unknown method", "chat.postMassage", nil, "unknown_method"},
		{"no channel", "chat.postMessage", url.Values{"text": {"hi"}}, "invalid_arguments"},
		{"unknown channel", "chat.postMessage", hi("C0NOWHERE"), "channel_not_found"},
		{"private channel without the bot", "chat.postMessage", hi(PrivateChannel), "channel_not_found"},
		{"public channel without the bot", "chat.postMessage", hi("C0WITHOUT"), "not_in_channel"},
		{"archived", "chat.postMessage", hi(archived), "is_archived"},
		{"nothing to say", "chat.postMessage", url.Values{"channel": {General}, "blocks": {"[]"}}, "no_text"},
		{"blocks that are no list", "chat.postMessage", url.Values{"channel": {General}, "blocks": {"{}"}}, "invalid_blocks_format"},
		{"bad blocks", "chat.postMessage", url.Values{"channel": {General}, "blocks": {`[{"type":"x"}]`}}, "invalid_blocks"},
		{"two tables in attachments", "chat.postMessage", url.Values{"channel": {General}, "attachments": {`[{"blocks":` + twoTables + `}]`}}, "invalid_attachments"},
		{"a table in each of two attachments", "chat.postMessage", url.Values{"channel": {General}, "attachments": {`[{"blocks":` + oneTable + `},{"blocks":` + oneTable + `}]`}}, "invalid_attachments"},
		{"bad blocks in attachments", "chat.postMessage", url.Values{"channel": {General}, "attachments": {`[{"blocks":[{"type":"x"}]}]`}}, "invalid_blocks"},
		{"attachments that are no list", "chat.postMessage", url.Values{"channel": {General}, "attachments": {`{}`}}, "invalid_attachments"},
		{"101 attachments", "chat.postMessage", url.Values{"channel": {General}, "attachments": {"[" + strings.Repeat(`{},`, 100) + "{}]"}}, "too_many_attachments"},
		{"metadata that is no object", "chat.postMessage", with(hi(General), "metadata", "[]"), "invalid_metadata_format"},
		{"metadata without payload", "chat.postMessage", with(hi(General), "metadata", `{"event_type":"x"}`), "invalid_metadata_schema"},
		{"markdown beside text", "chat.postMessage", with(hi(General), "markdown_text", "x"), "markdown_text_conflict"},
		{"long markdown", "chat.postMessage", url.Values{"channel": {General}, "markdown_text": {strings.Repeat("å", 12_001)}}, "msg_too_long"},
		{"unknown thread", "chat.postMessage", with(hi(General), "thread_ts", "1.000001"), "thread_not_found"},
		{"ephemeral to nobody", "chat.postEphemeral", hi(General), "invalid_arguments"},
		{"ephemeral to a stranger", "chat.postEphemeral", with(hi(General), "user", "U0NOBODY1"), "user_not_found"},
		{"ephemeral to someone elsewhere", "chat.postEphemeral", with(hi(General), "user", External), "user_not_in_channel"},
		{"update of nothing", "chat.update", with(hi(General), "ts", "1.000001"), "message_not_found"},
		{"update without ts", "chat.update", hi(General), "invalid_arguments"},
		{"update of a person's words", "chat.update", with(hi(Patching), "ts", persons), "cant_update_message"},
		{"delete of a person's words", "chat.delete", with(hi(Patching), "ts", persons), "cant_delete_message"},
		{"link to nothing", "chat.getPermalink", url.Values{"channel": {General}, "message_ts": {"1.000001"}}, "message_not_found"},
		{"history without the bot", "conversations.history", url.Values{"channel": {"C0WITHOUT"}}, "not_in_channel"},
		{"bad cursor", "conversations.history", url.Values{"channel": {General}, "cursor": {"x"}}, "invalid_cursor"},
		{"negative cursor", "conversations.history", url.Values{"channel": {General}, "cursor": {"b2Zmc2V0Oi0x"}}, "invalid_cursor"},
		{"replies to nothing", "conversations.replies", url.Values{"channel": {General}, "ts": {"1.000001"}}, "thread_not_found"},
		{"unknown user", "users.info", url.Values{"user": {"U0NOBODY1"}}, "user_not_found"},
		{"unknown group", "usergroups.users.list", url.Values{"usergroup": {"S0"}}, "no_such_subteam"},
		{"unknown bot", "bots.info", url.Values{"bot": {"B0"}}, "bot_not_found"},
		{"conversation with nobody", "conversations.open", nil, "users_list_not_supplied"},
		{"conversation with a stranger", "conversations.open", url.Values{"users": {"U0NOBODY1"}}, "user_not_found"},
		{"join of a private channel", "conversations.join", url.Values{"channel": {AliceDM}}, "method_not_supported_for_channel_type"},
		{"modal without view", "views.open", url.Values{"trigger_id": {"x"}}, "invalid_arguments"},
		{"modal without trigger", "views.open", url.Values{"view": {modalJSON}}, "invalid_arguments"},
		{"modal with a made-up trigger", "views.open", url.Values{"view": {modalJSON}, "trigger_id": {"1.2.3"}}, "invalid_trigger_id"},
		{"modal that is a Home tab", "views.open", url.Values{"view": {homeJSON}, "trigger_id": {"1.2.3"}}, "invalid_arguments"},
		{"Home tab of nobody", "views.publish", url.Values{"view": {homeJSON}, "user_id": {"U0NOBODY1"}}, "user_not_found"},
		{"Home tab that is a modal", "views.publish", url.Values{"view": {modalJSON}, "user_id": {Alice}}, "invalid_arguments"},
		{"update of no view", "views.update", url.Values{"view": {modalJSON}, "view_id": {"V0"}}, "not_found"},
		{"upload without name", "files.getUploadURLExternal", url.Values{"length": {"1"}}, "invalid_arguments"},
		{"upload of nothing", "files.getUploadURLExternal", url.Values{"filename": {"a"}, "length": {"0"}}, "invalid_arguments"},
		{"upload too large", "files.getUploadURLExternal", url.Values{"filename": {"a"}, "length": {"999999999"}}, "file_upload_size_restricted"},
		{"unknown upload", "files.completeUploadExternal", url.Values{"files": {`[{"id":"F0"}]`}}, "file_not_found"},
		{"validation of nothing", "blocks.validate", nil, "invalid_arguments"},
		{"validation of two things", "blocks.validate", url.Values{"blocks": {oneTable}, "view": {modalJSON}}, "invalid_arguments"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			answer := form(t, w, tc.method, w.BotToken(), tc.args)
			if answer["ok"] != false || answer["error"] != tc.want {
				t.Errorf("answer = %v, want the error %q", answer, tc.want)
			}
		})
	}
	traced(t, w, trace.Error, "chat.postMassage")
}

const (
	oneTable  = `[{"type":"table","rows":[[{"type":"raw_text","text":"a"}]]}]`
	twoTables = `[{"type":"table","rows":[[{"type":"raw_text","text":"a"}]]},{"type":"table","rows":[[{"type":"raw_text","text":"a"}]]}]`
	modalJSON = `{"type":"modal","title":{"type":"plain_text","text":"Ask"},"submit":{"type":"plain_text","text":"Go"},"notify_on_close":true,"blocks":[
		{"type":"input","block_id":"in","label":{"type":"plain_text","text":"Id"},"element":{"type":"external_select","action_id":"pick","min_query_length":1}},
		{"type":"actions","block_id":"act","elements":[{"type":"button","action_id":"more","value":"7","text":{"type":"plain_text","text":"More"}}]}]}`
	homeJSON = `{"type":"home","blocks":[{"type":"actions","elements":[{"type":"button","action_id":"hi","text":{"type":"plain_text","text":"Hi"}}]}]}`
)
