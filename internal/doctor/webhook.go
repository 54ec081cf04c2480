package doctor

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/webhook"
)

// webhook sends a signed test event.
func (c *Checker) webhook(ctx context.Context) []Finding {
	o := c.values.Webhook
	switch {
	case c.hasError("MISSINGKBS_WEBHOOK_"):
		return skip("a setting of the webhook is wrong")
	case o == nil:
		return pass("MISSINGKBS_WEBHOOK_URL is not set: no events are sent")
	}
	options := *o
	options.Version = c.Version
	sender, err := webhook.New(options)
	if err != nil {
		return fail(err.Error(), "correct MISSINGKBS_WEBHOOK_URL and MISSINGKBS_WEBHOOK_SECRET")
	}
	now := c.now()
	body, err := webhook.Event{Type: webhook.TypeTest, Timestamp: now, Data: webhook.Data{Tenant: digest.DefaultTenant, Due: now.UTC(), AsOf: now.UTC()}}.Encode()
	if err != nil {
		return fail(err.Error(), "this is a fault of missingkbs: please report it")
	}
	host := webhookHost(o.URL)
	began := time.Now()
	if err := sender.Send(ctx, webhook.ID("test/"+now.UTC().Format(time.RFC3339Nano)), now, body); err != nil {
		return fail(host+" did not take a test event: "+err.Error(), webhookCure(err))
	}
	return pass(host + " took a signed test event in " + millis(time.Since(began)))
}

// webhookHost returns the host of an address. The rest may hold a secret.
func webhookHost(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the webhook"
	}
	return u.Host
}

func webhookCure(err error) string {
	status, answered := errors.AsType[*webhook.StatusError](err)
	switch {
	case errors.Is(err, webhook.ErrForbiddenAddress):
		return "its name leads to an address that is not public: set MISSINGKBS_WEBHOOK_PRIVATE=on if it is meant to; link-local addresses are never allowed"
	case errors.Is(err, webhook.ErrGone):
		return "the receiver wants no more events: correct or remove MISSINGKBS_WEBHOOK_URL"
	case answered && status.Redirect():
		return "set MISSINGKBS_WEBHOOK_URL to the address that it redirects to: redirects are not followed"
	case answered && status.Denied():
		return "the receiver must have the same secret as MISSINGKBS_WEBHOOK_SECRET and take events of the type test; see docs/webhook.md"
	case answered:
		return "see the log of the receiver; it must answer 2xx to events of the type test"
	}
	return networkCure(err)
}
