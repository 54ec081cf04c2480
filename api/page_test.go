package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// linked serves pages of one KB each, where link gives the link after page n.
func linked(t *testing.T, link func(n int, base string) string) *service {
	t.Helper()
	var s *service
	s = serve(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("page"))
		next := ""
		if l := link(n, s.URL); l != "" {
			next = fmt.Sprintf(`,"@odata.nextLink":%q`, l)
		}
		fmt.Fprintf(w, `{"value":[{"id":"%d","machineMissedOn":1}]%s}`, n, next)
	})
	return s
}

func ids(kbs []MissingKB) (ids []string) {
	for _, kb := range kbs {
		ids = append(ids, kb.ID)
	}
	return ids
}

func TestNextLink(t *testing.T) {
	t.Parallel()
	for name, link := range map[string]func(n int, base string) string{
		"absolute":    func(n int, base string) string { return fmt.Sprintf("%s/api/next?page=%d", base, n+1) },
		"relative":    func(n int, _ string) string { return fmt.Sprintf("getmissingkbs?page=%d", n+1) },
		"from root":   func(n int, _ string) string { return fmt.Sprintf("/api/elsewhere?page=%d", n+1) },
		"query only":  func(n int, _ string) string { return fmt.Sprintf("?page=%d", n+1) },
		"with spaces": func(n int, base string) string { return fmt.Sprintf("%s/api/x?$filter=a eq 'b'&page=%d", base, n+1) },
		"other case": func(n int, base string) string {
			return fmt.Sprintf("HTTPS%s/api/x?page=%d", strings.TrimPrefix(base, "https"), n+1)
		},
		"empty string": func(n int, base string) string { return fmt.Sprintf("?page=%d", n+1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := linked(t, func(n int, base string) string {
				if n == 2 {
					return ""
				}
				return link(n, base)
			})
			got, err := s.client(t).MissingKBs(t.Context(), "a")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"0", "1", "2"}, ids(got.Value)); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
			for _, r := range s.asked() {
				if r.Header.Get("Authorization") == "" {
					t.Errorf("%s was asked without a token", r.RequestURI)
				}
			}
		})
	}
}

// The token never goes to another host, and no answer is half an answer.
func TestNextLinkRefused(t *testing.T) {
	t.Parallel()
	elsewhere := serve(t, respond(`{"value":[]}`))
	away := func(link string) func(int, string) string { return func(int, string) string { return link } }
	for name, link := range map[string]func(n int, base string) string{
		"other port":         away(elsewhere.URL + "/api/x"),
		"other host":         away("https://evil.example/api/x"),
		"no scheme":          away("//evil.example/api/x"),
		"suffix of our name": func(_ int, base string) string { return base + ".evil.example/" },
		"user info":          func(_ int, base string) string { return strings.Replace(base, "://", "://user@", 1) },
		"our name as user":   func(_ int, base string) string { return base + "@evil.example/" },
		"plain http":         func(_ int, base string) string { return strings.Replace(base, "https", "http", 1) },
		"file":               away("file:///etc/passwd"),
		"no URL":             away("https://%zz/"),
		"itself":             func(_ int, base string) string { return base + "/api/Software/a/getmissingkbs" },
		"itself, relative":   away("getmissingkbs"),
		"itself, fragment":   away("getmissingkbs#2"),
		"circle":             func(n int, _ string) string { return fmt.Sprintf("?page=%d", (n+1)%3) },
		"ever deeper":        away("x//y"),
		"endless":            func(n int, _ string) string { return fmt.Sprintf("?page=%d", n+1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := linked(t, link)
			got, err := s.client(t).MissingKBs(t.Context(), "a")
			wantKind(t, err, ErrBadResponse)
			if got.Value != nil {
				t.Errorf("got %v with the error", got.Value)
			}
			calls := map[string]int{"circle": 4, "ever deeper": 2, "endless": maxPages}
			if got, want := len(s.asked()), max(calls[name], 1); got != want {
				t.Errorf("%d calls, want %d", got, want)
			}
		})
	}
	t.Cleanup(func() {
		if n := len(elsewhere.asked()); n != 0 {
			t.Errorf("the other host was asked %d times", n)
		}
	})
}

func TestSameHost(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"https://a.example", "https://a.example:443/x", true},
		{"https://A.example", "https://a.EXAMPLE", true},
		{"https://a.example:8443", "https://a.example", false},
		{"https://a.example", "https://b.a.example", false},
		{"https://[::1]:443", "https://[::1]", true},
	} {
		a, _ := url.Parse(tc.a)
		b, _ := url.Parse(tc.b)
		if got := sameHost(a, b); got != tc.want {
			t.Errorf("sameHost(%s, %s) = %v, want %v", tc.a, tc.b, got, tc.want)
		}
	}
}

// catalogue serves n software by $top and $skip, with up to size on a page, and
// links them when it is told to.
func catalogue(t *testing.T, n, size int, links bool) *service {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		number := func(key string, otherwise int) int {
			if i, err := strconv.Atoi(r.URL.Query().Get(key)); err == nil {
				return i
			}
			return otherwise
		}
		skip := number("$skip", 0)
		end := min(n, skip+min(size, number("$top", size)))
		var rows []string
		for i := skip; i < end; i++ {
			rows = append(rows, fmt.Sprintf(`{"id":"s%05d"}`, i))
		}
		fmt.Fprintf(w, `{"@odata.context":"c","value":[%s]`, strings.Join(rows, ","))
		if links && end < n {
			fmt.Fprintf(w, `,"@odata.nextLink":"?$skip=%d"`, end)
		}
		say(w, "}")
	})
}

