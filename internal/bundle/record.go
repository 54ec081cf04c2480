package bundle

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Question is the question asked for the bundle.
type Question struct {
	Words   []string
	Failure string // why there is no answer; empty if there is one
	Calls   *Recorder
}

// maxRecorded bounds the kept part of one body, maxCalls the number of kept calls.
const (
	maxRecorded = 1 << 20
	maxCalls    = 50
)

// Recorder is a transport that records the calls to Defender and their answers. It never records headers.
type Recorder struct {
	client *http.Client

	mu    sync.Mutex
	calls []call
	more  int
}

type call struct {
	request *url.URL
	method  string
	status  int
	err     string
	took    time.Duration
	body    *kept
}

// NewRecorder returns a recorder that uses the proxies of the environment, like all other calls.
func NewRecorder() *Recorder {
	return &Recorder{client: &http.Client{
		Transport:     http.DefaultTransport.(*http.Transport).Clone(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Do makes a call and keeps it.
func (r *Recorder) Do(req *http.Request) (*http.Response, error) {
	began := time.Now()
	resp, err := r.client.Do(req)
	c := call{request: req.URL, method: req.Method, took: time.Since(began)}
	if err != nil {
		c.err = err.Error()
	} else {
		c.status, c.body = resp.StatusCode, &kept{}
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(resp.Body, c.body), resp.Body}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.calls) == maxCalls {
		r.more++
	} else {
		r.calls = append(r.calls, c)
	}
	return resp, err
}

// kept is the beginning of a body.
type kept struct {
	mu     sync.Mutex
	buf    bytes.Buffer
	length int // bytes of the body that were read
}

func (k *kept) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.length += len(p)
	k.buf.Write(p[:min(len(p), max(0, maxRecorded-k.buf.Len()))])
	return len(p), nil
}

func (k *kept) bytes() (beginning []byte, length int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return bytes.Clone(k.buf.Bytes()), k.length
}

// recorded is a call as it is written to the archive.
type recorded struct {
	Method string   `json:"method"`
	Path   string   `json:"path"`
	Query  []string `json:"query,omitempty"` // names, and values that are numbers
	Status int      `json:"status,omitempty"`
	Error  string   `json:"error,omitempty"`
	TookMS int64    `json:"took_ms"`
	Body   any      `json:"body,omitempty"`
}

func (q *Question) json(m *Mask) ([]byte, error) {
	out := struct {
		Words   string     `json:"words"`
		Failure string     `json:"failure,omitempty"`
		Calls   []recorded `json:"calls"`
		More    int        `json:"more_calls,omitempty"`
	}{m.words(q.Words), m.Text(q.Failure), []recorded{}, 0}
	q.Calls.mu.Lock()
	defer q.Calls.mu.Unlock()
	out.More = q.Calls.more
	for _, c := range q.Calls.calls {
		r := recorded{Method: c.method, Path: m.path(c.request.Path), Query: m.query(c.request.Query()), Status: c.status, Error: m.Text(c.err), TookMS: c.took.Milliseconds()}
		if c.body != nil {
			r.Body = m.body(c.body)
		}
		out.Calls = append(out.Calls, r)
	}
	return indent(out)
}

// words keeps the command and its options, and masks the subject of the question unless it is public.
func (m *Mask) words(words []string) string {
	masked := make([]string, len(words))
	for i, w := range words {
		option := i == 0 || strings.HasPrefix(w, "--")
		if masked[i] = w; !public.MatchString(w) && (!option || !ours(w)) {
			masked[i] = m.place(w)
		}
	}
	return strings.Join(masked, " ")
}

// path keeps the parts of a path that belong to the API.
func (m *Mask) path(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if p != "" && !camel(p) && !public.MatchString(p) {
			parts[i] = m.place(p)
		}
	}
	return strings.Join(parts, "/")
}

func (m *Mask) query(query url.Values) []string {
	var all []string
	for name, values := range query {
		value := strings.Join(values, ",")
		if !plainNumber.MatchString(value) {
			value = m.place(value)
		}
		all = append(all, m.key(strings.TrimPrefix(name, "$"))+"="+value)
	}
	return all
}
