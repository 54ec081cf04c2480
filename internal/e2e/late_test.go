package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	gapsource "github.com/missingkbs/missingkbs/internal/digest/source"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// slowTenant is a Defender in a bubble with so many products, each of which lacks one update. A call takes its time.
type slowTenant struct {
	products int
	takes    time.Duration
	refuses  time.Time // until when it answers 429

	mu    sync.Mutex
	calls map[string]int // by path
}

func (s *slowTenant) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "token", ExpiresOn: time.Now().Add(10000 * time.Hour)}, nil
}

// Do is the tenant as a transport.
func (s *slowTenant) Do(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(s.takes):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: r}
	body := `{"value":[{"id":"5000001","name":"x","productsNames":[],"url":"","machineMissedOn":1,"cveAddressed":1}]}`
	if strings.HasSuffix(r.URL.Path, "/api/Software") {
		var list []string
		for i := range s.products {
			list = append(list, fmt.Sprintf(`{"id":"microsoft-_-s%d","name":"s%d","vendor":"microsoft","weaknesses":3}`, i, i))
		}
		body = `{"value":[` + strings.Join(list, ",") + `]}`
	}
	if wait := time.Until(s.refuses); wait > 0 {
		resp.StatusCode, body = http.StatusTooManyRequests, `{"error":{"code":"TooManyRequests","message":"x"}}`
		resp.Header.Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
	} else {
		s.mu.Lock()
		s.calls[r.URL.Path]++
		s.mu.Unlock()
	}
	resp.Body = io.NopCloser(strings.NewReader(body))
	return resp, nil
}

// shelf keeps what the digests of one subscription leave behind, and what they post.
type shelf struct {
	digest.Records
	digest.Poster
	sub        digest.Subscription
	deliveries []digest.Delivery
	baseline   patchgap.Snapshot
	posted     []view.Page
	progress   [][2]int // that was noted: done, and of how much
}

func (s *shelf) Subscription(context.Context, string) (digest.Subscription, error) { return s.sub, nil }

func (s *shelf) Delivery(_ context.Context, key string) (digest.Delivery, bool, error) {
	for _, d := range s.deliveries {
		if d.Key == key {
			return d, true, nil
		}
	}
	return digest.Delivery{}, false, nil
}

func (s *shelf) Deliveries(context.Context, string, int) ([]digest.Delivery, error) { return nil, nil }

func (s *shelf) Baseline(context.Context, string) (patchgap.Snapshot, bool, error) {
	return s.baseline, len(s.baseline.Software) > 0, nil
}

func (s *shelf) Record(_ context.Context, d digest.Delivery, snap patchgap.Snapshot, _ digest.Subscription, _ view.Page) error {
	s.deliveries = append(s.deliveries, d)
	if d.Kind != digest.Failed {
		s.baseline = snap
	}
	return nil
}

func (s *shelf) SeenBefore(context.Context, string, []patchgap.Key, time.Time) (map[patchgap.Key]time.Time, error) {
	return nil, nil
}

func (s *shelf) Post(_ context.Context, _, _ string, page view.Page) (string, error) {
	s.posted = append(s.posted, page)
	return strconv.Itoa(len(s.posted)), nil
}

func (s *shelf) Find(context.Context, string, string, time.Time) (string, bool, error) {
	return "", false, nil
}

func (s *shelf) Enter(context.Context, string, string) error { return nil }

func (s *shelf) Leave(context.Context, string, string) {}

func (s *shelf) Reply(context.Context, digest.Reply, func(int) error) error { return nil }

func (s *shelf) EndThread(context.Context, string, digest.Thread) error { return nil }

func (s *shelf) BeginRun(_ context.Context, a digest.Attempt) (digest.Run, bool, error) {
	return digest.Run{Job: a.Job}, true, nil
}

func (s *shelf) SetPosting(context.Context, digest.Attempt, string) (bool, error) { return true, nil }

func (s *shelf) SetProgress(_ context.Context, _ digest.Attempt, done, total int) error {
	s.progress = append(s.progress, [2]int{done, total})
	return nil
}

func (s *shelf) RestRun(context.Context, digest.Attempt) error { return nil }

func (s *shelf) EndRun(context.Context, digest.Job) error { return nil }

