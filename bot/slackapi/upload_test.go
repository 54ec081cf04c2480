package slackapi

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
)

// uploading is a transport that notes uploads, and may fail them.
type uploading struct {
	fail    func(n int32) (*http.Response, error)
	uploads atomic.Int32
	token   atomic.Bool // one carried a token
}

func (u *uploading) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(r.URL.Path, "/upload/") {
		return http.DefaultTransport.RoundTrip(r)
	}
	n := u.uploads.Add(1)
	if strings.Contains(r.URL.String()+strings.Join(r.Header["Authorization"], ""), "xox") {
		u.token.Store(true)
	}
	if u.fail != nil {
		if resp, err := u.fail(n); resp != nil || err != nil {
			return resp, err
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}

// dial is the failure to reach a host.
func dial() error { return &net.OpError{Op: "dial", Err: errors.New("connection refused")} }

func status(code int) func(int32) (*http.Response, error) {
	return func(int32) (*http.Response, error) {
		return &http.Response{StatusCode: code, Status: "hunter2", Body: http.NoBody}, nil
	}
}

func TestSendFile(t *testing.T) {
	t.Parallel()
	without := func(scope string) []string {
		var all []string
		for _, s := range []string{"files:write", "im:write", "chat:write"} {
			if s != scope {
				all = append(all, s)
			}
		}
		return all
	}
	for name, c := range map[string]struct {
		options sandbox.Options
		fault   faults.Fault
		fail    func(n int32) (*http.Response, error)
		uploads int32
		ok      func(error) bool // nil: the file is sent
	}{
		"sent": {uploads: 1},
		"the host is down for a moment": {uploads: 2, fail: func(n int32) (*http.Response, error) {
			if n == 1 {
				return nil, dial()
			}
			return nil, nil //nolint:nilnil // passed on
		}},
		"the answer was lost": {uploads: 2, fail: func(n int32) (*http.Response, error) {
			if n == 1 {
				return nil, errors.New("EOF")
			}
			return nil, nil //nolint:nilnil // passed on
		}},
		"the host is down":       {uploads: 2, fail: func(int32) (*http.Response, error) { return nil, dial() }, ok: isDial},
		"the host fails":         {uploads: 2, fail: status(503), ok: hasStatus(503)},
		"the host refuses":       {uploads: 1, fail: status(413), ok: hasStatus(413)},
		"the host sends us on":   {uploads: 1, fail: status(302), ok: hasStatus(302)},
		"no files:write":         {options: sandbox.Options{Scopes: without("files:write")}, ok: hasCode("missing_scope")},
		"no im:write":            {options: sandbox.Options{Scopes: without("im:write")}, ok: hasCode("missing_scope")},
		"sharing broke":          {uploads: 1, fault: faults.Fault{Call: "files.completeUploadExternal", Times: 9, Cut: true, Acts: true}, ok: func(err error) bool { return errors.Is(err, ErrDeliveryUnknown) }},
		"sharing fails for good": {uploads: 1, fault: faults.Fault{Call: "files.completeUploadExternal", Times: 9, Status: 503}, ok: hasStatus(503)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.options.Command = "/x"
			w, err := sandbox.Start(c.options)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = w.Close() })
			if c.fault.Call != "" {
				w.Inject(c.fault)
			}
			through := &uploading{fail: c.fail}
			client := Config{Tokens: NewTokens("", w.BotToken()), APIURL: w.APIURL(), HTTP: &http.Client{Transport: through, Timeout: Timeout}}.Client()
			err = client.SendFile(t.Context(), sandbox.Alice, File{Name: "a.csv", Title: "A", Body: []byte("kb\n1\n")})
			if c.ok == nil && err != nil || c.ok != nil && (err == nil || !c.ok(err)) {
				t.Errorf("error = %v", err)
			}
			if n := through.uploads.Load(); n != c.uploads || through.token.Load() {
				t.Errorf("%d uploads, want %d; with a token: %v", n, c.uploads, through.token.Load())
			}
			for _, secret := range append(w.Secrets(), "hunter2", "/upload/") {
				if err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("%q holds %.6s…", err, secret)
				}
			}
			if c.ok != nil {
				return
			}
			for _, m := range w.Messages(sandbox.AliceDM, sandbox.Alice) {
				for _, f := range m.Files {
					if name, body, _ := w.File(f.ID); name == "a.csv" && string(body) == "kb\n1\n" {
						return
					}
				}
			}
			t.Error("Alice has no such file")
		})
	}
}

func hasStatus(code int) func(error) bool {
	return func(err error) bool {
		s, ok := errors.AsType[slack.StatusCodeError](err)
		return ok && s.Code == code
	}
}

func hasCode(code string) func(error) bool { return func(err error) bool { return HasCode(err, code) } }

// Files go to Slack's hosts alone, whatever address a call is answered with.
func TestUploadHosts(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"https://files.slack.com/upload/v1/x":     true,
		"https://files.slack-gov.com/upload/v1/x": true,
		"http://files.slack.com/upload/v1/x":      false,
		"https://slack.com.evil.example/x":        false,
		"https://evilslack.com/x":                 false,
		"https://files.slack.com@evil.example/x":  false,
		"http://127.0.0.1:1/x":                    false,
		"http://127.0.0.1:2/x":                    true,
		"":                                        false,
	} {
		client := Config{Tokens: NewTokens("", ""), APIURL: "http://127.0.0.1:2/api/", HTTP: &http.Client{Transport: refusing{}}}.Client()
		if got := !errors.Is(client.upload(t.Context(), address, []byte("x")), errUploadURL); got != want {
			t.Errorf("%q: %v, want %v", address, got, want)
		}
	}
}

// refusing is a transport that reaches nothing.
type refusing struct{}

func (refusing) RoundTrip(*http.Request) (*http.Response, error) { return nil, dial() }
