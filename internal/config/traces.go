package config

import (
	"net/url"
	"strconv"
	"strings"

	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/missingkbs/missingkbs/internal/tracing"
)

// Traces are the settings of traces, under OpenTelemetry's own names. Its libraries read others from the environment, such as
// OTEL_EXPORTER_OTLP_CERTIFICATE and OTEL_BSP_SCHEDULE_DELAY.
type Traces struct {
	Disabled       string `name:"otel-sdk-disabled" env:"OTEL_SDK_DISABLED" placeholder:"BOOL" help:"true disables traces, whatever else is set."`
	Exporter       string `name:"otel-traces-exporter" env:"OTEL_TRACES_EXPORTER" unset:"none unless an endpoint is set" placeholder:"WORD" help:"Exporter: otlp or none; by default none unless an endpoint is set."`
	Endpoint       string `name:"otel-exporter-otlp-endpoint" env:"OTEL_EXPORTER_OTLP_ENDPOINT" placeholder:"URL" help:"URL of an OpenTelemetry collector, such as http://127.0.0.1:4318."`
	TracesEndpoint string `name:"otel-exporter-otlp-traces-endpoint" env:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" placeholder:"URL" help:"The full URL for traces, such as http://127.0.0.1:4318/v1/traces."`
	Protocol       string `name:"otel-exporter-otlp-protocol" env:"OTEL_EXPORTER_OTLP_PROTOCOL" unset:"http/protobuf" placeholder:"WORD" help:"Protocol; only http/protobuf is supported."`
	TracesProtocol string `name:"otel-exporter-otlp-traces-protocol" env:"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL" placeholder:"WORD" help:"The same for traces alone."`
	Headers        Secret `name:"otel-exporter-otlp-headers" env:"OTEL_EXPORTER_OTLP_HEADERS" placeholder:"LIST" help:"Headers to send to the collector, such as key=value,key=value."`
	TracesHeaders  Secret `name:"otel-exporter-otlp-traces-headers" env:"OTEL_EXPORTER_OTLP_TRACES_HEADERS" placeholder:"LIST" help:"The same for traces alone."`
	Service        string `name:"otel-service-name" env:"OTEL_SERVICE_NAME" unset:"missingkbs" placeholder:"NAME" help:"Name of this program in traces; by default missingkbs."`
	Attributes     string `name:"otel-resource-attributes" env:"OTEL_RESOURCE_ATTRIBUTES" placeholder:"LIST" help:"Resource attributes of all traces, such as key=value,key=value."`
	Sampler        string `name:"otel-traces-sampler" env:"OTEL_TRACES_SAMPLER" unset:"all traces are recorded" placeholder:"NAME" help:"Sampler, such as parentbased_traceidratio; by default all traces are recorded."`
	SamplerArg     string `name:"otel-traces-sampler-arg" env:"OTEL_TRACES_SAMPLER_ARG" placeholder:"NUMBER" help:"Ratio for the sampler, from 0 to 1."`
}

const (
	otlp         = "otlp"
	noTraces     = "none"
	httpProtobuf = "http/protobuf"
)

// read reads where traces are sent. It returns nil if none are recorded.
func (s Traces) read(e *Errors) *tracing.Options {
	if strings.EqualFold(s.Disabled, "true") {
		return nil
	}
	exporter := s.Exporter
	if exporter == "" {
		exporter = noTraces
		if s.Endpoint+s.TracesEndpoint != "" {
			exporter = otlp
		}
	}
	if e.OneOf("OTEL_TRACES_EXPORTER", exporter, otlp, noTraces) == noTraces {
		return nil
	}
	o := &tracing.Options{Service: "missingkbs", Endpoint: s.endpoint(e), Sampler: s.sampler(e)}
	for _, p := range []struct{ setting, value string }{{"OTEL_EXPORTER_OTLP_PROTOCOL", s.Protocol}, {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", s.TracesProtocol}} {
		if p.value != "" && p.value != httpProtobuf && (s.TracesProtocol == "" || p.value == s.TracesProtocol) {
			e.Add(p.setting, "takes %s, which is the only one; collectors take it at port 4318", httpProtobuf)
		}
	}
	o.Headers = pairs(e, "OTEL_EXPORTER_OTLP_HEADERS", e.Secret("OTEL_EXPORTER_OTLP_HEADERS", s.Headers))
	if s.TracesHeaders.IsSet() {
		o.Headers = pairs(e, "OTEL_EXPORTER_OTLP_TRACES_HEADERS", e.Secret("OTEL_EXPORTER_OTLP_TRACES_HEADERS", s.TracesHeaders))
	}
	o.Attributes = pairs(e, "OTEL_RESOURCE_ATTRIBUTES", s.Attributes)
	if name := o.Attributes["service.name"]; name != "" {
		o.Service = name
	}
	if s.Service != "" {
		o.Service = s.Service
	}
	delete(o.Attributes, "service.name")
	return o
}

// endpoint returns where spans are sent: the endpoint of traces as it is, or the endpoint of all signals with the path of
// traces.
func (s Traces) endpoint(e *Errors) *url.URL {
	setting, value, path := "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", s.TracesEndpoint, ""
	if value == "" {
		setting, value, path = "OTEL_EXPORTER_OTLP_ENDPOINT", s.Endpoint, "v1/traces"
	}
	if value == "" {
		value = "http://localhost:4318"
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		e.Add(setting, "takes an address such as http://127.0.0.1:4318")
		return &url.URL{}
	}
	if path != "" {
		u = u.JoinPath(path)
	}
	return u
}

// sampler chooses which traces are recorded. Traces begin in this program, so there is never a parent's choice to follow.
func (s Traces) sampler(e *Errors) sdk.Sampler {
	name, based := strings.CutPrefix(s.Sampler, "parentbased_")
	var root sdk.Sampler
	switch name {
	case "", "always_on":
		root = sdk.AlwaysSample()
	case "always_off":
		root = sdk.NeverSample()
	case "traceidratio":
		share := 1.0
		if s.SamplerArg != "" {
			n, err := strconv.ParseFloat(s.SamplerArg, 64)
			if err != nil || n < 0 || n > 1 {
				e.Add("OTEL_TRACES_SAMPLER_ARG", "takes a share from 0 to 1, such as 0.1")
			}
			share = n
		}
		root = sdk.TraceIDRatioBased(share)
	default:
		e.Add("OTEL_TRACES_SAMPLER", "takes always_on, always_off, traceidratio, or one of these after parentbased_")
		return nil
	}
	if based || s.Sampler == "" || name == "traceidratio" {
		return sdk.ParentBased(root) // record all spans of a trace, or none
	}
	return root
}

// pairs reads key=value,key=value as OpenTelemetry writes it, percent-encoded.
func pairs(e *Errors, setting, list string) map[string]string {
	out := map[string]string{}
	for pair := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		key, value, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if key = strings.TrimSpace(key); !ok || key == "" || err != nil {
			e.Add(setting, "takes a list such as key=value,key=value")
			return nil
		}
		out[key] = value
	}
	return out
}
