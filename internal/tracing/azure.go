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

// Azure returns a provider for the Azure SDK: a span for each request and, within it, one for each HTTP call, including
// retries and sign-ins. Microsoft's own module for this does not use the current naming conventions.
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
		SetStatus: func(status azure.SpanStatus, _ string) { // its text may quote Defender
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

// azureAttributes renames attributes to OpenTelemetry's conventions for HTTP, and drops the rest.
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
				u.RawQuery, u.Fragment, u.User = "", "", nil // may contain what a user typed
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
