package apitest

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// request is a call of the API, taken apart.
type request struct {
	*http.Request
	path []string // decoded segments after /api or /api/v1.0
	norm string   // "/api/" and the path, as faults and counts name it
	id   string   // ours; errors carry it as their target
	data *snapshot
	by   caller
}

// base is the address of the API as the client wrote it.
func (r *request) base() string { return "https://" + r.Host }

// parse splits the path while it is still escaped: an id may hold a slash.
func parse(r *http.Request) *request {
	q := &request{Request: r, id: newID()}
	for s := range strings.SplitSeq(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/") {
		if decoded, err := url.PathUnescape(s); err == nil { // net/url has let only good ones through
			s = decoded
		}
		q.path = append(q.path, s)
	}
	q.path = q.path[1:]
	if len(q.path) > 0 && strings.EqualFold(q.path[0], "v1.0") {
		q.path = q.path[1:]
	}
	q.norm = "/api/" + strings.Join(q.path, "/")
	return q
}

// ServeHTTP answers Defender's paths (/api/…) and, for all others, as Entra's
// login host.
func (t *Tenant) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	t.misdate(w.Header())
	if !isDefender(r.URL.Path) {
		t.serveEntra(w, r)
		return
	}
	begin := time.Now()
	q := parse(r)
	f := t.faults.take(q.norm)
	if !f.wait(r.Context()) {
		t.calls.add(Call{Time: begin, Duration: time.Since(begin), Method: r.Method, Path: q.norm, Query: r.URL.RawQuery, RequestID: q.id, Fault: f.name()})
		return
	}
	out := f.reply()
	if !f.decides() {
		out = t.answer(q)
	}
	out = targeted(f.link(out, q), q.id)
	body := out.bytes()
	t.calls.add(Call{
		Time: begin, Duration: time.Since(begin), Method: r.Method, Path: q.norm, Query: r.URL.RawQuery,
		Status: out.status, RequestID: q.id, Fault: f.name(), Body: body,
	})
	out.writeTo(w, body, f.cut())
}

// targeted names the request in an error that does not name another target.
func targeted(r reply, id string) reply {
	if b, ok := r.body.(errorBody); ok && b.Error.Target == "" {
		b.Error.Target = "|" + id
		r.body = b
	}
	return r
}

// answer is what the service says on a good day.
func (t *Tenant) answer(q *request) reply {
	if wait, limit := t.quota.take(time.Now()); wait > 0 {
		return overQuota(wait, limit)
	}
	by, bad := t.app.authenticate(q.Header.Get("Authorization"))
	if bad != nil {
		return *bad
	}
	q.by, q.data = by, t.data.Load()
	return t.route(q)
}

// newID is an id of a request; unlike the data it is never the same twice.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, says crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
