package tracing_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	azure "github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"
	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/missingkbs/missingkbs/internal/span"
	"github.com/missingkbs/missingkbs/internal/tracing"
)

// recorded runs f and returns the spans that a collector was sent when recording stopped, by name.
func recorded(t *testing.T, f func(*tracing.Tracing)) map[string]*traces.Span {
	t.Helper()
	var mu sync.Mutex
	got := map[string]*traces.Span{}
	c := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		var sent collector.ExportTraceServiceRequest
		if err = errors.Join(err, proto.Unmarshal(raw, &sent)); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, rs := range sent.GetResourceSpans() {
			for _, ss := range rs.GetScopeSpans() {
				for _, s := range ss.GetSpans() {
					got[s.GetName()] = s
				}
			}
		}
	}))
	defer c.Close()
	at, err := url.Parse(c.URL + "/v1/traces")
	if err != nil {
		t.Fatal(err)
	}
	tr, err := tracing.Start(t.Context(), tracing.Options{Endpoint: at, Service: "s", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	f(tr)
	if err := tr.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	return got
}

func attrs(s *traces.Span) map[string]any {
	out := map[string]any{}
	for _, a := range s.GetAttributes() {
		if v := a.GetValue(); v.GetStringValue() != "" {
			out[a.GetKey()] = v.GetStringValue()
		} else {
			out[a.GetKey()] = v.GetIntValue()
		}
	}
	return out
}

func TestSpans(t *testing.T) {
	t.Parallel()
	began := time.UnixMilli(1_700_000_000_000)
	var id string
	got := recorded(t, func(tr *tracing.Tracing) {
		start := tr.Tracer().Start
		_, stray := start(t.Context(), "stray", span.Options{Part: true}) // a part of nothing
		stray(nil)
		ctx, end := start(t.Context(), "root", span.Options{Kind: span.Consumer, Began: began})
		id = tracing.ID(ctx)
		other, endOther := start(t.Context(), "other", span.Options{})
		tracing.Link(other, ctx)
		tracing.Link(ctx, ctx) // to itself: nothing
		tracing.Link(ctx, t.Context())
		endOther(nil)
		_, child := start(ctx, "child", span.Options{Part: true, Kind: span.Client})
		child(errors.New("secret"), slog.String("error.type", "throttled"), slog.String("empty", ""), slog.Int("n", 3))
		end(nil)
	})
	if got["stray"] != nil || len(got) != 3 {
		t.Errorf("spans %v", got)
	}
	root, child, other := got["root"], got["child"], got["other"]
	if root.GetStartTimeUnixNano() != uint64(began.UnixNano()) || root.GetKind() != traces.Span_SPAN_KIND_CONSUMER || len(root.GetLinks()) != 0 {
		t.Errorf("root %v", root)
	}
	if string(child.GetParentSpanId()) != string(root.GetSpanId()) || child.GetStatus().GetCode() != traces.Status_STATUS_CODE_ERROR || child.GetStatus().GetMessage() != "" {
		t.Errorf("child %v", child)
	}
	if diff := cmp.Diff(map[string]any{"error.type": "throttled", "n": int64(3)}, attrs(child)); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	if len(other.GetLinks()) != 1 || string(other.GetLinks()[0].GetTraceId()) != string(root.GetTraceId()) {
		t.Errorf("links %v", other.GetLinks())
	}
	if len(id) != 32 || tracing.ID(t.Context()) != "" {
		t.Errorf("id %q", id)
	}
}

func TestAzureSpans(t *testing.T) {
	t.Parallel()
	got := recorded(t, func(tr *tracing.Tracing) {
		tracer := tr.Azure().NewTracer("module", "v1")
		ctx, end := runtime.StartSpan(t.Context(), "Client.Op", tracer, nil)
		_, s := tracer.Start(ctx, "HTTP GET", &azure.SpanOptions{Kind: azure.SpanKindClient, Attributes: []azure.Attribute{
			{Key: "http.method", Value: "GET"},
			{Key: "http.url", Value: "https://d.example/api/x?q=secret"},
			{Key: "net.peer.name", Value: "d.example:8443"},
			{Key: "http.user_agent", Value: "left out"},
			{Key: "az.client_request_id", Value: "r1"},
		}})
		s.SetAttributes(azure.Attribute{Key: "http.status_code", Value: 429})
		s.SetStatus(azure.SpanStatusError, "secret")
		s.End()
		end(errors.New("secret"))
	})
	want := map[string]any{
		"http.request.method": "GET", "http.response.status_code": int64(429), "url.full": "https://d.example/api/x",
		"server.address": "d.example", "server.port": int64(8443), "az.client_request_id": "r1",
	}
	call := got["HTTP GET"]
	if diff := cmp.Diff(want, attrs(call)); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	if string(call.GetParentSpanId()) != string(got["Client.Op"].GetSpanId()) || call.GetKind() != traces.Span_SPAN_KIND_CLIENT {
		t.Errorf("call %v", call)
	}
	for _, s := range got {
		if strings.Contains(s.String(), "secret") {
			t.Errorf("a secret in %v", s)
		}
	}
}

func TestNothingIsRecorded(t *testing.T) {
	t.Parallel()
	var off *tracing.Tracing
	ctx, end := off.Tracer().Start(t.Context(), "x", span.Options{})
	end(errors.New("x"))
	if ctx != t.Context() || off.Azure().NewTracer("m", "v").Enabled() {
		t.Error("something is recorded")
	}
	if err := off.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}
