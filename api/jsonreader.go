package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// jsonReader reads JSON once, from left to right, as strictly as encoding/json
// and several times as fast, because it is told what to expect. It handles only
// the common case of everything itself; whatever is rare (escapes, fractions,
// nested values that are not used) is cut out and given to encoding/json.
//
// After the first error it is at the end of its input and returns zero values, so
// errors need to be looked at only once, at the end.
type jsonReader struct {
	data []byte
	at   int
	err  error
}

func (r *jsonReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.at = len(r.data)
}

// failHere reports input that is no JSON at all.
func (r *jsonReader) failHere() {
	if r.at >= len(r.data) {
		r.fail(errors.New("the JSON ends in the middle"))
		return
	}
	r.fail(fmt.Errorf("invalid JSON at byte %d", r.at))
}

// peek skips white space and returns the byte after it, 0 at the end.
func (r *jsonReader) peek() byte {
	for ; r.at < len(r.data); r.at++ {
		switch c := r.data[r.at]; c {
		case ' ', '\n', '\r', '\t':
		default:
			return c
		}
	}
	return 0
}

// take skips one expected byte.
func (r *jsonReader) take(c byte) {
	if r.peek() != c {
		r.failHere()
		return
	}
	r.at++
}

// end checks that nothing is left.
func (r *jsonReader) end() {
	if r.peek() != 0 || r.at < len(r.data) {
		r.failHere()
	}
}

// object calls member for every key, as raw text in quotes, of the object that
// comes next. member must read or skip the value.
func (r *jsonReader) object(member func(key []byte)) {
	r.items('{', '}', func() {
		if r.peek() != '"' {
			r.failHere()
			return
		}
		key := r.quoted()
		if r.take(':'); r.err == nil {
			member(key)
		}
	})
}

// list calls element for every element of the list that comes next. element must
// read or skip it.
func (r *jsonReader) list(element func()) { r.items('[', ']', element) }

func (r *jsonReader) items(first, last byte, item func()) {
	r.take(first)
	if r.peek() == last {
		r.at++
		return
	}
	for r.err == nil {
		item()
		if r.peek() != ',' {
			r.take(last)
			return
		}
		r.at++
	}
}

// raw returns the value that comes next as it is written.
func (r *jsonReader) raw() []byte {
	switch r.peek() {
	case '"':
		return r.quoted()
	case '{', '[':
		return r.nested()
	}
	return r.scalar()
}

// quoted returns the string that comes next with its quotes.
func (r *jsonReader) quoted() []byte {
	start, escapes := r.at, false
	for i := start + 1; i < len(r.data); i++ {
		switch c := r.data[i]; {
		case c == '"':
			r.at = i + 1
			return r.checked(start, !escapes)
		case c == '\\':
			escapes = true
			i++
		case c < ' ':
			r.at = i
			r.failHere()
			return nil
		}
	}
	r.at = len(r.data)
	r.failHere()
	return nil
}

// nested returns the object or list that comes next. It counts brackets instead
// of calling itself, so that no depth can exhaust the stack.
func (r *jsonReader) nested() []byte {
	start, depth := r.at, 0
	for r.at < len(r.data) {
		switch r.data[r.at] {
		case '"':
			r.quoted()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		r.at++
		if depth == 0 {
			return r.checked(start, false)
		}
	}
	r.failHere()
	return nil
}

// scalar returns the number, true, false or null that comes next.
func (r *jsonReader) scalar() []byte {
	start, digits := r.at, true
	for r.at < len(r.data) && inScalar(r.data[r.at]) {
		digits = digits && isDigit(r.data[r.at])
		r.at++
	}
	known := digits && r.at > start && (r.data[start] != '0' || r.at == start+1)
	return r.checked(start, known)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func inScalar(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '+' || c == '-' || c == '.'
}

// checked returns what was passed since start if it is valid, which may be known.
func (r *jsonReader) checked(start int, known bool) []byte {
	raw := r.data[start:r.at]
	if !known && !json.Valid(raw) {
		r.at = start
		r.failHere()
		return nil
	}
	return raw
}

// unquote returns the text of a raw string.
func unquote(raw []byte) string {
	plain := raw[1 : len(raw)-1]
	for _, c := range plain {
		if c == '\\' || c >= utf8.RuneSelf {
			return unquoteSlow(raw)
		}
	}
	return string(plain)
}

// unquoteSlow also puts right what is no UTF-8.
func unquoteSlow(raw []byte) (s string) {
	_ = json.Unmarshal(raw, &s) // it is valid
	return s
}

func isNull(raw []byte) bool   { return raw[0] == 'n' }
func isString(raw []byte) bool { return raw[0] == '"' }
