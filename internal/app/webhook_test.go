package app

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/missingkbs/missingkbs/internal/app/monitor"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/metrics"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/store/pgtest"
	"github.com/missingkbs/missingkbs/internal/view"
	"github.com/missingkbs/missingkbs/internal/webhook"
)

var (
	webhookSecret = "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))
	webhookDue    = time.Date(2031, 5, 19, 9, 0, 0, 0, time.UTC)
)

// change is a KB on so many devices before and now; 0 stands for not missing.
func change(kb string, before, now int) patchgap.Change {
	of := func(devices int) patchgap.Update {
		if devices == 0 {
			return patchgap.Update{}
		}
		row := patchgap.Row{Key: patchgap.Key{Software: "microsoft-_-edge", KB: kb}, Name: "Update " + kb, Devices: devices, CVEs: 2}
		return patchgap.Update{Rows: []patchgap.Row{row}, Devices: devices, CVEs: 2}
	}
	return patchgap.Change{Was: of(before), Now: of(now)}
}

func webhookReport() digest.Report {
	return digest.Report{
		Subscription: digest.Subscription{
			ID: "3", Tenant: digest.DefaultTenant, Channel: "C1", Owner: "U0OWNER", Watch: []string{"microsoft-_-edge"},
			Schedule: schedule.Schedule{Words: "mon 09:00", Zone: "UTC"}, Quiet: digest.Silent, Origin: digest.FromChat, Created: webhookDue,
		},
		Kind: digest.Changed, Due: webhookDue, Now: webhookDue,
		Before: patchgap.Snapshot{At: webhookDue.AddDate(0, 0, -7)}, After: patchgap.Snapshot{Tenant: digest.DefaultTenant, At: webhookDue},
		Changes: patchgap.Changes{
			New: []patchgap.Change{change("5000001", 0, 9)}, Reopened: []patchgap.Change{change("5000002", 0, 8)}, Added: []patchgap.Change{change("5000003", 0, 7)},
			Grew: []patchgap.Change{change("5000004", 3, 30)}, Shrank: []patchgap.Change{change("5000005", 30, 3)},
			Closed: []patchgap.Change{change("5000006", 5, 0)}, Unlisted: []patchgap.Change{change("5000007", 4, 0)},
		},
	}
}

// newTestEvents returns the events of an app whose webhook is at a receiver.
func newTestEvents(t *testing.T, receiver *httptest.Server) (*events, *monitor.Monitor) {
	t.Helper()
	o := Options{Monitor: monitor.New("", nil), Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	o.Webhook = &webhook.Options{URL: receiver.URL, Secret: webhookSecret, AllowPrivate: true, Client: receiver.Client()}
	e, err := New(o).newEvents()
	if err != nil {
		t.Fatal(err)
	}
	return e, o.Monitor
}

func TestEventOfADigest(t *testing.T) {
	t.Parallel()
	e := &events{now: func() time.Time { return webhookDue }}
	event, err := e.of("digest/3/x", webhookReport())
	if err != nil {
		t.Fatal(err)
	}
	var got webhook.Event
	if err := json.Unmarshal([]byte(event.Body), &got); err != nil {
		t.Fatal(err)
	}
	kbs := func(list []webhook.Update) string {
		names := make([]string, len(list))
		for i, u := range list {
			names[i] = u.KB
		}
		return strings.Join(names, " ")
	}
	lists := []string{kbs(got.Data.New), kbs(got.Data.Grew), kbs(got.Data.Shrank), kbs(got.Data.Closed)}
	if diff := cmp.Diff([]string{"KB5000001 KB5000002 KB5000003", "KB5000004", "KB5000005", "KB5000006 KB5000007"}, lists); diff != "" {
		t.Errorf("lists (-want +got):\n%s", diff)
	}
	grew := webhook.Update{KB: "KB5000004", Name: "Update 5000004", Software: []string{"microsoft-_-edge"}, Devices: 30, Before: 3, CVEs: 2, URL: got.Data.Grew[0].URL}
	if diff := cmp.Diff(grew, got.Data.Grew[0]); diff != "" {
		t.Errorf("an update (-want +got):\n%s", diff)
	}
	if got.Type != webhook.TypeChanged || got.Data.Digest != "3" || !got.Data.Due.Equal(webhookDue) || strings.Contains(event.Body, "U0OWNER") {
		t.Errorf("event %s", event.Body)
	}
	if again, _ := e.of("digest/3/x", webhookReport()); again != event {
		t.Error("the same digest has another event")
	}
	first, unchanged := webhookReport(), webhookReport()
	first.Kind, unchanged.Changes = digest.First, patchgap.Changes{}
	for name, r := range map[string]digest.Report{"a first digest": first, "no change": unchanged} {
		if event, err := e.of("k", r); err != nil || event != (digest.Event{}) {
			t.Errorf("%s: event %+v, %v", name, event, err)
		}
	}
}

// received is a request that a receiver has verified.
type received struct{ id, body string }

// receiver verifies events with the standard's own library. It answers with the given statuses in turn, then with 204.
func receiver(t *testing.T, statuses ...int) (*httptest.Server, chan received) {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhook(webhookSecret)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan received, 10)
	var requests atomic.Int32
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := verifier.Verify(body, r.Header); err != nil {
			t.Errorf("not verified: %v", err)
		}
		status := http.StatusNoContent
		if n := int(requests.Add(1)); n <= len(statuses) {
			status = statuses[n-1]
		}
		got <- received{r.Header.Get("webhook-id"), string(body)}
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	return s, got
}

