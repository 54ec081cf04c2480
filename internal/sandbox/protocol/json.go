// Package protocol has the forms of Slack's protocol that all parts of the sandbox share: identifiers and timestamps, JSON,
// the arguments of a Web API call, refusals, and the elements inside blocks. It keeps no state and knows no workspace.
package protocol

import (
	"bytes"
	"encoding/json"
)

// Encode writes JSON as Slack does: < > & are not escaped. A value that JSON cannot
// hold becomes null; the sandbox encodes only its own values, so it has none.
func Encode(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return json.RawMessage("null")
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// Text returns v if it is a string, else "".
func Text(v any) string {
	s, _ := v.(string)
	return s
}
