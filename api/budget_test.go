package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/missingkbs/missingkbs/internal/quota/quotatest"
)

func sharing(m *quotatest.Memory, transport *clocked, change ...func(*Options)) func(*Options) {
	return func(o *Options) {
		defaultLimits(o)
		patient(o)
		o.Budget, o.Transport = m, transport
		for _, c := range change {
			c(o)
		}
	}
}

// Three processes together keep the promise of one, digests and questions mixed,
// and use most of what there is.
func TestBudgetIsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, server := &quotatest.Memory{}, &clocked{}
		var wg sync.WaitGroup
		for r := range 3 {
			c := newTestClient(t, sharing(m, server))
			for i := range 4 {
				wg.Go(func() {
					for k := range 150 {
						var opts []CallOption
						if i > 0 {
							opts = append(opts, Background())
						} else {
							time.Sleep(20 * time.Second)
						}
						if _, err := c.MissingKBs(t.Context(), fmt.Sprint(r, i, k), opts...); err != nil {
							t.Error(err)
						}
					}
				})
			}
		}
		wg.Wait()
		at := server.calls()
		if n := quotatest.Busiest(at, time.Minute); n > 50 {
			t.Errorf("%d calls in a minute", n)
		}
		if n := quotatest.Busiest(at, time.Hour); n > 1500 || n < 1300 {
			t.Errorf("%d calls in the busiest hour, want nearly 1500", n)
		}
	})
}

// The digests of one process keep no question of another waiting.
func TestQuestionsOfOthersGoFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, server := &quotatest.Memory{}, &clocked{}
		wait := asBackground(t, newTestClient(t, sharing(m, server)), 300)
		other := newTestClient(t, sharing(m, server))
		for i := range 10 {
			time.Sleep(time.Minute / 2)
			asked := time.Now()
			if _, err := other.MissingKBs(t.Context(), strconv.Itoa(i)); err != nil {
				t.Fatal(err)
			}
			if d := time.Since(asked); d > 0 {
				t.Errorf("question %d was answered after %v", i, d)
			}
		}
		q := other.Quota(t.Context())
		if !q.Shared || q.Minute.Left > 30 || !q.NextBackground.After(time.Now()) || q.Next.After(time.Now()) {
			t.Errorf("quota = %+v", q)
		}
		wait()
	})
}

// A question of a process that is told to come back later hears when, and one for
// which a far turn was booked keeps it.
func TestBudgetRefuses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, server := &quotatest.Memory{}, &clocked{}
		one := newTestClient(t, sharing(m, server))
		for i := range 20 {
			if _, err := one.MissingKBs(t.Context(), strconv.Itoa(i)); err != nil {
				t.Fatal(err)
			}
		}
		other := newTestClient(t, sharing(m, server, func(o *Options) { o.Timeout = time.Minute }))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := other.MissingKBs(ctx, "a")
		if e := errorOf(t, err, ErrThrottled); e.RetryAfter < 1900*time.Millisecond || e.RetryAfter > 2100*time.Millisecond {
			t.Errorf("again in %v, want about 2 s", e.RetryAfter)
		}
		time.Sleep(3 * time.Second)
		if got, err := other.MissingKBs(t.Context(), "a"); err != nil || !got.Cached {
			t.Errorf("later: cached %v, %v", got.Cached, err)
		}
	})
}

// A pause that Defender asks one process for is heeded by all.
func TestPauseIsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, server := &quotatest.Memory{}, &clocked{}
		one := newTestClient(t, sharing(m, server), func(o *Options) {
			o.Retry.MaxRetries = -1
			o.Transport = inMemory(status(429, refusal("429", "again in 100 seconds")))
		})
		_, err := one.MissingKBs(t.Context(), "a")
		wantKind(t, err, ErrThrottled)
		other := newTestClient(t, sharing(m, server, func(o *Options) { o.Timeout = time.Minute }))
		for i := range 3 {
			_, err := other.MissingKBs(t.Context(), strconv.Itoa(i))
			if e := errorOf(t, err, ErrThrottled); e.RetryAfter != 100*time.Second || e.Message != "Defender asked for a pause" {
				t.Errorf("error = %v, again in %v", err, e.RetryAfter)
			}
		}
		if m.Bookings() > 3 {
			t.Errorf("the budget was asked %d times during a pause that is known", m.Bookings())
		}
		time.Sleep(100 * time.Second)
		if _, err := other.MissingKBs(t.Context(), "a"); err != nil {
			t.Error(err)
		}
		if n := len(server.calls()); n != 1 {
			t.Errorf("%d calls, want none in the pause", n)
		}
	})
}

