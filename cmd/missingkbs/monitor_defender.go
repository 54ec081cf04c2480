package main

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/internal/metrics"
	"github.com/missingkbs/missingkbs/internal/tracing"
)

// lastSignIn is how the last attempt to get a token for Defender ended.
type lastSignIn struct{ err error }

// client has the client of Defender tell what it does.
func (m *monitor) client(o *api.Options) {
	o.Tracing = m.traces.Azure()
	if m.traces != nil {
		o.Joined = tracing.Link
	}
	o.Observe = func(_ context.Context, c api.CallObservation) {
		code := "none"
		if c.Status != 0 {
			code = strconv.Itoa(c.Status)
		}
		m.metrics.Call(metrics.Call{Call: c.Kind, Code: code, Took: c.Duration})
	}
	o.SignedIn = func(err error) {
		m.signIn.Store(&lastSignIn{err})
		switch {
		case err == nil:
			m.metrics.SignIn("accepted")
		case errors.Is(err, api.ErrUnavailable):
			m.metrics.SignIn("unreachable")
		default:
			m.metrics.SignIn("refused")
		}
	}
}

// defender looks at the last sign-in. It asks nothing of Defender, whose calls are counted.
func (m *monitor) defender(context.Context) (reason string, err error) {
	last := m.signIn.Load()
	switch {
	case last == nil:
		return "not signed in yet", nil
	case last.err == nil:
		return "", nil
	case errors.Is(last.err, api.ErrUnavailable):
		return "the login host cannot be reached" + whatIsWrong(last.err), last.err
	}
	return "the login host refuses the credential of Defender" + whatIsWrong(last.err), last.err
}

// whatIsWrong goes on with what exactly is wrong with a sign-in, where that is known.
func whatIsWrong(err error) string {
	e, ok := errors.AsType[*api.Error](err)
	if !ok || e.Fault == "" {
		return ""
	}
	return ": " + strings.TrimSuffix(e.Fault.Advice().What, ".")
}

const (
	signInEvery = 5 * time.Minute  // a token lasts for an hour, and is renewed in time
	signInAgain = 30 * time.Second // after one that failed
)

// keepSignedIn gets a token now and whenever the present one nears its end, until ctx ends: so that nobody's question waits
// for it, and a credential that is refused is noticed before somebody asks.
func (m *monitor) keepSignedIn(ctx context.Context, defender *api.Client, log *slog.Logger) {
	m.parts.Set(partDefender, m.defender)
	for told := ""; ; {
		wait := signInEvery
		err := defender.SignIn(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			told = ""
		default:
			wait = signInAgain
			if err.Error() != told {
				log.WarnContext(ctx, "no token for Defender; trying again", "error", err)
			}
			told = err.Error()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// counted are the figures that the client of Defender keeps.
func counted(defender *api.Client) func() metrics.Client {
	return func() metrics.Client {
		s := defender.Stats()
		return metrics.Client{
			Hits: int64(s.Hits), Joined: int64(s.Joined), Asked: int64(s.Asked), Stale: int64(s.Stale), //nolint:gosec // counts
			Waited: int64(s.Waits), Refused: int64(s.Refused), Throttled: int64(s.Throttled), Unreadable: int64(s.Unreadable), BudgetErrors: int64(s.BudgetErrors), //nolint:gosec // counts
		}
	}
}

// quota is what is left of Defender's quota.
func quota(defender *api.Client) func(context.Context) []metrics.Quota {
	return func(ctx context.Context) []metrics.Quota {
		q := defender.Quota(ctx)
		var list []metrics.Quota
		for _, w := range []struct {
			name string
			api.Window
		}{{"minute", q.Minute}, {"hour", q.Hour}} {
			if w.Limit == 0 {
				continue // none
			}
			limit := float64(w.Limit)
			list = append(list,
				metrics.Quota{Window: w.name, For: "questions", Left: float64(w.Left), Limit: limit},
				metrics.Quota{Window: w.name, For: "digests", Left: float64(w.LeftBackground), Limit: limit})
		}
		return list
	}
}
