package sandbox

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

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
