package socketmode

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/slackapi"
)

// connect opens one of the connections, and retries until it succeeds. Its error is a permanent refusal or that of ctx.
func (s *Connections) connect(ctx context.Context, socket int) (*conn, error) {
	for {
		if err := s.limiter.wait(ctx); err != nil {
			return nil, err
		}
		token := s.appToken()
		l, err := s.open(ctx, socket, token)
		if err == nil {
			s.limiter.succeeded()
			return l, nil
		}
		err = slackapi.WithoutURL(err)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case s.isFinal(err) && token == s.appToken():
			return nil, permanent(err)
		}
		s.options.Health.failed(socket, err)
		s.limiter.failed(slackapi.RetryAfter(err))
		s.options.Log.Warn("could not connect to Slack; retrying", "socket", socket+1, "error", err)
	}
}

// isFinal reports whether a retry cannot help. A missing Web API is final only while no connection is open.
func (s *Connections) isFinal(err error) bool {
	if _, status := errors.AsType[slack.StatusCodeError](err); status && len(s.live()) > 0 {
		return false
	}
	return slackapi.Cure(err) != ""
}

// permanent returns the error of a permanent refusal, with its cure.
func permanent(err error) error {
	return fmt.Errorf("connect to Slack: %w: %s", err, slackapi.Cure(err))
}

// errSocketModeOff is the refusal of an app whose Socket Mode is switched off.
var errSocketModeOff = slack.SlackErrorResponse{Err: string(LinkDisabled)}

// open opens one connection and waits for Slack's hello.
func (s *Connections) open(ctx context.Context, socket int, token string) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, slackapi.Timeout+s.options.Timing.HelloTimeout)
	defer cancel()
	_, address, err := s.web.Current().StartSocketModeContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("apps.connections.open: %w", slackapi.WithoutURL(err))
	}
	l, err := s.dialSocket(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("open WebSocket: %w", slackapi.WithoutURL(err))
	}
	l.socket, l.token = socket, token
	s.running.Go(func() {
		l.read(s)
		s.onClosed(l)
	})
	select {
	case <-l.hello:
		if s.onConnected(l) {
			return l, nil
		}
		err = l.closeCause()
	case <-l.leave:
		err = l.closeCause()
	case <-l.done:
		err = l.closeCause()
	case <-ctx.Done():
		err = ctx.Err()
	}
	if l.reason() == LinkDisabled { // before its hello, or at once behind it
		err = errSocketModeOff
	}
	l.fail(Broken, err)
	return nil, fmt.Errorf("wait for hello: %w", err)
}

// dialSocket opens a WebSocket. The address contains a ticket, so no error repeats it.
func (s *Connections) dialSocket(ctx context.Context, address string) (*conn, error) {
	if !mayDial(address, s.config.APIURL) {
		return nil, errors.New("Slack names an address that is no wss:// one") //nolint:staticcheck // a name
	}
	var w *idleTimeoutConn
	dialer := *s.dialer
	dialer.NetDialContext = withIdleTimeout(s.dial, s.options.Timing.IdleTimeout, &w)
	ws, answer, err := dialer.DialContext(ctx, address, http.Header{"Origin": {"https://api.slack.com"}})
	if answer != nil {
		defer answer.Body.Close()
	}
	if err != nil {
		if answer != nil {
			err = fmt.Errorf("%w: %s", err, answer.Status)
		}
		return nil, err
	}
	return newConn(ws, w, s.options.Timing.PongTimeout), nil
}
