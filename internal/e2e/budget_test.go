package e2e

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/store"
)

func startDefender(t *testing.T) *apitest.Server {
	t.Helper()
	server, err := apitest.Start(apitest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

// replicaClient is the client of a replica on a database, as serve makes it.
func replicaClient(t *testing.T, server *apitest.Server, url string, o api.Options) (*api.Client, *store.Store) {
	t.Helper()
	database, err := store.Open(t.Context(), url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close() })
	cred, _, err := api.NewCredential(api.CredentialOptions{
		TenantID: apitest.TenantID, ClientID: apitest.ClientID, ClientSecret: apitest.ClientSecret,
		Authority: server.URL, Transport: server.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	o.Cloud = api.Cloud{Endpoint: server.URL, Scope: server.Scope(), Authority: server.URL}
	o.Transport, o.Logger = server.Client(), slog.New(slog.DiscardHandler)
	o.Budget = app.SharedBudget(database)
	client, err := api.NewClient(cred, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client, database
}

// aMoment is enough for a call on a busy machine, and less than the waits of these tests for a turn.
const aMoment = 30 * time.Second

// askMany asks for different software ids at once, and returns how many were throttled.
func askMany(t *testing.T, c *api.Client, name string, n int) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), aMoment)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	throttled := 0
	for i := range n {
		wg.Go(func() {
			_, err := c.MissingKBs(ctx, fmt.Sprintf("microsoft-_-%s_%d", name, i))
			if errors.Is(err, api.ErrThrottled) {
				mu.Lock()
				defer mu.Unlock()
				throttled++
			} else if !errors.Is(err, api.ErrNotFound) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	return throttled
}

// Two replicas call Defender as often as one may. When one of them loses the database it goes on with a part.
func TestReplicasShareTheQuota(t *testing.T) {
	t.Parallel()
	r := databases()["PostgreSQL"](t)
	server := startDefender(t)
	limits := api.Options{PerMinute: 20, PerHour: 32} // a call every 150 s after a burst of 8
	one, _ := replicaClient(t, server, r.url, limits)
	other, database := replicaClient(t, server, r.url, limits)
	if n := askMany(t, one, "a", 6); n != 0 {
		t.Errorf("%d of 6 questions were throttled", n)
	}
	if q := other.Quota(t.Context()); !q.Shared || q.Minute.Limit != 20 || q.Hour.Limit != 32 || q.Hour.Left > 26 {
		t.Errorf("the other replica sees %+v", q)
	}
	ctx, cancel := context.WithTimeout(t.Context(), aMoment)
	defer cancel()
	if _, err := other.MissingKBs(ctx, edge, api.Background()); !errors.Is(err, api.ErrThrottled) {
		t.Errorf("a digest took what is left to questions: %v", err)
	}
	if n := askMany(t, other, "b", 6); n != 4 {
		t.Errorf("%d of 6 questions were throttled, want 4: the burst is 8", n)
	}
	if n := server.Count("/api/"); n != 8 {
		t.Errorf("%d calls, want 8", n)
	}
	if err := database.Close(); err != nil {
		t.Fatal(err)
	}
	asked := time.Now()
	askMany(t, other, "c", 1)
	if d := time.Since(asked); d > aMoment {
		t.Errorf("without the database a question took %v", d)
	}
	if n := other.Stats().BudgetErrors; n != 1 {
		t.Errorf("%d errors of the budget were counted", n)
	}
	if q := other.Quota(t.Context()); q.Shared {
		t.Errorf("without the database the other replica sees %+v", q)
	}
}

// When Defender asks one replica for a pause, the others do not call to find out.
func TestReplicasSharePauses(t *testing.T) {
	t.Parallel()
	r := databases()["PostgreSQL"](t)
	server := startDefender(t)
	one, _ := replicaClient(t, server, r.url, api.Options{})
	other, _ := replicaClient(t, server, r.url, api.Options{})
	remove := server.Inject(apitest.Throttled(10 * time.Minute))
	if n := askMany(t, one, "a", 1); n != 1 {
		t.Error("the fault does not work")
	}
	remove()
	if n := askMany(t, other, "b", 5); n != 5 {
		t.Errorf("%d of 5 questions were told to wait", n)
	}
	if n := server.Count("/api/"); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}
