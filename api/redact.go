package api

import (
	"errors"
	"net/url"
	"strings"
)

// idMask replaces the id in a redacted call.
const idMask = "{id}"

// Redacted returns [Error.Error] without what the call was about: no id, and nothing that Defender may repeat of the
// question. Logs use it when they must not record who asked what.
func (e *Error) Redacted() string {
	shown := *e
	shown.Call = redactedCall(e.Call)
	if errors.Is(e, ErrNotFound) || errors.Is(e, ErrBadRequest) { // the question is what these talk about
		shown.Message = ""
	}
	if id := idIn(e.Call); id != "" {
		shown.Message = strings.ReplaceAll(shown.Message, id, idMask)
	}
	return shown.Error()
}

// redactedCall returns a call without the id in its path.
func redactedCall(call string) string {
	before, rest, found := strings.Cut(call, "/api/")
	parts := strings.Split(rest, "/")
	if !found || len(parts) < 2 {
		return call
	}
	parts[1] = idMask
	return before + "/api/" + strings.Join(parts, "/")
}

// idIn is the id in the path of a call, as it was before it was escaped.
func idIn(call string) string {
	_, rest, _ := strings.Cut(call, "/api/")
	parts := strings.Split(rest, "/")
	if len(parts) < 2 {
		return ""
	}
	id, err := url.PathUnescape(parts[1])
	if err != nil {
		return parts[1]
	}
	return id
}
