package apitest

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestEntraRefusing(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	form := map[string]string{"grant_type": "client_credentials", "client_id": ClientID, "client_secret": ClientSecret, "scope": s.Scope()}
	codes := []int{1} // one that nobody knows
	for _, r := range entraRefusals() {
		codes = append(codes, r.code)
	}
	for _, code := range codes {
		heal := s.Inject(EntraRefusing(code))
		status, answer := post(t, s, tokenPath, form)
		text, _ := answer["error_description"].(string)
		kind, _ := answer["error"].(string)
		if want := "AADSTS" + strconv.Itoa(code) + ": "; status < 400 || status > 401 || kind == "" || !strings.HasPrefix(text, want) || !strings.Contains(text, "Trace ID: ") {
			t.Errorf("%d: %d %v", code, status, answer)
		}
		heal()
	}
	if status, answer := post(t, s, tokenPath, form); status != http.StatusOK {
		t.Errorf("healed: %d %v", status, answer)
	}
	// The code is told through azidentity, too.
	s.Inject(EntraRefusing(7000222))
	if _, err := askThrough(t, s, secretCredential(t, s, TenantID, ClientID, ClientSecret)); err == nil || !strings.Contains(err.Error(), "AADSTS7000222") {
		t.Errorf("got %v", err)
	}
}

func TestClockSkew(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	skew := func(path string) time.Duration {
		t.Helper()
		resp, _, err := get(t, s, path)
		if err != nil {
			t.Fatal(err)
		}
		date, err := http.ParseTime(resp.Header.Get("Date"))
		if err != nil {
			t.Fatal(err)
		}
		return time.Until(date).Round(time.Minute)
	}
	for _, want := range []time.Duration{0, 7 * time.Minute, -time.Hour, 0} {
		s.SetClockSkew(want)
		for _, path := range []string{edgeKBs, "/" + TenantID + "/v2.0/.well-known/openid-configuration"} {
			if got := skew(path); got != want {
				t.Errorf("%s: off by %v, want %v", path, got, want)
			}
		}
	}
}
