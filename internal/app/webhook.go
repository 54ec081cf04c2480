package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/metrics"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/webhook"
)

// events creates the events of digests and sends them to the webhook.
type events struct {
	send  func(ctx context.Context, id string, at time.Time, body []byte) error
	count func(result string)
	now   func() time.Time // the clock of digests
	log   *slog.Logger
}

// newEvents returns nil without a webhook.
func (a *App) newEvents() (*events, error) {
	if a.Webhook == nil {
		return nil, nil //nolint:nilnil // no webhook is not an error
	}
	sender, err := webhook.New(*a.Webhook)
	if err != nil {
		return nil, err
	}
	return &events{send: sender.Send, count: a.Monitor.Metrics.Webhook, now: a.Now, log: a.Log}, nil
}

// of returns the event of a digest. It is empty if no update is new, grew, shrank or closed.
func (e *events) of(key string, r digest.Report) (digest.Event, error) {
	c := r.Told()
	s := r.Subscription
	data := webhook.Data{
		Tenant: s.Tenant, Digest: s.ID, Name: s.Name(), Channel: s.Channel, Due: r.Due.UTC(), AsOf: r.After.At.UTC(), Since: r.Before.At.UTC(),
		New: updates(c.New, c.Reopened, c.Added), Grew: updates(c.Grew, c.Rose), Shrank: updates(c.Shrank, c.Fell), Closed: updates(c.Closed, c.Unlisted),
	}
	if len(data.New)+len(data.Grew)+len(data.Shrank)+len(data.Closed) == 0 {
		return digest.Event{}, nil
	}
	body, err := webhook.Event{Type: webhook.TypeChanged, Timestamp: e.now(), Data: data}.Encode()
	if err != nil {
		return digest.Event{}, err
	}
	return digest.Event{ID: webhook.ID(key), Body: string(body)}, nil
}

func updates(lists ...[]patchgap.Change) []webhook.Update {
	var all []webhook.Update
	for _, list := range lists {
		for _, c := range list {
			u := c.Update()
			all = append(all, webhook.Update{
				KB: catalog.Label(u.KB()), Name: u.Name(), Software: u.Software(),
				Devices: c.Now.Devices, Before: c.Was.Devices, CVEs: u.CVEs, URL: u.Address(),
			})
		}
	}
	return all
}

// deliver sends an event once, and logs and counts the result.
func (e *events) deliver(ctx context.Context, event digest.Event, last bool) error {
	err := e.send(ctx, event.ID, time.Now(), []byte(event.Body))
	log := e.log.With("id", event.ID, "error", err)
	switch {
	case err == nil:
		e.count(metrics.WebhookSent)
	case webhook.Permanent(err):
		e.count(metrics.WebhookRefused)
		log.ErrorContext(ctx, "an event for the webhook is lost: no later attempt can succeed; run missingkbs doctor")
		return errors.Join(store.ErrNoRetry, err)
	case errors.Is(ctx.Err(), context.Canceled): // a shutdown; the next process sends it
	case last:
		e.count(metrics.WebhookGivenUp)
		log.ErrorContext(ctx, "an event for the webhook is lost: it could not be sent for a day; run missingkbs doctor")
	default:
		e.count(metrics.WebhookFailed)
		log.WarnContext(ctx, "could not send an event to the webhook; it will be sent again")
	}
	return err
}