// work does the jobs of a subscription as the queue does, until its digest stands or the time is over. It returns when
// it stood, counted from the first due time.
func (s *shelf) work(t *testing.T, w *digest.Worker, due time.Time, most time.Duration) (took time.Duration) {
	t.Helper()
	first := due
	for attempt, failures := 1, 0; time.Since(first) < most && failures < 10; attempt++ {
		for next := schedule.Next(s.sub.Schedule, due); !next.After(time.Now()); next = schedule.Next(s.sub.Schedule, due) {
			due, attempt, failures = next, 1, 0
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		err := w.Work(ctx, digest.Job{Subscription: s.sub.ID, Due: due}, attempt)
		cancel()
		if err == nil {
			return time.Since(first)
		}
		pause := 40 * time.Second
		if later, ok := errors.AsType[digest.RetryLater](err); ok {
			pause = later.After
		} else {
			failures++
		}
		time.Sleep(pause)
	}
	t.Fatalf("no digest within %v", time.Since(first))
	return 0
}

// However many products there are, however few calls are allowed, and however late it is, the digest comes, reads each
// product once, and is the only thing that is posted.
func TestLargeDigestsCome(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		products, perMinute, perHour int
		late, takes, refused         time.Duration
		schedule                     string
		within                       time.Duration
	}{
		"on time":                        {products: 150, within: 6 * time.Minute},
		"after downtime":                 {products: 150, late: 45 * time.Minute, within: 52 * time.Minute},
		"after a long downtime":          {products: 150, late: 100 * time.Hour, within: 101 * time.Hour},
		"under a low limit":              {products: 60, perHour: 100, within: time.Hour},
		"under a very low limit":         {products: 200, perHour: 10, within: 30 * time.Hour},
		"under the lowest limits":        {products: 12, perMinute: 1, perHour: 1, within: 20 * time.Hour},
		"longer than it takes to be due": {products: 60, perHour: 2, schedule: "daily 09:00", within: 80 * time.Hour},
		"from a slow Defender":           {products: 600, perMinute: -1, perHour: -1, takes: 20 * time.Second, within: 40 * time.Minute},
		"after a pause that is asked":    {products: 60, refused: time.Hour, within: 70 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				words := tc.schedule
				if words == "" {
					words = "mon 09:00"
				}
				when, err := schedule.Parse(words, "UTC")
				if err != nil {
					t.Fatal(err)
				}
				due := schedule.Next(when, time.Now())
				time.Sleep(time.Until(due.Add(tc.late)))
				tenant := &slowTenant{products: tc.products, takes: tc.takes + 200*time.Millisecond, refuses: due.Add(tc.refused), calls: map[string]int{}}
				client, err := api.NewClient(tenant, &api.Options{Transport: tenant, PerMinute: tc.perMinute, PerHour: tc.perHour})
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				s := &shelf{sub: digest.Subscription{ID: "1001", Channel: "C1", Watch: []string{digest.All}, Schedule: when}}
				w := &digest.Worker{Store: s, Source: gapsource.New(client, time.Now), Poster: s}
				began := time.Now()
				if took := s.work(t, w, due, 500*time.Hour); took > tc.within {
					t.Errorf("it came after %v, want within %v", took, tc.within)
				}
				if len(s.posted) != 1 {
					t.Errorf("want one message, got %+v", s.posted)
				}
				if n := len(s.baseline.Software); n != tc.products {
					t.Errorf("it is about %d products, want %d", n, tc.products)
				}
				s.checkProgress(t, tc.products, time.Since(began) > 2*time.Minute)
				if s.baseline.At.Before(began) {
					t.Errorf("it is as of %v, before anything was asked", s.baseline.At)
				}
				for path, n := range tenant.calls {
					if n != 1 {
						t.Errorf("%s was asked %d times, want once", path, n)
					}
				}
			})
		})
	}
}

// checkProgress checks that a reading of several attempts says how far it is, and never goes back.
func (s *shelf) checkProgress(t *testing.T, products int, several bool) {
	t.Helper()
	before := 0
	for _, p := range s.progress {
		if p[0] < before || p[0] > products || p[1] != products {
			t.Errorf("progress %v, want it to grow up to %d", s.progress, products)
			return
		}
		before = p[0]
	}
	if several && before == 0 {
		t.Error("no progress was noted of a reading of several attempts")
	}
}

// What was to be confirmed is confirmed, however few calls are allowed: by one more call for each product, and not by
// the reading that it is to confirm.
func TestClosedIsConfirmedUnderALowLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		when, err := schedule.Parse("mon 09:00", "UTC")
		if err != nil {
			t.Fatal(err)
		}
		due := schedule.Next(when, time.Now())
		time.Sleep(time.Until(due))
		tenant := &slowTenant{products: 20, calls: map[string]int{}}
		client, err := api.NewClient(tenant, &api.Options{Transport: tenant, PerHour: 4})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		s := &shelf{sub: digest.Subscription{ID: "1001", Channel: "C1", Watch: []string{digest.All}, Schedule: when}}
		for i := range tenant.products {
			id := fmt.Sprintf("microsoft-_-s%d", i)
			s.baseline.Software = append(s.baseline.Software, id)
			s.baseline.Rows = append(s.baseline.Rows, patchgap.Row{Key: patchgap.Key{Software: id, KB: "gone of " + id}, Devices: 1},
				patchgap.Row{Key: patchgap.Key{Software: id, KB: "5000001"}, Devices: 1, CVEs: 1})
		}
		slices.Sort(s.baseline.Software)
		slices.SortFunc(s.baseline.Rows, func(a, b patchgap.Row) int { return a.Compare(b.Key) })
		s.work(t, &digest.Worker{Store: s, Source: gapsource.New(client, time.Now), Poster: s}, due, 100*time.Hour)
		if len(s.posted) != 1 || !strings.HasPrefix(s.posted[0].Lead, "20 closed.") {
			t.Errorf("want one message that 20 have closed, got %+v", s.posted)
		}
		for path, n := range tenant.calls {
			if want := 2; n != want && path != "/api/Software" {
				t.Errorf("%s was asked %d times, want %d", path, n, want)
			}
		}
	})
}
