package bundle

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// LogLines is how many lines of a log are packed.
const LogLines = 500

// log masks the last lines of a log in either format. Of a JSON line, member names and the time are kept.
func (m *Mask) log(raw []byte) []byte {
	lines := bytes.Split(bytes.TrimRight(raw, "\n"), []byte("\n"))
	lines = lines[max(0, len(lines)-LogLines):]
	var b bytes.Buffer
	for _, line := range lines {
		b.WriteString(m.line(line))
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func (m *Mask) line(line []byte) string {
	var members map[string]any
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	if err := dec.Decode(&members); err != nil {
		return m.Text(strings.ToValidUTF8(string(line), "?"))
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m.members(members)); err != nil {
		return m.place(string(line))
	}
	return strings.TrimSpace(b.String())
}

// members masks an object of the log, whose texts are sentences.
func (m *Mask) members(v any) any {
	switch v := v.(type) {
	case map[string]any:
		masked := map[string]any{}
		for key, member := range v {
			masked[m.key(key)] = m.members(member)
		}
		return masked
	case []any:
		masked := []any{}
		for _, one := range v {
			masked = append(masked, m.members(one))
		}
		return masked
	case string:
		return m.Text(v)
	case json.Number:
		if len(v) > 2 {
			return rounded(v.String())
		}
	}
	return v
}

// labels matches the value of a label in Prometheus' text format.
var labels = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// metrics masks the values of labels. Names and values are the program's own; other lines are left out.
func (m *Mask) metrics(raw []byte) []byte {
	var b bytes.Buffer
	for line := range bytes.Lines(raw) {
		if !sample.Match(line) {
			continue
		}
		b.Write(labels.ReplaceAllFunc(line, func(quoted []byte) []byte {
			return []byte(`"` + strings.NewReplacer(`"`, "", "\n", "").Replace(m.Text(string(quoted[1:len(quoted)-1]))) + `"`)
		}))
	}
	return b.Bytes()
}

// sample matches a metric of this program or its runtime.
var sample = regexp.MustCompile(`^(?:missingkbs|go|process|promhttp)_[a-z0-9_]+(?:\{[^\n]*\})? [-+0-9.eE]+(?:Inf|NaN)?\n?$`)
