package api

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestQuote(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"edge": "'edge'", "o'neil": "'o''neil'", "'": "''''", "": "''", "' or 1 eq 1 or '": "''' or 1 eq 1 or '''",
	} {
		if got := Quote(in); got != want {
			t.Errorf("Quote(%q) = %s, want %s", in, got, want)
		}
	}
}

// Ids arrive as they were given, whatever is in them, and in one segment.
func TestEscaping(t *testing.T) {
	t.Parallel()
	s := serve(t, respond(edge))
	c := s.client(t)
	for _, id := range []string{
		"microsoft-_-edge", "microsoft-_-.net_framework", "notepad++-_-notepad++", "a/b", "..", ".", "...", "../../x", "%41", "%2e%2e",
		"ä", "a b", "a?b#c", "a;b,c", `a\b`, "a\x00\r\nb", "a&b=c", "100%", "@:$", "\xff", "/", "//", "日本",
	} {
		if _, err := c.MissingKBs(t.Context(), id); err != nil {
			t.Errorf("%q: %v", id, err)
			continue
		}
		asked := s.asked()
		r := asked[len(asked)-1]
		if want := "/api/Software/" + id + "/getmissingkbs"; r.URL.Path != want || r.URL.RawQuery != "" {
			t.Errorf("id %q arrived as %q (%s)", id, r.URL.Path, r.RequestURI)
		}
		if n := strings.Count(r.RequestURI, "/"); n != 4 {
			t.Errorf("id %q makes %q, which has other segments", id, r.RequestURI)
		}
	}
}

// Filters arrive as they were given, too.
func TestFilterEscaping(t *testing.T) {
	t.Parallel()
	s := serve(t, respond(`{"value":[]}`))
	c := s.client(t)
	for _, name := range []string{"web", "o'neil", "a+b c&$top=1", "100%", "ä", "#;?", "\r\n"} {
		if _, err := c.MachinesByName(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		asked := s.asked()
		got := asked[len(asked)-1].URL.Query()
		want := url.Values{"$filter": {"startswith(computerDnsName,'" + strings.ReplaceAll(name, "'", "''") + "')"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", name, diff)
		}
	}
}

// An id arrives decoded the same and never leaves its place in the path, even
// when something on the way cleans the path up.
func FuzzEscape(f *testing.F) {
	for _, id := range []string{"microsoft-_-edge", "..", ".", "a/b", "%41", "%2e%2e", "ä", "?", "#", "\x00", "\xff", " ", "a//../b"} {
		f.Add(id)
	}
	c, err := NewClient(&stubCredential{}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if id == "" {
			return
		}
		at, err := c.address("/api/Software/" + segment(id) + "/getmissingkbs")
		if err != nil {
			t.Fatalf("%q: %v", id, err)
		}
		req, err := http.NewRequest(http.MethodGet, at.String(), nil)
		if err != nil {
			t.Fatalf("%q: %v", id, err)
		}
		uri := req.URL.RequestURI()
		if path.Clean(uri) != uri {
			t.Fatalf("%q makes %q, which is not clean", id, uri)
		}
		back, err := url.ParseRequestURI(uri)
		if err != nil {
			t.Fatalf("%q makes %q: %v", id, uri, err)
		}
		if want := "/api/Software/" + id + "/getmissingkbs"; back.Path != want || back.RawQuery != "" || req.URL.Host != c.Host() {
			t.Fatalf("id %q arrives as %q", id, back.Path)
		}
		if segments := strings.Split(uri, "/"); len(segments) != 5 || segments[2] != "Software" {
			t.Fatalf("id %q makes %q", id, uri)
		}
	})
}
