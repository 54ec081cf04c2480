package apitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// reply is an answer before it is written, so that a fault can still change it.
type reply struct {
	status     int
	retryAfter time.Duration
	header     http.Header // may be nil
	body       any         // a page, an entity or an errorBody
	raw        []byte      // takes the place of body
	mediaType  string      // default application/json
}

// page is a list as Defender sends it.
type page struct {
	Context  string `json:"@odata.context"`
	Value    any    `json:"value"`
	NextLink string `json:"@odata.nextLink,omitempty"`
}

// encodedRows are rows of JSON that are ready to be sent.
type encodedRows [][]byte

// withRows is the page of rows that are encoded already. Going through
// encoding/json once more would cost as much as encoding them.
func (p page) withRows(rows encodedRows) []byte {
	size := len(p.Context) + len(p.NextLink) + 100
	for _, r := range rows {
		size += len(r) + 1
	}
	var b bytes.Buffer
	b.Grow(size)
	b.WriteString(`{"@odata.context":`)
	b.Write(encode(p.Context))
	b.WriteString(`,"value":[`)
	for i, r := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(r)
	}
	b.WriteByte(']')
	if p.NextLink != "" {
		b.WriteString(`,"@odata.nextLink":`)
		b.Write(encode(p.NextLink))
	}
	b.WriteByte('}')
	return b.Bytes()
}

// entity is a single object, whose fields stand beside its context.
type entity struct {
	context string
	value   any
}

// MarshalJSON puts the context before the object's own fields.
func (e entity) MarshalJSON() ([]byte, error) {
	return bytes.Join([][]byte{[]byte(`{"@odata.context":`), encode(e.context), []byte(","), encode(e.value)[1:]}, nil), nil
}

// errorBody is Defender's error.
// See https://learn.microsoft.com/defender-endpoint/api/common-errors.
type errorBody struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Target  string `json:"target,omitempty"`
	} `json:"error"`
}

func failure(status int, code, message string) reply {
	var b errorBody
	b.Error.Code, b.Error.Message = code, message
	return reply{status: status, body: b}
}

func ok(body any) reply { return reply{status: http.StatusOK, body: body} }

// bytes is the body as it is sent.
func (r reply) bytes() []byte {
	if r.raw != nil {
		return r.raw
	}
	if p, isPage := r.body.(page); isPage {
		if rows, encoded := p.Value.(encodedRows); encoded {
			return p.withRows(rows)
		}
	}
	return encode(r.body)
}

// encode writes JSON; markup in it is left as it is.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		// Only a KB's OSBuild can be something that JSON does not know.
		panic(fmt.Sprintf("apitest: %v", err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// writeTo sends the reply. A cut above 0 breaks the connection off after so
// many bytes of the body.
func (r reply) writeTo(w http.ResponseWriter, body []byte, cut int) {
	h := w.Header()
	maps.Copy(h, r.header)
	h.Set("Content-Type", "application/json; odata.metadata=minimal; odata.streaming=true")
	if r.mediaType != "" {
		h.Set("Content-Type", r.mediaType)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	setRetryAfter(h, r.retryAfter)
	w.WriteHeader(r.status)
	if cut <= 0 || cut >= len(body) {
		_, _ = w.Write(body) // the client may be gone
		return
	}
	_, _ = w.Write(body[:cut])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler) // net/http's own way to break off a response
}

// setRetryAfter names the wait in whole seconds, as Defender does. A part of
// a second is named in milliseconds as well, in the header that Azure's
// services use for it, so that tests need not wait for a whole one.
func setRetryAfter(h http.Header, wait time.Duration) {
	if wait <= 0 {
		return
	}
	h.Set("Retry-After", strconv.Itoa(wholeSeconds(wait)))
	if wait%time.Second != 0 {
		h.Set("Retry-After-Ms", strconv.FormatInt(max(1, wait.Milliseconds()), 10))
	}
}

func wholeSeconds(d time.Duration) int {
	return int((d + time.Second - 1) / time.Second)
}
