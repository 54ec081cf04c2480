package advisory

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"
)

// feeds are servers of both feeds, which remember what they were asked.
type feeds struct {
	*httptest.Server
	mu   sync.Mutex
	asks []*http.Request
}

func serveFeeds(tb testing.TB, handler http.HandlerFunc) *feeds {
	tb.Helper()
	f := &feeds{}
	f.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.asks = append(f.asks, r)
		f.mu.Unlock()
		handler(w, r)
	}))
	tb.Cleanup(f.Close)
	return f
}

func (f *feeds) paths() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, r := range f.asks {
		all = append(all, r.URL.Path)
	}
	return all
}

func (f *feeds) fetcher(t *testing.T, kev ...string) *Fetcher {
	t.Helper()
	if len(kev) == 0 {
		kev = []string{f.URL + "/kev.json"}
	}
	got, err := NewFetcher(FetchOptions{MSRC: f.URL + "/cvrf/v3.0/", KEV: kev, Version: "v1", Transport: f.Client(), Retry: policy.RetryOptions{MaxRetries: 1, RetryDelay: time.Millisecond, MaxRetryDelay: time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); fmt.Fprint(w, body) }
}

var now = time.Date(2031, 5, 21, 9, 0, 0, 0, time.UTC)

func TestMonths(t *testing.T) {
	t.Parallel()
	s := serveFeeds(t, answer(200, `{"value":[
		{"ID":"2031-Apr","CurrentReleaseDate":"2031-04-20T00:00:00Z"},{"ID":"2031-Apr-B","CurrentReleaseDate":"2031-04-22T00:00:00Z"},
		{"ID":"2031-Jan","CurrentReleaseDate":"2031-01-20T00:00:00Z"},{"ID":"2016-Apr","CurrentReleaseDate":"2016-04-20T00:00:00Z"},
		{"ID":"../etc","CurrentReleaseDate":"2031-04-20T00:00:00Z"},{"ID":"2031-Feb","CurrentReleaseDate":"soon"},{"ID":"2031-Apr","CurrentReleaseDate":"2031-04-20T00:00:00Z"}]}`))
	got, err := s.fetcher(t).Months(t.Context(), now, 5)
	if err != nil {
		t.Fatal(err)
	}
	day := func(m time.Month, d int) time.Time { return time.Date(2031, m, d, 0, 0, 0, 0, time.UTC) }
	want := []Month{{ID: "2031-May"}, {"2031-Apr", day(4, 20)}, {"2031-Apr-B", day(4, 22)}, {ID: "2031-Mar"}, {"2031-Jan", day(1, 20)}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("months (-want +got):\n%s", diff)
	}
	r := s.asks[0]
	if r.URL.Path != "/cvrf/v3.0/updates" || r.Header.Get("Authorization") != "" || !strings.HasPrefix(r.UserAgent(), "missingkbs ") || r.Header.Get("Accept") != "application/json" {
		t.Errorf("asked for %s with %v", r.URL, r.Header)
	}
	if end := monthID(time.Date(2031, 3, 31, 23, 0, 0, 0, time.UTC), 1); end != "2031-Feb" {
		t.Errorf("the month before March is %s", end)
	}
}

func TestFetchDocument(t *testing.T) {
	t.Parallel()
	s := serveFeeds(t, answer(200, "\n"+sampleMonth))
	got, err := s.fetcher(t).Document(t.Context(), "2031-May")
	if err != nil || got.ID != "2031-May" || len(got.Updates) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if diff := cmp.Diff([]string{"/cvrf/v3.0/cvrf/2031-May"}, s.paths()); diff != "" {
		t.Error(diff)
	}
}

// CISA's own copy is asked where the first address gives none, whatever it gives instead.
func TestSecondAddressOfTheList(t *testing.T) {
	t.Parallel()
	elsewhere := serveFeeds(t, answer(200, kevList))
	for name, first := range map[string]http.HandlerFunc{
		"403":           answer(403, "AkamaiGHost"),
		"404":           answer(404, ""),
		"500":           answer(500, ""),
		"a web page":    answer(200, "<!DOCTYPE html><html>"),
		"a cut list":    answer(200, kevList[:len(kevList)/2]),
		"a wrong count": answer(200, strings.Replace(kevList, `"count":3`, `"count":99`, 1)),
		"an empty body": answer(200, ""),
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/kev", http.StatusFound)
		},
		"a redirect to http": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://"+r.Host+"/kev", http.StatusMovedPermanently)
		},
		"a broken connection": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5000")
			fmt.Fprint(w, kevList[:50])
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serveFeeds(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/mirror" {
					answer(200, kevList)(w, r)
					return
				}
				first(w, r)
			})
			got, from, err := s.fetcher(t, s.URL+"/first", s.URL+"/mirror").Catalog(t.Context())
			if err != nil || from != s.URL+"/mirror" || len(got.Entries) != 2 {
				t.Errorf("%d entries from %q, %v", len(got.Entries), from, err)
			}
			if paths := s.paths(); !slices.Contains(paths, "/first") {
				t.Errorf("asked %q", paths)
			}
			if _, _, err := s.fetcher(t, s.URL+"/first").Catalog(t.Context()); err == nil {
				t.Error("the first address alone gives a list")
			}
		})
	}
	if len(elsewhere.paths()) > 0 {
		t.Error("a redirect led to another host")
	}
}

