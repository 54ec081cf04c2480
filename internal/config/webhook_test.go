package config

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/webhook"
)

func TestWebhookSettings(t *testing.T) {
	t.Parallel()
	secret := "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))
	file := keep(t, "secret", secret+"\n")
	const address = "https://tickets.example/hook?key=hunter2"
	for name, c := range map[string]struct {
		s    Webhook
		want *webhook.Options
		says []string
		warn bool
	}{
		"nothing":        {},
		"on":             {s: Webhook{URL: address, Secret: NewSecret(secret)}, want: &webhook.Options{URL: address, Secret: secret}},
		"private":        {s: Webhook{URL: address, Secret: NewSecret(secret), Private: "on"}, want: &webhook.Options{URL: address, Secret: secret, AllowPrivate: true}},
		"a file":         {s: Webhook{URL: address, Secret: Secret{file: file}}, want: &webhook.Options{URL: address, Secret: secret}},
		"no secret":      {s: Webhook{URL: address}, says: []string{"MISSINGKBS_WEBHOOK_SECRET is missing"}},
		"no such file":   {s: Webhook{URL: address, Secret: NewSecret("@/no/such/file")}, says: []string{"MISSINGKBS_WEBHOOK_SECRET names a file that cannot be read"}},
		"a secret alone": {s: Webhook{Secret: NewSecret(secret)}, warn: true},
		"all wrong": {
			s:    Webhook{URL: "http://tickets.example/hunter2", Secret: NewSecret("hunter2"), Private: "perhaps"},
			says: []string{"MISSINGKBS_WEBHOOK_URL: the address must begin with https://", "MISSINGKBS_WEBHOOK_SECRET: the secret", "MISSINGKBS_WEBHOOK_PRIVATE takes one of on, off"},
		},
	} {
		var m Errors
		if c.s.Private == "" {
			c.s.Private = "off"
		}
		got := c.s.read(&m)
		if len(m.All()) != len(c.says) || (len(m.Warnings()) > 0) != c.warn {
			t.Errorf("%s: errors %v, warnings %v", name, m.All(), m.Warnings())
			continue
		}
		if len(c.says) == 0 {
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			continue
		}
		for _, says := range c.says {
			if text := m.Err().Error(); !strings.Contains(text, says) || strings.Contains(text, "hunter2") {
				t.Errorf("%s: got %v, want %q", name, text, says)
			}
		}
	}
}
