package protocol

import (
	"encoding/json"
	"maps"
	"slices"
)

// WithIDs gives every block without block_id and every interactive element without
// action_id a made-up one, as Slack does.
func WithIDs(blocks json.RawMessage) json.RawMessage {
	var list []any
	if json.Unmarshal(blocks, &list) != nil {
		return blocks
	}
	for _, block := range list {
		fillIDs(block, true)
	}
	return Encode(list)
}

// fillIDs fills one value. If block is true, v stands where a block does.
func fillIDs(v any, block bool) {
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			fillIDs(one, block)
		}
	case map[string]any:
		if block && Text(v["block_id"]) == "" {
			v["block_id"] = RandomHex(3)
		}
		if !block && interactive(Text(v["type"])) && Text(v["action_id"]) == "" {
			v["action_id"] = RandomHex(3)
		}
		for key, inner := range v {
			switch key {
			case "element", "accessory", "elements", "actions":
				fillIDs(inner, key == "elements" && v["type"] == "carousel")
			case "child_blocks", "block":
				fillIDs(inner, true)
			case "rows", "items":
				fillIDs(inner, false)
			}
		}
	}
}

// interactive returns true if an element of that type sends an interaction.
func interactive(kind string) bool {
	return slices.Contains([]string{
		"button", "checkboxes", "channels_select", "conversations_select", "datepicker", "datetimepicker",
		"email_text_input", "external_select", "feedback_buttons", "file_input", "icon_button",
		"multi_channels_select", "multi_conversations_select", "multi_external_select", "multi_static_select",
		"multi_users_select", "number_input", "overflow", "plain_text_input", "radio_buttons", "rich_text_input",
		"static_select", "timepicker", "url_text_input", "users_select", "workflow_button",
	}, kind)
}

// FindElement looks for an interactive element in blocks of any depth. An empty
// block id fits all blocks.
func FindElement(blocks json.RawMessage, blockID, actionID string) (element map[string]any, block string, ok bool) {
	var tree any
	if json.Unmarshal(blocks, &tree) != nil {
		return nil, "", false
	}
	s := search{block: blockID, action: actionID}
	s.walk(tree, "")
	return s.element, s.inside, s.element != nil
}

type search struct {
	block, action string
	element       map[string]any
	inside        string
}

func (s *search) walk(v any, inside string) {
	if s.element != nil {
		return
	}
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			s.walk(one, inside)
		}
	case map[string]any:
		if id := Text(v["block_id"]); id != "" {
			inside = id
		}
		if Text(v["action_id"]) == s.action && s.action != "" && (s.block == "" || s.block == inside) {
			s.element, s.inside = v, inside
			return
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if key != "fallback" { // drawn only by clients that lack the block around it
				s.walk(v[key], inside)
			}
		}
	}
}
