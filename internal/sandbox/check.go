package sandbox

import (
	"encoding/json"
	"fmt"

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
