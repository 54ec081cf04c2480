package config

import (
	"strings"
	"testing"
)

func TestSocketSettings(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]int{"1": 1, "2": 2, "5": 5, "0": -1, "6": -1, "-1": -1, "two": -1, "": -1} {
		var m Errors
		got := Sockets{Sockets: value}.read(&m)
		if wrong := m.Err() != nil; wrong != (want < 0) || !wrong && got != want {
			t.Errorf("%q: got %d, %v", value, got, m.Err())
		}
	}
}

func TestHTTPAddress(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]struct {
		addr string
		says string
	}{
		"127.0.0.1:8080":  {addr: "127.0.0.1:8080"},
		":9090":           {addr: ":9090"},
		"[::1]:0":         {addr: "[::1]:0"},
		"":                {},
		"8080":            {says: "HTTP_ADDR takes a host and a port"},
		"localhost":       {says: "HTTP_ADDR takes a host and a port"},
		"localhost:web":   {says: "HTTP_ADDR takes a host and a port"},
		"localhost:70000": {says: "HTTP_ADDR takes a host and a port"},
	} {
		var m Errors
		got := AdminServer{Addr: value, Profiles: "false"}.Read(&m)
		err := m.Err()
		if (err == nil) != (want.says == "") || err != nil && !strings.Contains(err.Error(), want.says) || err == nil && got.Addr != want.addr {
			t.Errorf("%q: got %+v, %v", value, got, err)
		}
	}
}

func TestTraceSettings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		s        Traces
		off      bool
		endpoint string
		says     string
	}{
		"nothing":           {off: true},
		"endpoint":          {s: Traces{Endpoint: "http://c:4318"}, endpoint: "http://c:4318/v1/traces"},
		"endpoint and path": {s: Traces{Endpoint: "https://c/otlp/"}, endpoint: "https://c/otlp/v1/traces"},
		"traces endpoint":   {s: Traces{Endpoint: "http://c", TracesEndpoint: "https://d/here"}, endpoint: "https://d/here"},
		"exporter alone":    {s: Traces{Exporter: "otlp"}, endpoint: "http://localhost:4318/v1/traces"},
		"none":              {s: Traces{Endpoint: "http://c:4318", Exporter: "none"}, off: true},
		"disabled":          {s: Traces{Endpoint: "http://c:4318", Disabled: "true"}, off: true},
		"not disabled":      {s: Traces{Endpoint: "http://c:4318", Disabled: "false"}, endpoint: "http://c:4318/v1/traces"},
		"wrong exporter":    {s: Traces{Exporter: "zipkin"}, says: "OTEL_TRACES_EXPORTER takes one of"},
		"wrong endpoint":    {s: Traces{Endpoint: "c:4318"}, says: "OTEL_EXPORTER_OTLP_ENDPOINT takes an address"},
		"grpc":              {s: Traces{Endpoint: "http://c", Protocol: "grpc"}, says: "OTEL_EXPORTER_OTLP_PROTOCOL takes http/protobuf"},
		"grpc for others":   {s: Traces{Endpoint: "http://c", Protocol: "grpc", TracesProtocol: "http/protobuf"}, endpoint: "http://c/v1/traces"},
		"sampler":           {s: Traces{Endpoint: "http://c", Sampler: "parentbased_traceidratio", SamplerArg: "0.1"}, endpoint: "http://c/v1/traces"},
		"wrong sampler":     {s: Traces{Endpoint: "http://c", Sampler: "some"}, says: "OTEL_TRACES_SAMPLER takes"},
		"wrong share":       {s: Traces{Endpoint: "http://c", Sampler: "traceidratio", SamplerArg: "2"}, says: "OTEL_TRACES_SAMPLER_ARG takes a share"},
		"wrong headers":     {s: Traces{Endpoint: "http://c", Headers: Secret{text: "hunter2"}}, says: "OTEL_EXPORTER_OTLP_HEADERS takes a list"},
		"wrong attributes":  {s: Traces{Endpoint: "http://c", Attributes: "hunter2"}, says: "OTEL_RESOURCE_ATTRIBUTES takes a list"},
	} {
		var m Errors
		got := c.s.read(&m)
		err := m.Err()
		switch {
		case c.says != "":
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: got %v, want %q", name, err, c.says)
			}
		case err != nil || (got == nil) != c.off || got != nil && got.Endpoint.String() != c.endpoint:
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

// Go ignores a proxy that it cannot read. The warning names the variable, not its value.
func TestUnreadableProxies(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]int{
		"": 0, "proxy.example:3128": 0, "http://me:50%25off@proxy.example": 0, "http://me:50%off@proxy.example:3128": 1, "me:50%off@proxy.example": 1,
	} {
		if got := UnreadableProxies(env(map[string]string{"http_proxy": value})); len(got) != want || want == 1 && got[0] != "http_proxy" {
			t.Errorf("%q: got %q, want %d names", value, got, want)
		}
	}
}
