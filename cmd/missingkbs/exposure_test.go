package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/digest"
)

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
	client, _ := replicaClient(t, server, sqliteRecords(t).url, api.Options{
		StaleFor: time.Hour, Now: func() time.Time { return now }, Retry: policy.RetryOptions{MaxRetries: -1}, PerMinute: -1, PerHour: -1,
	})
	e := newExposure(client, func() time.Time { return now })
	for _, watch := range [][]string{{edge}, {"microsoft-_-*"}} {
		if _, err := e.Snapshot(t.Context(), digest.Subscription{Watch: watch}, now); err != nil {
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
		if snap, err := e.Snapshot(t.Context(), digest.Subscription{Watch: watch}, now); !errors.Is(err, api.ErrUnavailable) || len(snap.Software) > 0 {
			t.Errorf("a digest of %s read %v, %v", watch, snap.Software, err)
		}
		if _, err := e.forPeople().Snapshot(t.Context(), digest.Subscription{Watch: watch}, now); !errors.Is(err, api.ErrUnavailable) {
			t.Errorf("a preview of %s: %v", watch, err)
		}
	}
}

// Digests are read behind questions, and so are large previews; a small preview is a question.
func TestDigestsAreBackground(t *testing.T) {
	t.Parallel()
	server := startDefender(t)
	seen := &seenCalls{background: map[bool]int{}}
	client, _ := replicaClient(t, server, sqliteRecords(t).url, api.Options{Observe: seen.see, CacheTTL: -1, PerMinute: -1, PerHour: -1})
	ids := func(name string, n int) (all []string) {
		for i := range n {
			id := fmt.Sprintf("microsoft-_-%s_%d", name, i)
			server.PutSoftware(apitest.Software{ID: id, Name: name, Vendor: "microsoft", Weaknesses: 1})
			all = append(all, id)
		}
		return all
	}
	e := newExposure(client, time.Now)
	for name, tc := range map[string]struct {
		source             *exposure
		n                  int
		background, others int
	}{
		"digest":        {e, 2, 2, 0},
		"preview":       {e.forPeople(), partsAtOnce, 0, partsAtOnce},
		"large_preview": {e.forPeople(), partsAtOnce + 1, partsAtOnce + 1, 0},
	} {
		if _, err := tc.source.Snapshot(t.Context(), digest.Subscription{Watch: ids(name, tc.n)}, time.Now()); err != nil {
			t.Fatal(err)
		}
		if background, others := seen.take(); background != tc.background || others != tc.others {
			t.Errorf("%s: %d calls in the background and %d others, want %d and %d", name, background, others, tc.background, tc.others)
		}
	}
}
