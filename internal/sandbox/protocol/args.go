package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// MaxBody bounds every request body but a file's.
const MaxBody = 4 << 20

// Args are the arguments of a Web API call, sent as query, form, multipart form or
// JSON. Values other than strings are kept as JSON text, as in a form.
type Args map[string]string

// ErrBadJSON is returned for a JSON body that is no object.
var ErrBadJSON = errors.New("json_not_object")

// ReadArgs reads the arguments of a call.
func ReadArgs(rw http.ResponseWriter, r *http.Request) (Args, error) {
	r.Body = http.MaxBytesReader(rw, r.Body, MaxBody)
	a := Args{}
	for key, values := range r.URL.Query() {
		a[key] = values[0]
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "application/json":
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		return a, a.addJSON(body)
	case "multipart/form-data":
		if err := r.ParseMultipartForm(MaxBody); err != nil {
			return nil, err
		}
	default:
		if err := r.ParseForm(); err != nil {
			return nil, err
		}
	}
	for key, values := range r.PostForm {
		a[key] = values[0]
	}
	return a, nil
}

func (a Args) addJSON(body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return ErrBadJSON
	}
	for key, raw := range fields {
		var text string
		switch {
		case string(raw) == "null":
		case json.Unmarshal(raw, &text) == nil:
			a[key] = text
		default:
			a[key] = string(raw)
		}
	}
	return nil
}

// Raw returns an argument that holds JSON, nil when it is absent.
func (a Args) Raw(key string) json.RawMessage {
	if a[key] == "" {
		return nil
	}
	return json.RawMessage(a[key])
}

// Bool returns an argument that is true or false; absent is false.
func (a Args) Bool(key string) bool {
	on, err := strconv.ParseBool(a[key])
	return err == nil && on
}

// Int returns a number inside bounds, or the default.
func (a Args) Int(key string, standard, most int) int {
	n, err := strconv.Atoi(a[key])
	if err != nil || n < 1 {
		return standard
	}
	return min(n, most)
}

// List returns a comma-separated argument.
func (a Args) List(key string) []string {
	if a[key] == "" {
		return nil
	}
	return strings.Split(strings.ReplaceAll(a[key], " ", ""), ",")
}

// Shown returns the arguments for the trace: JSON as JSON, no token.
func (a Args) Shown() map[string]any {
	out := map[string]any{}
	for key, value := range a {
		if key == "token" {
			continue
		}
		if value != "" && strings.ContainsAny(value[:1], "[{") && json.Valid([]byte(value)) {
			out[key] = json.RawMessage(value)
		} else {
			out[key] = value
		}
	}
	return out
}
