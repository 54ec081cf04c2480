package api

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/missingkbs/missingkbs/internal/quota"
)

// seedBodies are answers as Defender gives them, and as what stands in its place does.
func seedBodies() []string {
	return []string{
		edge,
		`{"@odata.context":"c","@odata.count":2,"value":[{"id":"5000001","name":"2026-11 Cumulative Update","osBuild":22631,"productsNames":["windows_11",null],"url":null,"machineMissedOn":57,"cveAddressed":60},` +
			`{"id":"KB5000001","osBuild":"22631.4037","machineMissedOn":"58","cveAddressed":6e1}],"@odata.nextLink":"https://defender.example/api/Software?$skip=10000"}`,
		`{"value":[{"id":"microsoft-_-edge","name":"edge","vendor":"microsoft","weaknesses":467,"publicExploit":true,"activeAlert":false,"exposedMachines":172,"installedMachines":200,"impactScore":2.39947438,"category":"","distributions":[]}]}`,
		`{"@odata.context":"c","id":"microsoft-_-edge","name":"edge","vendor":"microsoft","weaknesses":467,"publicExploit":false,"activeAlert":false,"exposedMachines":172,"impactScore":0}`,
		`{"value":[{"id":"1e5bc9d7e413ddd7902c2932e418702b84d0cc07","computerDnsName":"web-01 ","firstSeen":"2018-08-02T14:55:03.7791856Z","lastSeen":"2026-11-20T14:55:03Z","osPlatform":"Windows10","version":"1709",` +
			`"osBuild":18209,"healthStatus":"Active","rbacGroupId":140,"rbacGroupName":null,"riskScore":"Low","exposureLevel":"Medium","aadDeviceId":null,"machineTags":["tag 1",null],"ipAddresses":[{"ipAddress":"10.0.0.1"}]}]}`,
		`{"id":"1e5b","computerDnsName":"WEB-01","osBuild":null,"machineTags":null,"lastSeen":"yesterday","onboardingStatus":"Onboarded"}`,
		`{"value":[{"id":"microsoft-_-edge","impactScore":2e999}]}`,
		`{"value":[]}`, `{"value":null}`, `{}`, `[]`, `null`, ``, `"x"`, `{"value":{"id":1}}`, `{"value":[[]]}`, `{"id":["a"]}`,
		`<!DOCTYPE html><html><head><title>Sign in</title></head></html>`, "\xef\xbb\xbf{\"value\":[]}", `{"value":[{"id":"1"`, "\x1f\x8b\x08\x00",
		refusal("ResourceNotFound", "Machine 0123 was not found"), refusal("Forbidden", "Missing application roles. API required roles: Software.Read.All,A, application roles: B."),
		refusal("429", "API calls quota exceeded! Maximum allowed 30 per 00:01:00 for the key Destination+TenantID+AppID. You can send requests again in 8 seconds."),
		`{"error":{"code":5,"message":["m"],"target":{}}}`, `{"error":"nope"}`, `{"@odata.nextLink":"https://evil.example/api/Software","value":[]}`, `{"@odata.nextLink":"?$skip=1","value":[{"id":"a"}]}`,
		`{"@odata.nextLink":"httpsV//evil.example/Software","value":[]}`,
	}
}

// FuzzBodies lets every question of the client be answered with any status and any body. Nothing crashes, the token
// stays with its host, an error is one of ours, and what is read makes sense.
func FuzzBodies(f *testing.F) {
	for i, body := range seedBodies() {
		for _, status := range []int{200, []int{400, 401, 403, 404, 429, 500, 302, 206}[i%8]} {
			f.Add(uint16(status), []byte(body))
		}
	}
	f.Add(uint16(http.StatusTooManyRequests), []byte(refusal("429", "You can send requests again in 3600 seconds.")))
	f.Add(uint16(http.StatusOK), []byte(`{"@odata.nextLink":"https://DEFENDER.example:443/api/Software?$skip=1","value":[]}`))
	f.Add(uint16(http.StatusOK), []byte(`{"@odata.nextLink":"x`+strings.Repeat("\xc6", 4000)+`","value":[]}`))
	var status int
	var body string
	calls, stray := 0, ""
	client := newTestClient(f, func(o *Options) {
		o.CacheTTL, o.Retry = -1, policy.RetryOptions{MaxRetries: -1}
		o.Cloud.Endpoint = "https://defender.example"
		o.Transport = inMemory(func(r *http.Request) (*http.Response, error) {
			if calls++; calls > 20 {
				return nil, errors.New("asked too often")
			}
			if !strings.EqualFold(strings.TrimSuffix(r.URL.Host, ":443"), "defender.example") || !strings.Contains(r.Header.Get("Authorization"), secretToken) {
				stray = r.URL.String()
			}
			return reply(r, status, body, "Content-Type", "application/json"), nil
		})
	})
	f.Fuzz(func(t *testing.T, code uint16, raw []byte) {
		status, body, stray = 200+int(code)%400, string(raw), ""
		if code < 600 {
			status = max(200, int(code))
		}
		for name, ask := range questions(client) {
			calls = 0
			client.limiter.mu.Lock()
			client.limiter.own = quota.NewLimiter(-1, -1, 0) // the next question would wait for as long as the last answer said
			client.limiter.mu.Unlock()
			err := ask(t)
			if stray != "" {
				t.Fatalf("%s: the token went to %s", name, stray)
			}
			if calls > 20 {
				t.Fatalf("%s: asked for ever", name)
			}
			if err != nil {
				saneError(t, name, err)
			} else if status != http.StatusOK && (status != http.StatusNotFound || name != "MachinesByName" && name != "LastSeen") {
				t.Fatalf("%s: took an answer with status %d", name, status)
			}
		}
	})
}

