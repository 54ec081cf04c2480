// Package inputs knows what Slack's own clients do with the inputs of a modal: they fill in the current conversation, and
// submit nothing while an input is empty that must not be, or holds what its element does not take. It reads the JSON of blocks
// and of state.values; it knows no workspace and sends nothing.
package inputs

import (
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf16"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// Values are the state of a view, by block and action.
type Values map[string]map[string]Value

// Value is what one input holds.
type Value map[string]any

// ReadValues reads the values of a state in any of Go's forms of JSON. What is no state is empty.
func ReadValues(state any) Values {
	var v Values
	_ = json.Unmarshal(protocol.Encode(state), &v)
	return v
}

// input is an input block with its element.
type input struct {
	Type     string         `json:"type"`
	BlockID  string         `json:"block_id"`
	Optional bool           `json:"optional"`
	Element  map[string]any `json:"element"`
}

func inputsOf(blocks json.RawMessage) []input {
	var all []input
	_ = json.Unmarshal(blocks, &all)
	kept := all[:0]
	for _, one := range all {
		if one.Type == "input" {
			kept = append(kept, one)
		}
	}
	return kept
}

// Check returns what a client says at the inputs of a modal instead of submitting it, by block id.
func Check(blocks json.RawMessage, values Values) map[string]string {
	wrong := map[string]string{}
	for _, one := range inputsOf(blocks) {
		value := values[one.BlockID][protocol.Text(one.Element["action_id"])]
		switch empty := value.empty(); {
		case empty && !one.Optional:
			wrong[one.BlockID] = "Please complete all required fields."
		case !empty:
			if words := value.beyond(one.Element); words != "" {
				wrong[one.BlockID] = words
			}
		}
	}
	return wrong
}

// empty reports whether nothing was entered or chosen.
func (v Value) empty() bool {
	for key, held := range v {
		if key == "type" || held == nil || held == "" {
			continue
		}
		if list, ok := held.([]any); ok && len(list) == 0 {
			continue
		}
		return false
	}
	return true
}

// beyond says what an element does not take of a value; "" if it takes it.
func (v Value) beyond(element map[string]any) string {
	text, _ := v["value"].(string)
	length := len(utf16.Encode([]rune(text)))
	if least, ok := element["min_length"].(float64); ok && length < int(least) {
		return fmt.Sprintf("Enter at least %d characters.", int(least))
	}
	if most, ok := element["max_length"].(float64); ok && length > int(most) {
		return fmt.Sprintf("Enter at most %d characters.", int(most))
	}
	if most, ok := element["max_selected_items"].(float64); ok {
		if list, _ := v["selected_options"].([]any); len(list) > int(most) {
			return fmt.Sprintf("Choose at most %d.", int(most))
		}
	}
	if element["type"] == "number_input" {
		return notInRange(text, element)
	}
	return ""
}

func notInRange(text string, element map[string]any) string {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || element["is_decimal_allowed"] != true && n != float64(int64(n)) {
		return "Enter a number."
	}
	if least, err := strconv.ParseFloat(protocol.Text(element["min_value"]), 64); err == nil && n < least {
		return "Enter a number that is not below " + protocol.Text(element["min_value"]) + "."
	}
	if most, err := strconv.ParseFloat(protocol.Text(element["max_value"]), 64); err == nil && n > most {
		return "Enter a number that is not above " + protocol.Text(element["max_value"]) + "."
	}
	return ""
}

// Conversation is a conversation that was chosen in an input with response_url_enabled.
type Conversation struct{ BlockID, ActionID, Channel string }

// Conversations lists what was chosen where the app gets a response URL for it. See
// https://docs.slack.dev/reference/block-kit/block-elements/multi-select-menu-element.
func Conversations(blocks json.RawMessage, values Values) []Conversation {
	var all []Conversation
	for _, one := range inputsOf(blocks) {
		if one.Element["response_url_enabled"] != true {
			continue
		}
		action := protocol.Text(one.Element["action_id"])
		value := values[one.BlockID][action]
		for _, key := range []string{"selected_conversation", "selected_channel"} {
			if channel, _ := value[key].(string); channel != "" {
				all = append(all, Conversation{one.BlockID, action, channel})
			}
		}
	}
	return all
}

// InConversation returns the blocks of a modal that is opened in a conversation: it is chosen where an element asks for the
// current one.
func InConversation(blocks json.RawMessage, channel string) json.RawMessage {
	var all []map[string]any
	if channel == "" || json.Unmarshal(blocks, &all) != nil {
		return blocks
	}
	for _, block := range all {
		element, _ := block["element"].(map[string]any)
		if element["type"] == "conversations_select" && element["default_to_current_conversation"] == true {
			element["initial_conversation"] = channel
		}
	}
	return protocol.Encode(all)
}
