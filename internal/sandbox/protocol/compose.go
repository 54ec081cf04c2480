package protocol

import (
	"regexp"
	"strings"
)

var (
	// written are the parts of a typed text that Slack's clients send as more than letters: mentions and links that are written
	// out already, and addresses. The end of a sentence is no part of an address.
	written = regexp.MustCompile(`<[@#!][^<>\s]*(?:\|[^<>]*)?>|<https?://[^<>\s]+>|https?://[^<>\s]*[^<>\s.,;:!?)'"]`)
	escaped = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
)

// Compose turns what a person types into the text of a message and the rich text that Slack sends beside it: control characters
// are escaped, and addresses become links. See https://docs.slack.dev/messaging/formatting-message-text#escaping.
func Compose(typed string) (text string, blocks []any) {
	var out strings.Builder
	var parts []any
	word := func(s string) {
		if s != "" {
			out.WriteString(escaped.Replace(s))
			parts = append(parts, map[string]any{"type": "text", "text": s})
		}
	}
	from := 0
	for _, at := range written.FindAllStringIndex(typed, -1) {
		word(typed[from:at[0]])
		one := typed[at[0]:at[1]]
		from = at[1]
		inner := strings.Trim(one, "<>")
		switch {
		case strings.HasPrefix(one, "<@"):
			id, _, _ := strings.Cut(inner[1:], "|")
			parts = append(parts, map[string]any{"type": "user", "user_id": id})
			out.WriteString(one)
		case strings.HasPrefix(one, "<#"):
			id, _, _ := strings.Cut(inner[1:], "|")
			parts = append(parts, map[string]any{"type": "channel", "channel_id": id})
			out.WriteString(one)
		case strings.HasPrefix(one, "<!"):
			parts = append(parts, map[string]any{"type": "broadcast", "range": inner[1:]})
			out.WriteString(one)
		default:
			parts = append(parts, map[string]any{"type": "link", "url": inner})
			out.WriteString("<" + escaped.Replace(inner) + ">")
		}
	}
	word(typed[from:])
	return out.String(), []any{map[string]any{"type": "rich_text", "block_id": RandomHex(3), "elements": []any{map[string]any{"type": "rich_text_section", "elements": parts}}}}
}
