package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSeedExample(t *testing.T) {
	t.Parallel()
	before := time.Now()
	got, err := serve(t, respond(edge)).client(t).MissingKBs(t.Context(), "microsoft-_-edge")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]MissingKB{edgeKB()}, got.Value); diff != "" {
		t.Errorf("MissingKBs (-want +got):\n%s", diff)
	}
	if got.Cached || got.FetchedAt.Before(before) || got.FetchedAt.After(time.Now()) {
		t.Errorf("Cached = %v, FetchedAt = %v, want a fresh answer", got.Cached, got.FetchedAt)
	}
}

// Every method asks the documented path, with everything that a call must carry.
func TestRequests(t *testing.T) {
	t.Parallel()
	const list, entity = nothing, `{"id":"x"}`
	for name, tc := range map[string]struct {
		ask    func(context.Context, *Client) error
		answer string
		want   string
	}{
		"missing KBs of a software": {
			func(ctx context.Context, c *Client) error {
				_, err := c.MissingKBs(ctx, "microsoft-_-edge")
				return err
			},
			list, "/api/Software/microsoft-_-edge/getmissingkbs",
		},
		"missing KBs of a machine": {
			func(ctx context.Context, c *Client) error { _, err := c.MachineMissingKBs(ctx, "1e5bc9d7"); return err },
			list, "/api/machines/1e5bc9d7/getmissingkbs",
		},
		"software by id": {
			func(ctx context.Context, c *Client) error {
				_, err := c.SoftwareByID(ctx, "microsoft-_-.net_framework")
				return err
			},
			entity, "/api/Software/microsoft-_-.net_framework",
		},
		"catalog": {
			func(ctx context.Context, c *Client) error { _, err := c.Catalog(ctx); return err },
			list, "/api/Software",
		},
		"software, filtered": {
			func(ctx context.Context, c *Client) error {
				for _, err := range c.AllSoftware(ctx, SoftwareQuery{Filter: "vendor eq " + Quote("o'neil & sons"), Top: 5, Skip: 10}) {
					return err
				}
				return nil
			},
			list, "/api/Software?$filter=vendor%20eq%20%27o%27%27neil%20%26%20sons%27&$top=5&$skip=10",
		},
		"machine by name": {
			func(ctx context.Context, c *Client) error {
				_, err := c.MachineByID(ctx, "web-01.contoso.com")
				return err
			},
			entity, "/api/machines/web-01.contoso.com",
		},
		"machines by name": {
			func(ctx context.Context, c *Client) error { _, err := c.MachinesByName(ctx, "o'web+1"); return err },
			list, "/api/machines?$filter=startswith%28computerDnsName%2C%27o%27%27web%2B1%27%29",
		},
		"devices of a software": {
			func(ctx context.Context, c *Client) error { _, err := c.SoftwareMachines(ctx, "a/b-_-c d"); return err },
			list, "/api/Software/a%2Fb-_-c%20d/machineReferences",
		},
		"devices of a CVE": {
			func(ctx context.Context, c *Client) error {
				_, err := c.VulnerabilityMachines(ctx, "CVE-2026-1")
				return err
			},
			list, "/api/vulnerabilities/CVE-2026-1/machineReferences",
		},
		"CVE": {
			func(ctx context.Context, c *Client) error {
				_, err := c.VulnerabilityByID(ctx, "CVE-2026-1")
				return err
			},
			entity, "/api/vulnerabilities/CVE-2026-1",
		},
		"findings of a KB": {
			func(ctx context.Context, c *Client) error { _, err := c.KBFindings(ctx, "5094'128"); return err },
			list, "/api/vulnerabilities/machinesVulnerabilities?$filter=fixingKbId%20eq%20%275094%27%27128%27&$top=10000",
		},
		"findings of a CVE": {
			func(ctx context.Context, c *Client) error { _, err := c.CVEFindings(ctx, "CVE-2026-1"); return err },
			list, "/api/vulnerabilities/machinesVulnerabilities?$filter=cveId%20eq%20%27CVE-2026-1%27&$top=10000",
		},
		"last reports": {
			func(ctx context.Context, c *Client) error { _, err := c.LastSeen(ctx); return err },
			list, "/api/machines",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, respond(tc.answer))
			if err := tc.ask(t.Context(), s.client(t)); err != nil {
				t.Fatal(err)
			}
			asked := s.asked()
			if len(asked) != 1 {
				t.Fatalf("%d calls, want 1", len(asked))
			}
			r := asked[0]
			if got := r.Method + " " + r.RequestURI; got != "GET "+tc.want {
				t.Errorf("call = %q, want %q", got, "GET "+tc.want)
			}
			if got := r.Header.Get("Authorization"); got != "Bearer "+secretToken {
				t.Errorf("Authorization = %q", got)
			}
			if got := r.Header.Get("User-Agent"); !strings.HasPrefix(got, "missingkbs azsdk-go-api/v") {
				t.Errorf("User-Agent = %q", got)
			}
			if r.Header.Get("Accept") != "application/json" || r.Header.Get(requestIDHeader) == "" {
				t.Errorf("Accept = %q, request id = %q", r.Header.Get("Accept"), r.Header.Get(requestIDHeader))
			}
		})
	}
}

