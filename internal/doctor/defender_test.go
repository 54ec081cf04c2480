package doctor

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// region is a host that takes its time, and wants no token.
func region(t *testing.T, takes time.Duration) *httptest.Server {
	t.Helper()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("a token was sent")
		}
		time.Sleep(takes)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestDoctorRegion(t *testing.T) {
	t.Parallel()
	far, near, middle := region(t, 400*time.Millisecond), region(t, 0), region(t, 200*time.Millisecond)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: far.Client().Transport.(*http.Transport).TLSClientConfig}}
	client.Transport.(*http.Transport).TLSClientConfig.InsecureSkipVerify = true //nolint:gosec // three servers, three certificates
	hosts := map[string]string{"eu": near.URL, "us": middle.URL, "gone": "https://127.0.0.1:1"}
	got := nearest(t.Context(), client, far.URL, hosts)
	if len(got) != 1 || got[0].Status != Warn || got[0].Cure != "set DEFENDER_REGION=eu" || !strings.Contains(got[0].Found, "the region eu in ") {
		t.Errorf("far away: %+v", got)
	}
	for name, used := range map[string]string{"the nearest": near.URL} {
		if got := nearest(t.Context(), client, used, hosts); len(got) != 1 || got[0].Status != OK {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := nearest(t.Context(), client, "https://127.0.0.1:1", hosts); len(got) != 1 || got[0].Status != Skip {
		t.Errorf("not there: %+v", got)
	}
}