// A process that ends after a digest was recorded and before its event was sent loses nothing: the next one sends it.
func TestEventOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]func(testing.TB) string{
		"SQLite": func(tb testing.TB) string {
			tb.Helper()
			return "sqlite://" + filepath.ToSlash(filepath.Join(tb.TempDir(), "x.db"))
		},
		"PostgreSQL": pgtest.Database,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := address(t)
			server, got := receiver(t, http.StatusServiceUnavailable)
			e, m := newTestEvents(t, server)
			want := recordWithEvent(t, url, e)

			s := reopen(t, url)
			work := func(context.Context, digest.Job, int) error { return nil }
			q, err := s.Queue(work, store.QueueOptions{Send: e.deliver, SendBackoff: func(int) time.Duration { return time.Millisecond }})
			if err == nil {
				err = q.Start(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the first attempt was refused
				if diff := cmp.Diff(received{want.ID, want.Body}, <-got, cmp.AllowUnexported(received{})); diff != "" {
					t.Errorf("event (-want +got):\n%s", diff)
				}
			}
			if err := q.Stop(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
			wantWebhookCount(t, m, metrics.WebhookFailed, 1)
			wantWebhookCount(t, m, metrics.WebhookSent, 1)
		})
	}
}

// recordWithEvent records a digest in a process that ends right after it.
func recordWithEvent(t *testing.T, url string, e *events) digest.Event {
	t.Helper()
	s := reopen(t, url)
	defer s.Close()
	r := webhookReport()
	key := digest.DeliveryKey(r.Subscription.ID, r.Due)
	event, err := e.of(key, r)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AddSubscription(t.Context(), r.Subscription, audit.Entry{At: r.Now, Action: "digest.add"}); err != nil {
		t.Fatal(err)
	}
	d := digest.Delivery{Key: key, Subscription: r.Subscription.ID, Tenant: r.Subscription.Tenant, Due: r.Due, Kind: digest.Changed, At: r.Now, Event: event}
	if err := s.Record(t.Context(), d, r.After, r.Subscription, view.Page{}); err != nil {
		t.Fatal(err)
	}
	return event
}

func reopen(t *testing.T, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), url, store.Options{})
	if err == nil {
		t.Cleanup(func() { _ = s.Close() })
		err = s.Migrate(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func wantWebhookCount(t *testing.T, m *monitor.Monitor, result string, want float64) {
	t.Helper()
	families, err := m.Metrics.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, metric := range f.GetMetric() {
			if f.GetName() == "missingkbs_webhook_total" && metric.GetLabel()[0].GetValue() == result {
				if got := metric.GetCounter().GetValue(); got != want {
					t.Errorf("counted %q %v times, want %v", result, got, want)
				}
				return
			}
		}
	}
	t.Errorf("no count of %q", result)
}

// A failure that no later attempt changes ends the job, and the log says that the event is lost.
func TestEventsThatAreLostAreTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status  int
		last    bool
		result  string
		noRetry bool
		level   string
	}{
		{http.StatusGone, false, metrics.WebhookRefused, true, "ERROR"},
		{http.StatusBadGateway, true, metrics.WebhookGivenUp, false, "ERROR"},
		{http.StatusBadGateway, false, metrics.WebhookFailed, false, "WARN"},
	} {
		server, _ := receiver(t, c.status)
		e, m := newTestEvents(t, server)
		var log strings.Builder
		e.log = slog.New(slog.NewTextHandler(&log, nil))
		err := e.deliver(t.Context(), digest.Event{ID: "msg_1", Body: `{"kb":"KB5000001"}`}, c.last)
		if err == nil || errors.Is(err, store.ErrNoRetry) != c.noRetry {
			t.Errorf("%d, last %v: %v", c.status, c.last, err)
		}
		wantWebhookCount(t, m, c.result, 1)
		if text := log.String(); !strings.Contains(text, "level="+c.level) || !strings.Contains(text, "id=msg_1") || strings.Contains(text, "KB5000001") || strings.Contains(text, server.URL) {
			t.Errorf("log %q", text)
		}
	}
}

func TestNoWebhook(t *testing.T) {
	t.Parallel()
	if e, err := New(Options{}).newEvents(); e != nil || err != nil {
		t.Errorf("got %v, %v", e, err)
	}
}
