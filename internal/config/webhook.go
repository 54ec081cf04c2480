package config

import "github.com/missingkbs/missingkbs/internal/webhook"

// Webhook are the settings about where digests send what changed.
type Webhook struct {
	URL     string `name:"webhook-url" env:"MISSINGKBS_WEBHOOK_URL" unset:"none" placeholder:"URL" help:"URL that receives a signed event for each digest that found a change; by default none is sent."`
	Secret  Secret `name:"webhook-secret" env:"MISSINGKBS_WEBHOOK_SECRET" placeholder:"whsec_…" help:"Secret that signs the events: whsec_ followed by the base64 of 24 to 64 random bytes."`
	Private string `name:"webhook-private" env:"MISSINGKBS_WEBHOOK_PRIVATE" default:"off" placeholder:"on|off" help:"Allow private addresses as receiver (${default})."`
}

// read returns the options of the sender, or nil if no events are sent.
func (s Webhook) read(e *Errors) *webhook.Options {
	private := e.OneOf("MISSINGKBS_WEBHOOK_PRIVATE", s.Private, "on", "off") == "on"
	secret := e.Secret("MISSINGKBS_WEBHOOK_SECRET", s.Secret)
	if s.URL == "" {
		if s.Secret.IsSet() {
			e.warn("MISSINGKBS_WEBHOOK_SECRET", "has no effect without MISSINGKBS_WEBHOOK_URL")
		}
		return nil
	}
	if err := webhook.CheckURL(s.URL); err != nil {
		e.Add("MISSINGKBS_WEBHOOK_URL:", "%v", err)
	}
	switch {
	case !s.Secret.IsSet():
		e.Add("MISSINGKBS_WEBHOOK_SECRET", "is missing: receivers need it to verify events; make one with: echo whsec_$(openssl rand -base64 32)")
	case secret != "":
		if err := webhook.CheckSecret(secret); err != nil {
			e.Add("MISSINGKBS_WEBHOOK_SECRET:", "%v", err)
		}
	}
	return &webhook.Options{URL: s.URL, Secret: secret, AllowPrivate: private}
}
