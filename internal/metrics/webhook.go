package metrics

// The results of an attempt to send an event to the webhook.
const (
	WebhookSent    = "sent"
	WebhookFailed  = "failed"   // will be retried
	WebhookGivenUp = "given_up" // the attempts are used up
	WebhookRefused = "refused"  // no retry can succeed
)

func (m *Metrics) webhookMetrics() {
	m.webhook = m.counter("webhook_total", "Attempts to send an event to the webhook, by result: failed attempts are retried, given-up or refused events are lost.", "result")
	for _, result := range []string{WebhookSent, WebhookFailed, WebhookGivenUp, WebhookRefused} {
		m.webhook.WithLabelValues(result)
	}
}

// Webhook counts an attempt to send an event.
func (m *Metrics) Webhook(result string) {
	m.webhook.WithLabelValues(m.bound.of("webhook", result)).Inc()
}