func TestAllSoftware(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		n, size int
		links   bool
		query   SoftwareQuery
		want    int
		calls   int
	}{
		"one page":                      {n: 3, size: 10_000, want: 3, calls: 1},
		"nothing":                       {n: 0, size: 10_000, want: 0, calls: 1},
		"linked pages":                  {n: 25, size: 10, links: true, want: 25, calls: 3},
		"full pages without links":      {n: 20_001, size: 10_000, want: 20_001, calls: 3},
		"exactly a full page":           {n: 10_000, size: 10_000, want: 10_000, calls: 2},
		"linked full pages":             {n: 20_000, size: 10_000, links: true, want: 20_000, calls: 2},
		"top":                           {n: 100, size: 10_000, query: SoftwareQuery{Top: 5}, want: 5, calls: 1},
		"top across linked pages":       {n: 100, size: 10, links: true, query: SoftwareQuery{Top: 25}, want: 25, calls: 3},
		"top beyond a page":             {n: 30_000, size: 10_000, query: SoftwareQuery{Top: 15_000}, want: 15_000, calls: 2},
		"top beyond all":                {n: 9_000, size: 10_000, query: SoftwareQuery{Top: 15_000}, want: 9_000, calls: 1},
		"skip":                          {n: 100, size: 10_000, query: SoftwareQuery{Skip: 90}, want: 10, calls: 1},
		"negative numbers are no limit": {n: 7, size: 10_000, query: SoftwareQuery{Top: -1, Skip: -1}, want: 7, calls: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := catalogue(t, tc.n, tc.size, tc.links)
			var got []string
			for sw, err := range s.client(t).AllSoftware(t.Context(), tc.query) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, sw.ID)
			}
			if len(got) != tc.want || !slices.IsSorted(got) || len(slices.Compact(got)) != tc.want {
				t.Errorf("%d software, want %d different ones in order", len(got), tc.want)
			}
			if n := len(s.asked()); n != tc.calls {
				t.Errorf("%d calls, want %d", n, tc.calls)
			}
		})
	}
}

func TestAllSoftwareStops(t *testing.T) {
	t.Parallel()
	s := catalogue(t, 100, 10, true)
	n := 0
	for _, err := range s.client(t).AllSoftware(t.Context(), SoftwareQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 15 {
			break
		}
	}
	if calls := len(s.asked()); calls != 2 {
		t.Errorf("%d calls for 15 rows in pages of 10, want 2", calls)
	}
}

// Rows that came before an error are handed out; the error comes last, once.
func TestAllSoftwareError(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "" {
			fail(403, "Forbidden", "no")(w, r)
			return
		}
		respond(`{"value":[{"id":"a"},{"id":"a"}],"@odata.nextLink":"?p=2"}`)(w, r)
	})
	var got []string
	var errs []error
	for sw, err := range s.client(t).AllSoftware(t.Context(), SoftwareQuery{}) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		got = append(got, sw.ID)
	}
	if diff := cmp.Diff([]string{"a", "a"}, got); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
	if len(errs) != 1 {
		t.Fatalf("%d errors, want 1", len(errs))
	}
	wantKind(t, errs[0], ErrPermission)
}

// A service that ignores $skip would be asked for ever.
func TestAllSoftwareSamePageTwice(t *testing.T) {
	t.Parallel()
	body := `{"value":[` + strings.Repeat(`{"id":"a"},`, softwarePage-1) + `{"id":"a"}]}`
	s := serve(t, respond(body))
	var last error
	for _, err := range s.client(t).AllSoftware(t.Context(), SoftwareQuery{}) {
		last = err
	}
	wantKind(t, last, ErrBadResponse)
	if n := len(s.asked()); n != 2 {
		t.Errorf("%d calls, want 2", n)
	}
}

func TestCatalog(t *testing.T) {
	t.Parallel()
	s := serve(t, respond(`{"value":[
		{"id":"b-_-b","name":"b","weaknesses":1,"exposedMachines":9,"impactScore":0.5,"publicExploit":true},
		{"id":"a-_-a","name":"a"},
		{"id":"b-_-b","name":"b","weaknesses":7,"exposedMachines":2,"installedMachines":3,"impactScore":0.25,"activeAlert":true}]}`))
	c := s.client(t)
	want := []Software{
		{ID: "a-_-a", Name: "a"},
		{ID: "b-_-b", Name: "b", Weaknesses: 7, ExposedMachines: 9, InstalledMachines: 3, ImpactScore: 0.5, PublicExploit: true, ActiveAlert: true},
	}
	for i := range 2 {
		got, err := c.Catalog(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Value); diff != "" {
			t.Errorf("Catalog (-want +got):\n%s", diff)
		}
		if got.Cached != (i == 1) {
			t.Errorf("Catalog %d: cached %v", i, got.Cached)
		}
	}
}
