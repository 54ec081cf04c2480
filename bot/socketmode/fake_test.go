package socketmode

import (
	"context"
	"sync"
	"testing"

	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/bot/slacktest"
)

// piped runs sockets on such a Slack.
type piped struct {
	*Connections
	health *Health
	tokens *slackapi.Tokens
	ended  chan error
	stop   func() // and waits
}

func runSockets(t *testing.T, s *slacktest.PipeSlack, o Options) *piped {
	t.Helper()
	return runWith(t, s, slackapi.NewTokens("xapp-1", "xoxb-1"), o)
}

func runWith(t *testing.T, s *slacktest.PipeSlack, tokens *slackapi.Tokens, o Options) *piped {
	t.Helper()
	o.Health, o.Dial = NewHealth(), s.Dial
	p := &piped{Connections: New(slackapi.Config{Tokens: tokens, APIURL: slacktest.APIURL, HTTP: s.Client()}, o), health: o.Health, tokens: tokens, ended: make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { p.ended <- p.Run(ctx) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		<-p.ended //nolint:errcheck // of no interest
		p.Close()
		s.Finish()
	})
	t.Cleanup(p.stop)
	return p
}
