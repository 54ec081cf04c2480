package socketmode

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/slack-go/slack"
)

// connect opens a connection for a socket, however often it takes. Its error is a refusal for good, or the context's.
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
		s.options.Log.Warn("no connection to Slack; trying again", "socket", socket+1, "error", err)
	}
}

// isFinal reports whether trying again is in vain. That no Web API is there says so only of an address that never worked.
func (s *Connections) isFinal(err error) bool {
	if _, status := errors.AsType[slack.StatusCodeError](err); status && len(s.live()) > 0 {
		return false
	}
	return slackapi.Cure(err) != ""
}

// permanent is the error of what Slack refuses for good.
func permanent(err error) error {
	return fmt.Errorf("connect to Slack: %w: %s", err, slackapi.Cure(err))
}

// errSocketModeOff is the refusal of an app whose Socket Mode was switched off.
var errSocketModeOff = slack.SlackErrorResponse{Err: string(LinkDisabled)}

// open opens one connection and waits for Slack's hello on it.
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

// dialSocket opens a WebSocket. The address holds a ticket, so it is in no error.
func (s *Connections) dialSocket(ctx context.Context, address string) (*conn, error) {
	if !mayDial(address, s.config.APIURL) {
		return nil, errors.New("Slack names an address that is no wss:// one") //nolint:staticcheck // a name
	}
	var w *idleTimeoutConn
	dialer := *s.dialer
	dialer.NetDialContext = watchIdle(s.dial, s.options.Timing.IdleTimeout, &w)
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
