package doctor

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/missingkbs/missingkbs/internal/webhook"
)

// A receiver gets a signed event of the type test; whatever is wrong has a cure, and no finding repeats the address.
func TestWebhookCheck(t *testing.T) {
	t.Parallel()
	secret := "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	status := http.StatusNoContent
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var event webhook.Event
		if err := verifier.Verify(body, r.Header); err != nil || json.Unmarshal(body, &event) != nil || event.Type != webhook.TypeTest {
			t.Errorf("got %s: %v", body, err)
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	check := func(o *webhook.Options) Finding {
		c := &Checker{now: time.Now}
		c.values.Webhook = o
		found := c.webhook(t.Context())
		if len(found) != 1 || strings.Contains(found[0].Found+found[0].Cure, "hunter2") {
			t.Fatalf("found %+v", found)
		}
		return found[0]
	}
	o := webhook.Options{URL: server.URL + "/hook?key=hunter2", Secret: secret, AllowPrivate: true, Client: server.Client()}
	for code, want := range map[int]string{
		http.StatusNoContent: "", http.StatusFound: "redirects are not followed", http.StatusUnauthorized: "the same secret",
		http.StatusGone: "wants no more events", http.StatusInternalServerError: "log of the receiver",
	} {
		status = code
		f := check(&o)
		if (f.Status == OK) != (want == "") || !strings.Contains(f.Cure, want) {
			t.Errorf("%d: %+v", code, f)
		}
	}
	public, untrusted := o, o
	public.AllowPrivate, untrusted.Client = false, nil
	if f := check(&public); f.Status != Fail || !strings.Contains(f.Cure, "MISSINGKBS_WEBHOOK_PRIVATE=on") {
		t.Errorf("a private address: %+v", f)
	}
	if f := check(&untrusted); f.Status != Fail || !strings.Contains(f.Cure, "SSL_CERT_FILE") {
		t.Errorf("an unknown certificate: %+v", f)
	}
	if f := check(nil); f.Status != OK || !strings.Contains(f.Found, "no events are sent") {
		t.Errorf("no webhook: %+v", f)
	}
}
