package monitor

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
	"github.com/missingkbs/missingkbs/internal/wait"
)

// signInResult is the result of the last attempt to get a token for Defender.
type signInResult struct{ err error }

// ObserveClient makes a client of Defender report its calls, sign-ins and traces.
func (m *Monitor) ObserveClient(o *api.Options) {
	o.Tracing = m.traces.Azure()
	if m.traces != nil {
		o.Joined = tracing.Link
	}
	o.Observe = func(_ context.Context, c api.CallObservation) {
		code := "none"
		if c.Status != 0 {
			code = strconv.Itoa(c.Status)
		}
		m.Metrics.Call(metrics.Call{Call: c.Kind, Code: code, Took: c.Duration})
	}
	o.SignedIn = func(err error) {
		m.lastSignIn.Store(&signInResult{err})
		switch {
		case err == nil:
			m.Metrics.SignIn("accepted")
		case errors.Is(err, api.ErrUnavailable):
			m.Metrics.SignIn("unreachable")
		default:
			m.Metrics.SignIn("refused")
		}
	}
}

// checkSignIn judges the last sign-in. It does not call Defender, because calls are limited.
func (m *Monitor) checkSignIn(context.Context) (reason string, err error) {
	last := m.lastSignIn.Load()
	switch {
	case last == nil:
		return "not signed in yet", nil
	case last.err == nil:
		return "", nil
	case errors.Is(last.err, api.ErrUnavailable):
		return "the login host cannot be reached" + detail(last.err), last.err
	}
	return "the login host refuses the credential of Defender" + detail(last.err), last.err
}

// detail adds to a reason what exactly is wrong with a sign-in, if known.
func detail(err error) string {
	e, ok := errors.AsType[*api.Error](err)
	if !ok || e.Fault == "" {
		return ""
	}
	return ": " + strings.TrimSuffix(e.Fault.Advice().What, ".")
}

const (
	signInInterval = 5 * time.Minute  // a token lasts an hour and is renewed in time
	signInRetry    = 30 * time.Second // after a failure
)

// KeepSignedIn gets a token now, and a new one before it expires, until ctx is done. So no question waits for a token,
// and a rejected credential is noticed before the first question.
func (m *Monitor) KeepSignedIn(ctx context.Context, client *api.Client, log *slog.Logger) {
	m.Parts.Set(Defender, m.checkSignIn)
	for logged := ""; ; {
		pause := signInInterval
		err := client.SignIn(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			logged = ""
		default:
			pause = signInRetry
			if err.Error() != logged {
				log.WarnContext(ctx, "no token for Defender; trying again", "error", err)
			}
			logged = err.Error()
		}
		if !wait.For(ctx, pause) {
			return
		}
	}
}

// clientFigures reads the counters of the client.
func clientFigures(client *api.Client) metrics.Client {
	s := client.Stats()
	return metrics.Client{
		Hits: int64(s.Hits), Joined: int64(s.Joined), Asked: int64(s.Asked), Stale: int64(s.Stale), //nolint:gosec // counts
		Waited: int64(s.Waits), Refused: int64(s.Refused), Throttled: int64(s.Throttled), Unreadable: int64(s.Unreadable), BudgetErrors: int64(s.BudgetErrors), //nolint:gosec // counts
	}
}

// quotaFigures reads how much of Defender's quota is left.
func quotaFigures(ctx context.Context, client *api.Client) []metrics.Quota {
	q := client.Quota(ctx)
	var list []metrics.Quota
	for _, w := range []struct {
		name string
		api.Window
	}{{"minute", q.Minute}, {"hour", q.Hour}} {
		if w.Limit == 0 {
			continue // no limit
		}
		limit := float64(w.Limit)
		list = append(list,
			metrics.Quota{Window: w.name, For: "questions", Left: float64(w.Left), Limit: limit},
			metrics.Quota{Window: w.name, For: "digests", Left: float64(w.LeftBackground), Limit: limit})
	}
	return list
}
