package apitest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const edgeKBs = "/api/Software/microsoft-_-edge/getmissingkbs"

func TestFaultsThatAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		fault Fault
		want  func(*httptest.ResponseRecorder) bool
	}{
		{"status", Fault{Status: 500, Code: "InternalServerError", Message: "oops", Target: "t1"}, func(w *httptest.ResponseRecorder) bool {
			return w.Code == http.StatusInternalServerError && w.Body.String() == `{"error":{"code":"InternalServerError","message":"oops","target":"t1"}}`
		}},
		{"throttled", Throttled(8 * time.Second), func(w *httptest.ResponseRecorder) bool {
			return w.Code == 429 && w.Header().Get("Retry-After") == "8" && w.Header().Get("Retry-After-Ms") == "" &&
				strings.Contains(w.Body.String(), `"code":"429"`) && strings.Contains(w.Body.String(), "again in 8 seconds.") && strings.Contains(w.Body.String(), TenantID)
		}},
		{"throttled shortly", Throttled(50 * time.Millisecond), func(w *httptest.ResponseRecorder) bool {
			return w.Code == 429 && w.Header().Get("Retry-After") == "1" && w.Header().Get("Retry-After-Ms") == "50"
		}},
		{"failing", Failing(), func(w *httptest.ResponseRecorder) bool {
			return w.Code == 503 && strings.Contains(w.Body.String(), `"target":"|`)
		}},
		{"unlicensed", Unlicensed(), func(w *httptest.ResponseRecorder) bool {
			return w.Code == 401 && strings.Contains(w.Body.String(), "Unauthorized request - reason of failure: No Tvm license")
		}},
		{"lying", Lying(), func(w *httptest.ResponseRecorder) bool {
			return w.Code == 200 && strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") && strings.HasPrefix(w.Body.String(), "<!DOCTYPE html>")
		}},
		{"body", Fault{Status: 418, Body: `{"value":null}`}, func(w *httptest.ResponseRecorder) bool {
			return w.Code == 418 && w.Body.String() == `{"value":null}` && strings.HasPrefix(w.Header().Get("Content-Type"), "application/json")
		}},
		{"link", Fault{NextLink: "https://elsewhere.test/x"}, func(w *httptest.ResponseRecorder) bool {
			return w.Code == 200 && strings.HasSuffix(w.Body.String(), `"@odata.nextLink":"https://elsewhere.test/x"}`) && strings.Contains(w.Body.String(), "4540673")
		}},
		{"circle", Fault{NextLink: Self}, func(w *httptest.ResponseRecorder) bool {
			return strings.HasSuffix(w.Body.String(), `"@odata.nextLink":"https://defender.test`+edgeKBs+`"}`)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ten := NewTenant(Options{})
			remove := ten.Inject(c.fault)
			for range 2 {
				if w := ask(t, ten, edgeKBs); !c.want(w) {
					t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
				}
			}
			remove()
			remove()
			if w := ask(t, ten, edgeKBs); w.Code != 200 || strings.Contains(w.Body.String(), "nextLink") || w.Header().Get("Retry-After") != "" {
				t.Errorf("removed: %d %s", w.Code, w.Body)
			}
		})
	}
}

func TestFaultsFitByPath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault, path string
		want        int
	}{
		{"", edgeKBs, 503},
		{"", "/api/machines", 503},
		{"/api/software", edgeKBs, 503},
		{"/API/Software/MICROSOFT-_-edge", "/api/v1.0/Software/microsoft-_-edge", 503},
		{"/api/Software/microsoft-_-edge/g", "/api/Software/microsoft-_-edge", 200},
		{"/api/machines", edgeKBs, 200},
		{"/api/Software/a b", "/api/Software/a%20b", 503},
		{EntraPath, edgeKBs, 200},
	} {
		ten := NewTenant(Options{})
		ten.Inject(Fault{Path: c.fault, Status: 503})
		if w := ask(t, ten, c.path); w.Code != c.want {
			t.Errorf("fault at %q: %s gets %d, want %d", c.fault, c.path, w.Code, c.want)
		}
	}
}