// questions are the calls that the client makes. Each checks what it reads.
func questions(c *Client) map[string]func(*testing.T) error {
	ctx := context.Background()
	return map[string]func(*testing.T) error{
		"MissingKBs": func(t *testing.T) error {
			t.Helper()
			a, err := c.MissingKBs(ctx, "microsoft-_-edge")
			for _, kb := range a.Value {
				sane(t, kb.ID+kb.Name, kb.MachineMissedOn, kb.CVEAddressed)
			}
			return err
		},
		"SoftwareByID": func(t *testing.T) error {
			t.Helper()
			a, err := c.SoftwareByID(ctx, "microsoft-_-edge")
			if err == nil {
				saneSoftware(t, a.Value)
			}
			return err
		},
		"Catalog": func(t *testing.T) error {
			t.Helper()
			a, err := c.Catalog(ctx)
			for i, s := range a.Value {
				saneSoftware(t, s)
				if i > 0 && a.Value[i-1].ID >= s.ID {
					t.Fatalf("%q stands before %q", a.Value[i-1].ID, s.ID)
				}
			}
			return err
		},
		"MachineByID": func(t *testing.T) error {
			t.Helper()
			a, err := c.MachineByID(ctx, "0123")
			if err == nil {
				sane(t, a.Value.ID)
			}
			return err
		},
		"SoftwareMachines": func(t *testing.T) error {
			t.Helper()
			a, err := c.SoftwareMachines(ctx, "microsoft-_-edge")
			for _, m := range a.Value {
				sane(t, m.ID)
			}
			return err
		},
		"VulnerabilityByID": func(t *testing.T) error {
			t.Helper()
			a, err := c.VulnerabilityByID(ctx, "CVE-2026-1")
			if v := a.Value; err == nil {
				sane(t, v.ID, v.ExposedMachines)
				if !(v.CVSSV3 >= 0 && v.CVSSV3 <= 10 && v.EPSS >= 0 && v.EPSS <= 1) {
					t.Fatalf("scores of %+v", v)
				}
			}
			return err
		},
		"KBFindings": func(t *testing.T) error {
			t.Helper()
			a, err := c.KBFindings(ctx, "5094128")
			for _, d := range a.Value.Devices {
				sane(t, d.MachineID, d.CVEs)
			}
			for _, v := range a.Value.CVEs {
				sane(t, v.ID, v.Devices)
			}
			return err
		},
		"LastSeen": func(t *testing.T) error {
			t.Helper()
			_, err := c.LastSeen(ctx)
			return err
		},
		"MachinesByName": func(t *testing.T) error {
			t.Helper()
			a, err := c.MachinesByName(ctx, "web")
			for _, m := range a.Value {
				sane(t, m.ID)
				if m.MachineTags == nil {
					t.Fatalf("tags of %+v", m)
				}
			}
			return err
		},
	}
}

func saneSoftware(t *testing.T, s Software) {
	t.Helper()
	sane(t, s.ID, s.Weaknesses, s.ExposedMachines, s.InstalledMachines)
	if s.ImpactScore < 0 || math.IsNaN(s.ImpactScore) || math.IsInf(s.ImpactScore, 0) {
		t.Fatalf("impact of %+v", s)
	}
}

func sane(t *testing.T, name string, counts ...int) {
	t.Helper()
	if name == "" {
		t.Fatal("a row without a name")
	}
	if slices.ContainsFunc(counts, func(n int) bool { return n < 0 || n > math.MaxInt32 }) {
		t.Fatalf("%s: counts %v", name, counts)
	}
}

// saneError checks that an error is ours, of one kind, on one line, and holds no secret.
func saneError(t *testing.T, name string, err error) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || !slices.Contains(kinds(), e.Kind) {
		t.Fatalf("%s: %v (%T) is of no kind", name, err, err)
	}
	if text := err.Error() + e.Target; strings.Contains(text, secretToken) || strings.ContainsFunc(text, unicode.IsControl) || len(text) > 10_000 {
		t.Fatalf("%s: the error reads %q", name, text)
	}
	if e.RetryAfter < 0 {
		t.Fatalf("%s: again in %v", name, e.RetryAfter)
	}
}
