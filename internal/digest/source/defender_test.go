package source

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

const edge = "microsoft-_-edge"

func startDefender(t *testing.T) *apitest.Server {
	t.Helper()
	server, err := apitest.Start(apitest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

func newClient(t *testing.T, server *apitest.Server, o api.Options) *api.Client {
	t.Helper()
	cred, _, err := api.NewCredential(api.CredentialOptions{
		TenantID: apitest.TenantID, ClientID: apitest.ClientID, ClientSecret: apitest.ClientSecret,
		Authority: server.URL, Transport: server.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	o.Cloud = api.Cloud{Endpoint: server.URL, Scope: server.Scope(), Authority: server.URL}
	o.Transport, o.Logger = server.Client(), slog.New(slog.DiscardHandler)
	client, err := api.NewClient(cred, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// seenCalls remembers which calls were made behind people's questions.
type seenCalls struct {
	mu         sync.Mutex
	background map[bool]int
}

func (s *seenCalls) see(_ context.Context, call api.CallObservation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.background[call.Background]++
}

func (s *seenCalls) take() (background, others int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	background, others = s.background[true], s.background[false]
	clear(s.background)
	return background, others
}

// A digest never takes an old answer for a reading, though people are shown it: neither for what it watches nor for the
// software list.
func TestDigestsTakeNoOldAnswers(t *testing.T) {
	t.Parallel()
	server := startDefender(t)
	now := server.Now()
	client := newClient(t, server, api.Options{
		StaleFor: time.Hour, Now: func() time.Time { return now }, Retry: policy.RetryOptions{MaxRetries: -1}, PerMinute: -1, PerHour: -1,
	})
	d := New(client, func() time.Time { return now })
	for _, watch := range [][]string{{edge}, {"microsoft-_-*"}} {
		if _, err := d.Snapshot(t.Context(), digest.Subscription{Watch: watch}, now); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(50 * time.Minute)
	remove := server.Inject(apitest.Failing())
	defer remove()
	if got, err := client.MissingKBs(t.Context(), edge); err != nil || got.Stale == nil {
		t.Errorf("a person is told %v, stale because of %v", err, got.Stale)
	}
	for _, watch := range [][]string{{edge}, {"microsoft-_-*"}} {
		if snap, err := d.Snapshot(t.Context(), digest.Subscription{Watch: watch}, now); !errors.Is(err, api.ErrUnavailable) || len(snap.Software) > 0 {
			t.Errorf("a digest of %s read %v, %v", watch, snap.Software, err)
		}
		if _, err := d.ForPreview().Snapshot(t.Context(), digest.Subscription{Watch: watch}, now); !errors.Is(err, api.ErrUnavailable) {
			t.Errorf("a preview of %s: %v", watch, err)
		}
	}
}

// Digests are read behind questions, and so are large previews; a small preview is a question.
func TestDigestsAreBackground(t *testing.T) {
	t.Parallel()
	server := startDefender(t)
	seen := &seenCalls{background: map[bool]int{}}
	client := newClient(t, server, api.Options{Observe: seen.see, CacheTTL: -1, PerMinute: -1, PerHour: -1})
	ids := func(name string, n int) (all []string) {
		for i := range n {
			id := fmt.Sprintf("microsoft-_-%s_%d", name, i)
			server.PutSoftware(apitest.Software{ID: id, Name: name, Vendor: "microsoft", Weaknesses: 1})
			all = append(all, id)
		}
		return all
	}
	d := New(client, time.Now)
	for name, tc := range map[string]struct {
		source             *Defender
		n                  int
		background, others int
	}{
		"digest":        {d, 2, 2, 0},
		"preview":       {d.ForPreview(), maxConcurrent, 0, maxConcurrent},
		"large_preview": {d.ForPreview(), maxConcurrent + 1, maxConcurrent + 1, 0},
	} {
		if _, err := tc.source.Snapshot(t.Context(), digest.Subscription{Watch: ids(name, tc.n)}, time.Now()); err != nil {
			t.Fatal(err)
		}
		if background, others := seen.take(); background != tc.background || others != tc.others {
			t.Errorf("%s: %d calls in the background and %d others, want %d and %d", name, background, others, tc.background, tc.others)
		}
	}
}

// What could not be read of an answer, or was no answer of Defender's, never looks like an update that is gone.
func TestReadingsSayWhatTheyLack(t *testing.T) {
	t.Parallel()
	body := func(rows string) apitest.Fault {
		return apitest.Fault{Body: `{"@odata.context":"c","value":[` + rows + `]}`}
	}
	kbs, list := "/api/Software/"+edge+"/getmissingkbs", "/api/Software"
	for name, tc := range map[string]struct {
		watch   string
		path    string
		fault   apitest.Fault
		rows    int
		unread  string // why
		partial []patchgap.Partial
		fails   bool
	}{
		"a bad row":              {edge, kbs, body(`{"id":"4540673","machineMissedOn":240},{}`), 1, "", []patchgap.Partial{{Software: edge, Rows: 1}}, false},
		"no good row":            {edge, kbs, body(`null,{}`), 0, "None of the rows", nil, true},
		"no device":              {edge, kbs, body(`{"id":"4540673","machineMissedOn":0}`), 0, "", nil, false},
		"another's empty list":   {edge, list, apitest.Fault{Body: `{"value":[]}`}, 0, "Defender's answer could not be read", nil, true},
		"another's 404":          {edge, list, apitest.Fault{Status: 404, Body: `{"statusCode":404,"message":"Resource not found"}`}, 0, "not Defender's API", nil, true},
		"a firewall's 403":       {edge, list, apitest.Fault{Status: 403, Body: "<html></html>"}, 0, "Something between", nil, true},
		"a bad row of the list":  {"microsoft-_-ed*", list, apitest.Fault{Times: 1, Body: body(`{"id":"` + edge + `","weaknesses":1},{"id":null}`).Body}, 1, "", []patchgap.Partial{{Software: "microsoft-_-ed*", Rows: 1}}, false},
		"nothing in such a list": {"microsoft-_-zz*", list, apitest.Fault{Times: 1, Body: body(`{"id":"` + edge + `"},5`).Body}, 0, "of what could be read", nil, false},
		"no list at all":         {"microsoft-_-ed*", list, apitest.Fault{Status: 404, Code: "ResourceNotFound", Message: "m"}, 0, "", nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startDefender(t)
			client := newClient(t, server, api.Options{PerMinute: -1, PerHour: -1})
			tc.fault.Path = tc.path
			server.Inject(tc.fault)
			snap, err := New(client, time.Now).Snapshot(t.Context(), digest.Subscription{Watch: []string{tc.watch}}, time.Now())
			if (err != nil) != tc.fails || len(snap.Rows) != tc.rows {
				t.Errorf("%d rows and %v, want %d and an error: %v", len(snap.Rows), err, tc.rows, tc.fails)
			}
			if diff := cmp.Diff(tc.partial, snap.Partial); diff != "" {
				t.Errorf("partial (-want +got):\n%s", diff)
			}
			var reasons []string
			for _, u := range snap.Unread {
				reasons = append(reasons, u.Reason)
			}
			why := strings.Join(reasons, " ")
			if !strings.Contains(why, tc.unread) || tc.unread == "" && why != "" {
				t.Errorf("unread because %q, want %q", why, tc.unread)
			}
		})
	}
}
