package tracing

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"

	azure "github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Azure is what the Azure SDK tells of its calls to: a span for each question, and within it one for each HTTP call, retries
// and sign-ins included. Microsoft's own module for this does not know the present conventions for names.
func (t *Tracing) Azure() azure.Provider {
	if t == nil {
		return azure.Provider{}
	}
	return azure.NewProvider(func(name, version string) azure.Tracer {
		tracer := t.provider.Tracer(name, trace.WithInstrumentationVersion(version))
		return azure.NewTracer(func(ctx context.Context, name string, o *azure.SpanOptions) (context.Context, azure.Span) {
			ctx, s := tracer.Start(ctx, name, trace.WithSpanKind(azureKind(o.Kind)), trace.WithAttributes(azureAttributes(o.Attributes)...))
			return ctx, azureSpan(s)
		}, nil)
	}, nil)
}

func azureSpan(s trace.Span) azure.Span {
	return azure.NewSpan(azure.SpanImpl{
		End:           func() { s.End() },
		SetAttributes: func(attrs ...azure.Attribute) { s.SetAttributes(azureAttributes(attrs)...) },
		AddEvent: func(name string, attrs ...azure.Attribute) {
			s.AddEvent(name, trace.WithAttributes(azureAttributes(attrs)...))
		},
		SetStatus: func(status azure.SpanStatus, _ string) { // its text may hold what Defender says
			if status == azure.SpanStatusError {
				s.SetStatus(codes.Error, "")
			}
		},
	})
}

func azureKind(k azure.SpanKind) trace.SpanKind {
	if k == azure.SpanKindClient {
		return trace.SpanKindClient
	}
	return trace.SpanKindInternal
}

// azureAttributes gives attributes the names of OpenTelemetry's conventions for HTTP; what has none is left out.
func azureAttributes(attrs []azure.Attribute) []attribute.KeyValue {
	var out []attribute.KeyValue
	for _, a := range attrs {
		switch text := fmt.Sprint(a.Value); a.Key {
		case "http.method":
			out = append(out, attribute.String("http.request.method", text))
		case "http.status_code":
			if n, err := strconv.Atoi(text); err == nil {
				out = append(out, attribute.Int("http.response.status_code", n))
			}
		case "http.url":
			if u, err := url.Parse(text); err == nil {
				u.RawQuery, u.Fragment, u.User = "", "", nil // may hold what a person typed
				out = append(out, attribute.String("url.full", u.String()))
			}
		case "net.peer.name":
			out = append(out, server(text)...)
		case "az.client_request_id", "az.service_request_id":
			out = append(out, attribute.String(a.Key, text))
		}
	}
	return out
}

func server(host string) []attribute.KeyValue {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		return []attribute.KeyValue{attribute.String("server.address", host)}
	}
	attrs := []attribute.KeyValue{attribute.String("server.address", name)}
	if n, err := strconv.Atoi(port); err == nil {
		attrs = append(attrs, attribute.Int("server.port", n))
	}
	return attrs
}