// A redirect of the same host is followed.
func TestRedirectOfTheSameHost(t *testing.T) {
	t.Parallel()
	s := serveFeeds(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			answer(200, kevList)(w, r)
			return
		}
		http.Redirect(w, r, "/moved", http.StatusFound)
	})
	if _, _, err := s.fetcher(t).Catalog(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestFetchFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		says    string
		is      error
	}{
		"no such month": {answer(404, ""), "no such document", ErrNotThere},
		"a web page":    {answer(200, "<html>"), "a web page", nil},
		"down":          {answer(503, ""), "503", nil},
		"throttled":     {answer(429, ""), "429", nil},
	} {
		_, err := serveFeeds(t, c.handler).fetcher(t).Document(t.Context(), "2031-May")
		if err == nil || !strings.Contains(err.Error(), c.says) || c.is != nil && !errors.Is(err, c.is) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := serveFeeds(t, answer(200, `{"value":[]}`)).fetcher(t).Months(t.Context(), now, 3); !errors.Is(err, ErrEmpty) {
		t.Errorf("an empty index: %v", err)
	}
	for _, address := range []string{"http://api.example", "ftp://x", "https://user:pw@x", "/x", "https://"} {
		if _, err := NewFetcher(FetchOptions{MSRC: address}); err == nil {
			t.Errorf("took %q", address)
		}
	}
	s := serveFeeds(t, answer(200, kevList))
	s.Close()
	if _, _, err := s.fetcher(t, "https://127.0.0.1:1/secret?token=x").Catalog(t.Context()); err == nil || strings.Contains(err.Error(), "token") {
		t.Errorf("unreachable: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.fetcher(t, s.URL+"/a", s.URL+"/b").Catalog(ended); !errors.Is(err, context.Canceled) || strings.Count(err.Error(), "127.0.0.1") != 1 {
		t.Errorf("cancelled: %v", err)
	}
}

// A body without an end is read up to the bound, in little memory.
func TestEndlessBody(t *testing.T) {
	t.Parallel()
	chunk := strings.Repeat(" ", 1<<16)
	sent := 0
	s := serveFeeds(t, func(w http.ResponseWriter, _ *http.Request) {
		for ; sent < 1<<30; sent += len(chunk) {
			if _, err := fmt.Fprint(w, chunk); err != nil {
				return
			}
		}
	})
	_, _, err := s.fetcher(t).Catalog(t.Context())
	if err == nil || !strings.Contains(err.Error(), "more than 1 MiB") {
		t.Errorf("got %v", err)
	}
	s.Close()
	if sent > 16<<20 {
		t.Errorf("%d MiB were read", sent>>20)
	}
}
