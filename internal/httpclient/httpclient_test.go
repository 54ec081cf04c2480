package httpclient_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/missingkbs/missingkbs/internal/httpclient"
)

var errTooLarge = errors.New("too large")

func TestLimitBody(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	for name, test := range map[string]struct {
		body io.Reader
		want error
	}{
		"empty":                      {strings.NewReader(""), nil},
		"shorter":                    {strings.NewReader("1234"), nil},
		"exactly the limit":          {strings.NewReader("12345"), nil},
		"one byte more":              {strings.NewReader("123456"), errTooLarge},
		"much more, in small pieces": {iotest.OneByteReader(strings.NewReader(strings.Repeat("1", 99))), errTooLarge},
		"broken before the limit":    {io.MultiReader(strings.NewReader("123"), iotest.ErrReader(broken)), broken},
		"broken at the limit":        {io.MultiReader(strings.NewReader("12345"), iotest.ErrReader(broken)), broken},
		"broken after the limit":     {io.MultiReader(strings.NewReader("123456"), iotest.ErrReader(broken)), errTooLarge},
	} {
		body := &closed{Reader: test.body}
		limited := httpclient.LimitBody(body, 5, errTooLarge)
		read, err := io.ReadAll(limited)
		if !errors.Is(err, test.want) || len(read) > 5 {
			t.Errorf("%s: read %d bytes, %v; want %v", name, len(read), err, test.want)
		}
		if err := limited.Close(); err != nil || !body.closed {
			t.Errorf("%s: the body was not closed: %v", name, err)
		}
	}
}

type closed struct {
	io.Reader
	closed bool
}

func (c *closed) Close() error { c.closed = true; return nil }

func TestNoRedirects(t *testing.T) {
	t.Parallel()
	var visited []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		visited = append(visited, r.URL.Path)
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	given := server.Client()
	resp, err := httpclient.PostForm(t.Context(), httpclient.NoRedirects(given), server.URL+"/first", "", url.Values{})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusTemporaryRedirect || len(visited) != 1 {
		t.Errorf("status %d, visited %q", resp.StatusCode, visited)
	}
	if given.CheckRedirect != nil {
		t.Error("the client that was given was changed")
	}
}

func TestPostForm(t *testing.T) {
	t.Parallel()
	var got *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		got = r
	}))
	for bearer, want := range map[string]string{"": "", "xoxb-1": "Bearer xoxb-1"} {
		resp, err := httpclient.PostForm(t.Context(), server.Client(), server.URL, bearer, url.Values{"a b": {"c&d"}})
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got.PostForm.Get("a b") != "c&d" || got.Header.Get("Authorization") != want {
			t.Errorf("posted %v with %q, want %q", got.PostForm, got.Header.Get("Authorization"), want)
		}
	}
	server.Close()
	for _, address := range []string{server.URL + "/secret", "http://secret\x7f/"} {
		resp, err := httpclient.PostForm(t.Context(), server.Client(), address, "", nil)
		if err == nil {
			_ = resp.Body.Close()
		}
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("error %v, want one without the address", err)
		}
	}
}

func TestWithoutURL(t *testing.T) {
	t.Parallel()
	cause := errors.New("refused")
	for _, err := range []error{cause, &url.Error{Op: "Get", URL: "https://secret", Err: cause}} {
		if got := httpclient.WithoutURL(err); !errors.Is(got, cause) || strings.Contains(got.Error(), "secret") {
			t.Errorf("%v became %v", err, got)
		}
	}
	if httpclient.WithoutURL(nil) != nil {
		t.Error("no error became one")
	}
}