func TestFaultsInTurn(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	ten.Inject(Fault{Times: 2, Status: 500})
	ten.Inject(Fault{Times: 1, Status: 503})
	ten.Inject(Fault{Path: "/api/machines", Status: 504})
	for i, want := range []int{500, 500, 503, 200, 200} {
		if w := ask(t, ten, edgeKBs); w.Code != want {
			t.Errorf("call %d: %d, want %d", i, w.Code, want)
		}
	}
	if w := ask(t, ten, "/api/machines"); w.Code != 504 {
		t.Errorf("machines: %d, want 504", w.Code)
	}
	ten.Heal()
	if w := ask(t, ten, "/api/machines"); w.Code != 200 {
		t.Errorf("healed: %d, want 200", w.Code)
	}
}

func TestDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ten := NewTenant(Options{})
		ten.Inject(Slow(3 * time.Second))
		ten.Inject(Fault{Name: "down", Delay: time.Second, Status: 503})
		begin := time.Now()
		if w := ask(t, ten, edgeKBs); w.Code != 503 || time.Since(begin) != 4*time.Second {
			t.Errorf("%d after %v, want 503 after both delays", w.Code, time.Since(begin))
		}
		if c := ten.Calls()[0]; c.Duration != 4*time.Second || c.Fault != "down" || c.Status != 503 {
			t.Errorf("%+v", c)
		}
	})
}

func TestDelayEndsWhenTheClientLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ten := NewTenant(Options{})
		ten.Inject(Slow(time.Hour))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		ten.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "https://defender.test"+edgeKBs, nil))
		if took := time.Since(begin); took != time.Second {
			t.Errorf("it took %v, want 1s", took)
		}
		if ten.Count("") != 1 || ten.Calls()[0].Status != 0 {
			t.Errorf("%+v", ten.Calls())
		}
	})
}

// TestCut checks over the network that the body ends too early.
func TestCut(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	s.Inject(CutShort())
	_, body, err := get(t, s, edgeKBs)
	if err == nil || len(body) > 20 {
		t.Errorf("%d bytes, %v; want an error after at most 20", len(body), err)
	}
	s.Heal()
	s.Inject(Fault{Cut: 1 << 20})
	if _, body, err = get(t, s, edgeKBs); err != nil || !json.Valid(body) {
		t.Errorf("a cut behind the end: %v", err)
	}
}

func TestCutOverHTTP1(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	s.Inject(Fault{Status: 500, Code: "InternalServerError", Cut: 5})
	plain := s.Client().Transport.(*http.Transport).Clone()
	plain.ForceAttemptHTTP2, plain.TLSClientConfig.NextProtos = false, []string{"http/1.1"}
	defer plain.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+edgeKBs, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := plain.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if body, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) || len(body) != 5 || resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("%d %q, %v; want 5 bytes and an unexpected end", resp.StatusCode, body, err)
	}
}

func TestQuota(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ten := NewTenant(Options{})
		ten.SetQuota(3)
		statuses := func(n int) (out []int) {
			for range n {
				out = append(out, ask(t, ten, edgeKBs).Code)
			}
			return out
		}
		if got := statuses(4); got[2] != 200 || got[3] != 429 {
			t.Errorf("four calls at three a minute: %v", got)
		}
		time.Sleep(52 * time.Second)
		w := ask(t, ten, edgeKBs)
		code, message, target := failed(t, w)
		const want = "API calls quota exceeded! Maximum allowed 3 per 00:01:00 for the key Destination+TenantID+AppID. You can send requests again in 8 seconds."
		if code != "429" || message != want || target != TenantID || w.Header().Get("Retry-After") != "8" {
			t.Errorf("%s %q target %s, Retry-After %s", code, message, target, w.Header().Get("Retry-After"))
		}
		time.Sleep(8 * time.Second)
		if got := statuses(4); got[2] != 200 || got[3] != 429 {
			t.Errorf("in the next minute: %v", got)
		}
		ten.SetQuota(0)
		if got := statuses(9); got[8] != 200 {
			t.Errorf("without a quota: %v", got)
		}
	})
}
