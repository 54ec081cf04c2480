// Package tracing records spans and sends them to an OpenTelemetry collector, by OTLP over HTTP. It knows OpenTelemetry
// and how the Azure SDK reports its HTTP calls; the rest of the program only sees package span. It reads no settings
// itself, apart from those that the OpenTelemetry libraries read from the environment. Only the collector sees trace
// ids: nothing is added to what is sent to Slack or Defender.
package tracing

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/missingkbs/missingkbs/internal/httpclient"
	"github.com/missingkbs/missingkbs/internal/span"
)

// Options configure where spans go and how they describe the program.
type Options struct {
	Endpoint   *url.URL          // of the collector, including its path, such as http://127.0.0.1:4318/v1/traces
	Headers    map[string]string // secret
	Service    string
	Version    string
	Attributes map[string]string // of the resource
	Sampler    sdk.Sampler       // nil for all traces
	Log        *slog.Logger
}

// Tracing records spans. A nil one records none.
type Tracing struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

const scope = "github.com/missingkbs/missingkbs"

// exportTime bounds one export.
const exportTime = 10 * time.Second

// Start begins to record. It opens no connection.
func Start(ctx context.Context, o Options) (*Tracing, error) {
	client := []otlptracehttp.Option{
		otlptracehttp.WithEndpointURL(o.Endpoint.String()),
		otlptracehttp.WithTimeout(exportTime),
	}
	if len(o.Headers) > 0 {
		client = append(client, otlptracehttp.WithHeaders(o.Headers))
	}
	exporter, err := otlptracehttp.New(ctx, client...)
	if err != nil {
		return nil, fmt.Errorf("start to export traces: %w", err)
	}
	// The libraries report what they cannot send only through this handler.
	otel.SetErrorHandler(&complaints{log: o.Log})
	sampler := o.Sampler
	if sampler == nil {
		sampler = sdk.AlwaysSample()
	}
	attrs := []attribute.KeyValue{attribute.String("service.name", o.Service), attribute.String("service.version", o.Version)}
	for k, v := range o.Attributes {
		attrs = append(attrs, attribute.String(k, v))
	}
	provider := sdk.NewTracerProvider(
		sdk.WithBatcher(exporter, sdk.WithExportTimeout(exportTime)),
		sdk.WithResource(resource.NewSchemaless(attrs...)),
		sdk.WithSampler(sampler),
	)
	return &Tracing{provider: provider, tracer: provider.Tracer(scope, trace.WithInstrumentationVersion(o.Version))}, nil
}

// Stop sends what was recorded, while ctx allows it, and records no more.
func (t *Tracing) Stop(ctx context.Context) error {
	if t == nil {
		return nil
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("send the last traces: %w", httpclient.WithoutURL(err))
	}
	return nil
}

// Tracer returns the tracer for the parts of the program.
func (t *Tracing) Tracer() span.Tracer {
	if t == nil {
		return nil
	}
	return t.start
}

func (t *Tracing) start(ctx context.Context, name string, o span.Options) (context.Context, span.End) {
	if o.Part && !trace.SpanContextFromContext(ctx).IsValid() {
		return ctx, func(error, ...slog.Attr) {}
	}
	options := []trace.SpanStartOption{trace.WithSpanKind(kind(o.Kind)), trace.WithAttributes(attributes(o.Attrs)...)}
	if !o.Began.IsZero() {
		options = append(options, trace.WithTimestamp(o.Began))
	}
	ctx, s := t.tracer.Start(ctx, name, options...)
	return ctx, func(err error, attrs ...slog.Attr) {
		s.SetAttributes(attributes(attrs)...)
		if err != nil {
			s.SetStatus(codes.Error, "")
		}
		s.End()
	}
}

// Link records that the work of ctx waits for work in another trace.
func Link(ctx, other context.Context) {
	mine, theirs := trace.SpanFromContext(ctx), trace.SpanContextFromContext(other)
	if theirs.IsValid() && !theirs.Equal(mine.SpanContext()) {
		mine.AddLink(trace.Link{SpanContext: theirs})
	}
}

// ID returns the ID of ctx's trace, or "".
func ID(ctx context.Context) string {
	if c := trace.SpanContextFromContext(ctx); c.IsValid() {
		return c.TraceID().String()
	}
	return ""
}

func kind(k span.Kind) trace.SpanKind {
	switch k {
	case span.Consumer:
		return trace.SpanKindConsumer
	case span.Client:
		return trace.SpanKindClient
	}
	return trace.SpanKindInternal
}

func attributes(attrs []slog.Attr) []attribute.KeyValue {
	out := make([]attribute.KeyValue, 0, len(attrs))
	for _, a := range attrs {
		switch v := a.Value.Resolve(); v.Kind() {
		case slog.KindBool:
			out = append(out, attribute.Bool(a.Key, v.Bool()))
		case slog.KindInt64:
			out = append(out, attribute.Int64(a.Key, v.Int64()))
		case slog.KindFloat64:
			out = append(out, attribute.Float64(a.Key, v.Float64()))
		default:
			if text := v.String(); text != "" {
				out = append(out, attribute.String(a.Key, text))
			}
		}
	}
	return out
}

// complaints logs the libraries' errors, but not each one: an unreachable collector is not news every five seconds.
type complaints struct {
	log  *slog.Logger
	mu   sync.Mutex
	last time.Time
}

// Handle implements [otel.ErrorHandler].
func (c *complaints) Handle(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.last) < 5*time.Minute {
		return
	}
	c.last = time.Now()
	c.log.Warn("could not send traces; logged at most every five minutes", "error", httpclient.WithoutURL(err))
}