// A budget that is away, or that hangs, blocks nobody: the process keeps to a part
// of its limits until the budget is back. It says so once.
func TestBudgetAway(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(context.Context) error{
		"refuses": func(context.Context) error { return errors.New("connection refused") },
		"hangs":   func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		synctest.Test(t, func(t *testing.T) {
			m, server := &quotatest.Memory{}, &clocked{}
			var log bytes.Buffer
			c := newTestClient(t, sharing(m, server, func(o *Options) {
				o.Logger = slog.New(slog.NewTextHandler(&log, nil))
			}))
			m.Fail(fault)
			start := time.Now()
			if _, err := c.MissingKBs(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
			if d := time.Since(start); d > budgetTimeout {
				t.Errorf("%s: a question took %v", name, d)
			}
			wait := asBackground(t, c, 100)
			time.Sleep(10 * time.Minute)
			asked := time.Now()
			if _, err := c.MissingKBs(t.Context(), "b"); err != nil {
				t.Fatal(err)
			}
			if d := time.Since(asked); d > budgetTimeout {
				t.Errorf("%s: a question took %v", name, d)
			}
			if n := quotatest.Busiest(server.calls(), time.Minute); n > 12 || n < 8 {
				t.Errorf("%s: %d calls in a minute, want a quarter of 50", name, n)
			}
			if n := m.Bookings(); n > 135 {
				t.Errorf("%s: the budget was asked %d times in ten minutes", name, n)
			}
			if n := c.Stats().BudgetErrors; n < 50 {
				t.Errorf("%s: counted %d errors", name, n)
			}
			if q := c.Quota(t.Context()); q.Shared || q.Minute.Limit != 50 {
				t.Errorf("%s: quota = %+v", name, q)
			}
			m.Fail(nil)
			wait()
			if !c.Quota(t.Context()).Shared {
				t.Errorf("%s: the budget is not asked again", name)
			}
			if n := strings.Count(log.String(), "does not answer"); n != 1 || !strings.Contains(log.String(), "answers again") {
				t.Errorf("%s: log:\n%s", name, &log)
			}
		})
	}
}

// What processes have called without the budget counts when it is back: no minute sees more than is allowed.
func TestBudgetIsRepaid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, server := &quotatest.Memory{}, &clocked{}
		m.Fail(func(context.Context) error { return errors.New("connection refused") })
		ctx, stop := context.WithTimeout(t.Context(), 4*time.Minute)
		defer stop()
		var wg sync.WaitGroup
		for r := range 2 {
			c := newTestClient(t, sharing(m, server))
			for i := range 40 {
				wg.Go(func() {
					for k := 0; ctx.Err() == nil; k++ {
						// Some are told to come back later.
						if _, err := c.MissingKBs(ctx, fmt.Sprint(r, i, k)); err != nil {
							time.Sleep(time.Second)
						}
					}
				})
			}
		}
		time.Sleep(62 * time.Second)
		m.Fail(nil)
		wg.Wait()
		if n := quotatest.Busiest(server.calls(), time.Minute); n > 50 || n < 30 {
			t.Errorf("%d calls in a minute, want no more than 50", n)
		}
	})
}

// A process that has called much does not begin with a full bucket when it loses
// the budget.
func TestBudgetLostWhileBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, server := &quotatest.Memory{}, &clocked{}
		c := newTestClient(t, sharing(m, server))
		ask := func(from, to int) {
			var wg sync.WaitGroup
			for i := from; i < to; i++ {
				wg.Go(func() {
					if _, err := c.MissingKBs(t.Context(), strconv.Itoa(i)); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		}
		ask(0, 30)
		m.Fail(func(context.Context) error { return errors.New("connection refused") })
		start := time.Now()
		ask(30, 37)
		if d := time.Since(start); d < 50*time.Second {
			t.Errorf("seven calls took %v without a budget", d)
		}
	})
}

// The end of a caller's context is no fault of the budget.
func TestBudgetAndContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, server := &quotatest.Memory{}, &clocked{}
		m.Fail(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		c := newTestClient(t, sharing(m, server))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		for _, err := range c.AllSoftware(ctx, SoftwareQuery{}) {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error = %v", err)
			}
		}
		if n := c.Stats().BudgetErrors; n != 0 || len(server.calls()) != 0 {
			t.Errorf("%d errors of the budget, %d calls", n, len(server.calls()))
		}
	})
}

// The calls of a pager are counted one by one, as are retries.
func TestBudgetCountsRetries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &quotatest.Memory{}
		n := 0
		c := newTestClient(t, sharing(m, &clocked{}), func(o *Options) {
			o.Transport = inMemory(func(r *http.Request) (*http.Response, error) {
				if n++; n < 3 {
					return reply(r, 503, ""), nil
				}
				return reply(r, 200, edge), nil
			})
		})
		if _, err := c.MissingKBs(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if got, err := m.Book(t.Context(), Booking{}); err != nil || got.Minute.Used != 3 {
			t.Errorf("%d turns were booked, want 3: %v", got.Minute.Used, err)
		}
	})
}
