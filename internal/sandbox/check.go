package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/internal/sandbox/blockkit"
	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// BlockError is one thing that Slack would refuse in blocks or a view.
type BlockError = blockkit.Fault

// CheckBlocks returns what Slack would refuse in a list of blocks on a surface:
// message, modal or home. No faults means that Slack takes it.
func CheckBlocks(surface string, blocks json.RawMessage) []BlockError {
	return blockkit.Check(surface, blocks)
}

// CheckView returns what Slack would refuse in a modal or Home tab.
func CheckView(view json.RawMessage) []BlockError {
	return blockkit.CheckView(view)
}

// refuseBlocks returns the Web API's refusal of blocks, nil when they are fine.
func (w *Workspace) refuseBlocks(surface string, blocks json.RawMessage) error {
	return w.refusedFor("invalid_blocks", append(CheckBlocks(surface, blocks), w.faults.RefuseBlocks(surface, blocks)...))
}

// refuseView is the same for a view. Kind is modal or home, or empty for either.
func (w *Workspace) refuseView(raw json.RawMessage, kind string) error {
	faults := CheckView(raw)
	var v struct {
		Type   string          `json:"type"`
		Blocks json.RawMessage `json:"blocks"`
	}
	_ = json.Unmarshal(raw, &v)
	if kind != "" && v.Type != kind && len(faults) == 0 {
		faults = append(faults, BlockError{Pointer: "/type", Message: "must be " + kind})
	}
	faults = append(faults, w.faults.RefuseBlocks(v.Type, v.Blocks)...)
	return w.refusedFor("invalid_arguments", under("/view", faults))
}

func under(prefix string, faults []BlockError) []BlockError {
	out := make([]BlockError, len(faults))
	for i, f := range faults {
		out[i] = BlockError{Pointer: prefix + f.Pointer, Message: f.Message, Code: f.Code}
	}
	return out
}

// refusedFor words faults as the Web API does: the code, and each place with its
// JSON pointer. A fault with a code of its own decides the code.
func (w *Workspace) refusedFor(code string, faults []BlockError) error {
	if len(faults) == 0 {
		return nil
	}
	var plain, labelled []string
	for _, f := range faults {
		if f.Code != "" {
			code = f.Code
		}
		line := fmt.Sprintf("%s [json-pointer:%s]", f.Message, f.Pointer)
		plain, labelled = append(plain, line), append(labelled, "[ERROR] "+line)
	}
	if w.faults.Switches().Refused.Mutely {
		return protocol.Refuse(code)
	}
	return protocol.RefuseWith(code, object{"errors": plain, "response_metadata": object{"messages": labelled}})
}

// checkSuggestion refuses an answer to a block_suggestion that Slack would not show.
func (w *Workspace) checkSuggestion(answer json.RawMessage) string {
	faults := blockkit.CheckSuggestion(answer)
	if len(faults) == 0 {
		return ""
	}
	w.trace.Fail("block_suggestion", "the acknowledgement holds options that Slack refuses", w.refusalDetail(w.refusedFor("invalid_options", faults)))
	return "invalid_options"
}

// blocksValidate is Slack's own checker: https://docs.slack.dev/reference/methods/blocks.validate. Pointers begin in the
// argument: /0/text of a list of blocks, /blocks/0/text of a message or view.
func (w *Workspace) blocksValidate(a protocol.Args) (object, error) {
	given := slices.DeleteFunc([]string{"blocks", "message", "view"}, func(name string) bool { return a[name] == "" })
	if len(given) != 1 {
		return nil, protocol.RefuseWith("invalid_arguments", object{"response_metadata": object{
			"messages": []string{"must provide exactly one of `blocks`, `view`, or `message`"},
		}})
	}
	faults := w.checkArgument(given[0], a.Raw(given[0]))
	if len(faults) == 0 {
		return object{}, nil
	}
	listed := make([]object, len(faults))
	for i, f := range faults {
		pointer := f.Pointer
		if given[0] == "blocks" {
			pointer = strings.TrimPrefix(pointer, "/blocks")
		}
		listed[i] = object{"code": "failed_constraint", "message": f.Message, "pointer": pointer}
	}
	return nil, protocol.RefuseWith("invalid_"+given[0], object{"errors": listed})
}

// checkArgument checks one of the arguments of blocks.validate.
func (w *Workspace) checkArgument(name string, value json.RawMessage) []BlockError {
	if name == "blocks" {
		return append(CheckBlocks("message", value), w.faults.RefuseBlocks("message", value)...)
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(value, &fields) != nil {
		return []BlockError{{Message: "must provide an object"}}
	}
	if name == "view" {
		var surface string
		_ = json.Unmarshal(fields["type"], &surface)
		return append(CheckView(value), w.faults.RefuseBlocks(surface, fields["blocks"])...)
	}
	var faults []BlockError
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		// Neither text nor channel belongs there: https://github.com/slackapi/java-slack-sdk/pull/1622
		if field != "blocks" && field != "attachments" {
			faults = append(faults, BlockError{Pointer: "/" + field, Message: "invalid additional property: " + field})
		}
	}
	if blocks := fields["blocks"]; blocks != nil {
		faults = append(faults, CheckBlocks("message", blocks)...)
		faults = append(faults, w.faults.RefuseBlocks("message", blocks)...)
	}
	return faults
}