func TestScopeIsAsked(t *testing.T) {
	t.Parallel()
	s := serve(t, respond(edge))
	cred := &stubCredential{}
	c, err := NewClient(cred, &Options{Cloud: Cloud{Endpoint: s.URL}, Transport: s.Client()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.MissingKBs(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"https://api.securitycenter.microsoft.com/.default"}, cred.scopes); diff != "" {
		t.Errorf("scopes (-want +got):\n%s", diff)
	}
}

func TestNewClientRefuses(t *testing.T) {
	t.Parallel()
	cred := &stubCredential{}
	for name, o := range map[string]Options{
		"plain http":       {Cloud: Cloud{Endpoint: "http://api.security.microsoft.com"}},
		"no scheme":        {Cloud: Cloud{Endpoint: "api.security.microsoft.com"}},
		"user info":        {Cloud: Cloud{Endpoint: "https://me:secret@api.security.microsoft.com"}},
		"query":            {Cloud: Cloud{Endpoint: "https://api.security.microsoft.com?x=secret"}},
		"negative timeout": {Timeout: -1},
		"negative body":    {MaxBody: -1},
		"negative entries": {CacheEntries: -1},
	} {
		_, err := NewClient(cred, &o)
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), "secret@") || strings.Contains(err.Error(), "x=secret") {
			t.Errorf("%s: error %q shows a secret", name, err)
		}
	}
	if _, err := NewClient(nil, nil); err == nil {
		t.Error("no credential: no error")
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c, err := NewClient(&stubCredential{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, want := c.Host(), "api.security.microsoft.com"; got != want {
		t.Errorf("Host() = %q, want %q", got, want)
	}
	if c.timeout != time.Minute || c.answers.ttl != 5*time.Minute || c.answers.bound != 2000 {
		t.Errorf("timeout %v, ttl %v, bound %d", c.timeout, c.answers.ttl, c.answers.bound)
	}
}

func TestEndpointWithPath(t *testing.T) {
	t.Parallel()
	s := serve(t, respond(edge))
	c := s.client(t, func(o *Options) { o.Cloud.Endpoint += "/gateway/" })
	if _, err := c.MissingKBs(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if got, want := s.asked()[0].RequestURI, "/gateway/api/Software/a/getmissingkbs"; got != want {
		t.Errorf("asked %q, want %q", got, want)
	}
}

func TestEmptyIDAsksNothing(t *testing.T) {
	t.Parallel()
	s := serve(t, respond(edge))
	c := s.client(t)
	_, err1 := c.MissingKBs(t.Context(), "")
	_, err2 := c.MachineMissingKBs(t.Context(), "")
	_, err3 := c.SoftwareByID(t.Context(), "")
	_, err4 := c.MachineByID(t.Context(), "")
	for _, err := range []error{err1, err2, err3, err4} {
		wantKind(t, err, ErrNotFound)
	}
	if n := len(s.asked()); n != 0 {
		t.Errorf("%d calls, want none", n)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := serve(t, respond(edge))
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusFound)
	})
	_, err := s.client(t).MissingKBs(t.Context(), "a")
	wantKind(t, err, ErrNotDefender)
	if n := len(elsewhere.asked()); n != 0 {
		t.Errorf("the other server was asked %d times", n)
	}
}

func TestVersionIsStrict(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"(devel)": "v0.0.0", "": "v0.0.0", "v0": "v0.0.0", "dev": "v0.0.0",
		"v1.2.3": "v1.2.3", "v1.2.3+dirty": "v1.2.3", "v1.2.3-rc.1": "v1.2.3-rc.1",
		"v0.0.0-20261123090000-0123456789ab+dirty": "v0.0.0-20261123090000-0123456789ab",
	} {
		if got := strictVersion(in); got != want {
			t.Errorf("strictVersion(%q) = %q, want %q", in, got, want)
		}
	}
}
