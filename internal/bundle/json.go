package bundle

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// maxRows is how many entries of a list are kept. A decoding fault shows in the first ones.
const maxRows = 20

// body masks a body from Defender: the structure stays, with the API's own member names. Texts only stay inside an
// error, masked by [Mask.Text]. If a body was not kept completely, only its length is given.
func (m *Mask) body(k *kept) any {
	raw, length := k.bytes()
	if length > len(raw) {
		return map[string]any{"too_long": true, "bytes": length}
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return map[string]any{"not_json": true, "bytes": len(raw)}
	}
	return m.value("", v, false)
}

// value masks the value of a member.
func (m *Mask) value(name string, v any, inError bool) any {
	switch v := v.(type) {
	case map[string]any:
		masked := map[string]any{}
		for key, member := range v {
			masked[m.key(key)] = m.value(key, member, inError || key == "error")
		}
		return masked
	case []any:
		masked := []any{}
		for _, one := range v[:min(len(v), maxRows)] {
			masked = append(masked, m.value(name, one, inError))
		}
		if more := len(v) - len(masked); more > 0 {
			masked = append(masked, map[string]any{"more": more})
		}
		return masked
	case json.Number:
		return rounded(v.String())
	case string:
		switch {
		case v == "":
			return v
		case inError && camel(v):
			return v // an error code
		case inError:
			return m.Text(v)
		case timestamp.MatchString(v):
			return dayOf(v)
		case numbered.MatchString(name) && public.MatchString(v):
			return v
		}
		return m.place(v)
	}
	return v
}

// numbered matches the members that hold numbers of updates, CVEs and versions. In others, such as the name of a device, the
// same digits are a tenant's: asset tags and numbers of employees look alike.
var numbered = regexp.MustCompile(`^(?:id|.*[kK]b(?:Id|s)?|cve(?:Id|Addressed)?|.*[vV]ersion|.*Build|.*Supportability)$`)

// timestamp matches the times of Defender, in all forms that it gives them.
var timestamp = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+(?:Z|[+-][0-9:]+)?$`)

// dayOf keeps the day and the form of a time: when a device was seen to the second would tell which one it is.
func dayOf(at string) string {
	day, clock := at[:11], []byte(at[11:])
	for i, c := range clock {
		if '0' <= c && c <= '9' {
			clock[i] = '0'
		}
	}
	return day + string(clock)
}

// key keeps the name of a member that Defender's documents name, or that is made of known words: a map could have names of
// devices for keys.
func (m *Mask) key(key string) string {
	if members()[key] || camel(key) {
		return key
	}
	return m.place(key)
}

var humps = regexp.MustCompile(`[A-Z]?[a-z]+|[A-Z]+`)

// camel reports whether an identifier such as machineMissingUpdates or ResourceNotFound consists of known words.
func camel(s string) bool {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ@._") != "" {
		return false
	}
	if words()[strings.ToLower(s)] {
		return true
	}
	for _, w := range humps.FindAllString(s, -1) {
		if !words()[strings.ToLower(w)] {
			return false
		}
	}
	return s != ""
}

// rounded keeps the sign, the length and the first digit of a number.
func rounded(n string) json.Number {
	var b strings.Builder
	kept := false
	for _, r := range n {
		switch {
		case r == 'e' || r == 'E':
			return json.Number(b.String() + "e1")
		case r < '0' || r > '9', r == '0' && !kept:
			b.WriteRune(r)
		case !kept:
			b.WriteRune(r)
			kept = true
		default:
			b.WriteByte('0')
		}
	}
	return json.Number(b.String())
}
