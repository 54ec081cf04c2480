package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"
)

// spans collects the names and statuses of spans.
type spans struct {
	mu    sync.Mutex
	ended []string
}

func (s *spans) provider() tracing.Provider {
	return tracing.NewProvider(func(string, string) tracing.Tracer {
		return tracing.NewTracer(func(ctx context.Context, name string, _ *tracing.SpanOptions) (context.Context, tracing.Span) {
			status := ""
			return ctx, tracing.NewSpan(tracing.SpanImpl{
				SetStatus: func(_ tracing.SpanStatus, text string) { status = " " + text },
				End: func() {
					s.mu.Lock()
					defer s.mu.Unlock()
					s.ended = append(s.ended, name+status)
				},
			})
		}, nil)
	}, nil)
}

// A span per question and one per try under it.
func TestTracing(t *testing.T) {
	t.Parallel()
	var got spans
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "machines") {
			fail(http.StatusForbidden, "Forbidden", "no")(w, r)
			return
		}
		say(w, edge)
	})
	c := s.client(t, func(o *Options) { o.Tracing = got.provider() })
	if _, err := c.MissingKBs(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	_, err := c.MachineByID(t.Context(), "a")
	wantKind(t, err, ErrPermission)
	want := []string{"HTTP GET", "Client.MissingKBs", "HTTP GET 403 Forbidden", "Client.MachineByID *api.Error:\n" + err.Error()}
	if !slices.Equal(got.ended, want) {
		t.Errorf("spans %q, want %q", got.ended, want)
	}
}
