package sandbox

import (
	"bytes"
	"encoding/json"
)

// encode writes JSON as Slack does: < > & are not escaped. A value that JSON cannot
// hold becomes null; the sandbox encodes only its own values, so it has none.
func encode(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return json.RawMessage("null")
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// text returns v if it is a string, else "".
func text(v any) string {
	s, _ := v.(string)
	return s
}
