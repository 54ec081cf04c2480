package spoken

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

const (
	// maxTexts bounds the text of a message, in bytes. Slack cuts texts at 40,000 characters; blocks and attachments
	// add to that.
	maxTexts = 100 << 10
	// maxDepth bounds the nesting of blocks. Slack allows a few levels.
	maxDepth = 32
)

// worded lists the fields of messages, blocks and attachments that contain visible words or addresses.
var worded = []string{
	"text", "title", "title_link", "pretext", "fallback", "footer", "author_name", "value", "url", "from_url", "original_url", "alt_text", "name",
	"caption", "description", "label", "subtitle", "body", "subtext",
}

// Texts returns everything that a message shows: its text, and the words and addresses in blocks, attachments, link
// previews and file names, one per line. It joins parts of a line that only differ in style. It returns "" for anything
// but JSON.
func Texts(message json.RawMessage) string {
	var m any
	if json.Unmarshal(message, &m) != nil {
		return ""
	}
	var out strings.Builder
	collect(&out, m, 0)
	return out.String()
}

func collect(out *strings.Builder, value any, depth int) {
	if depth > maxDepth || out.Len() > maxTexts {
		return
	}
	switch v := value.(type) {
	case []any:
		for _, one := range v {
			collect(out, one, depth+1)
		}
	case map[string]any:
		if parts, ok := v["elements"].([]any); ok && isRich(v["type"]) {
			line(out, joined(parts))
		}
		for _, key := range worded {
			if s, ok := v[key].(string); ok {
				line(out, s)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if _, isText := v[key].(string); !isText && !slices.Contains(skipped, key) {
				collect(out, v[key], depth+1)
			}
		}
	}
}

// skipped lists the parts of a message that people do not see.
var skipped = []string{"bot_profile", "metadata", "reactions", "edited", "icons", "user_profile"}

// isRich reports whether an element of rich text is a line of styled parts.
func isRich(kind any) bool {
	return kind == "rich_text_section" || kind == "rich_text_preformatted" || kind == "rich_text_quote"
}

// joined returns the text of the styled parts of a line.
func joined(parts []any) string {
	var s strings.Builder
	for _, p := range parts {
		if one, ok := p.(map[string]any); ok {
			text, _ := one["text"].(string)
			s.WriteString(text)
		}
	}
	return s.String()
}

func line(out *strings.Builder, s string) {
	if s == "" {
		return
	}
	out.WriteString(s[:min(len(s), max(0, maxTexts-out.Len()))])
	out.WriteByte('\n')
}
