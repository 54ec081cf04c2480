package sandbox

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

// maxBody bounds every request body but a file's.
const maxBody = 4 << 20

// args are the arguments of a Web API call, whichever way they came: query, form,
// multipart form or JSON. Values that are no strings are kept as JSON text, the
// way a form carries them.
type args map[string]string

var errBadJSON = errors.New("json_not_object")

// readArgs reads the arguments of a call.
func readArgs(rw http.ResponseWriter, r *http.Request) (args, error) {
	r.Body = http.MaxBytesReader(rw, r.Body, maxBody)
	a := args{}
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
		if err := r.ParseMultipartForm(maxBody); err != nil {
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

func (a args) addJSON(body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return errBadJSON
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

// raw returns an argument that holds JSON, nil when it is absent.
func (a args) raw(key string) json.RawMessage {
	if a[key] == "" {
		return nil
	}
	return json.RawMessage(a[key])
}

func (a args) bool(key string) bool {
	on, err := strconv.ParseBool(a[key])
	return err == nil && on
}

// int returns a number inside bounds, or the default.
func (a args) int(key string, standard, most int) int {
	n, err := strconv.Atoi(a[key])
	if err != nil || n < 1 {
		return standard
	}
	return min(n, most)
}

// list returns a comma-separated argument.
func (a args) list(key string) []string {
	if a[key] == "" {
		return nil
	}
	return strings.Split(strings.ReplaceAll(a[key], " ", ""), ",")
}

// shown returns the arguments for the trace: JSON as JSON, no token.
func (a args) shown() map[string]any {
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
