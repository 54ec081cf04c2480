package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/missingkbs/missingkbs/internal/quota/quotatest"
)

// asBackground asks for many software ids at once, as digests do, and returns what
// waits for the answers.
func asBackground(t *testing.T, c *Client, n int) (wait func()) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if _, err := c.MissingKBs(t.Context(), fmt.Sprint("digest ", i), Background()); err != nil {
				t.Error(err)
			}
		})
	}
	synctest.Wait()
	return wg.Wait
}

func patient(o *Options) { o.Timeout = 3 * time.Hour }

// Digests of a thousand software ids keep no question waiting, and come to their
// end as soon as without questions.
func TestQuestionsGoFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &clocked{}
		c := newTestClient(t, defaultLimits, patient, func(o *Options) { o.Transport = server })
		start := time.Now()
		wait := asBackground(t, c, 1000)
		for i := range 30 {
			time.Sleep(30 * time.Second)
			asked := time.Now()
			if _, err := c.MissingKBs(t.Context(), strconv.Itoa(i)); err != nil {
				t.Fatal(err)
			}
			if d := time.Since(asked); d > 0 {
				t.Errorf("question %d was answered after %v", i, d)
			}
		}
		wait()
		at := server.calls()
		if n := quotatest.Busiest(at, time.Minute); n > 50 {
			t.Errorf("%d calls in a minute", n)
		}
		if n := quotatest.Busiest(at, time.Hour); n > 1500 {
			t.Errorf("%d calls in an hour", n)
		}
		// 1,030 calls at 1,450 an hour, less what was there at the start.
		if d := time.Since(start); d > 42*time.Minute {
			t.Errorf("the digests took %v", d)
		}
	})
}

// The reserve is for a number of questions at once; those beyond it wait for each
// other, not for the digests.
func TestReserve(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTestClient(t, defaultLimits, patient, func(o *Options) { o.Transport = &clocked{} })
		wait := asBackground(t, c, 100)
		time.Sleep(time.Minute)
		asked := time.Now()
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				if _, err := c.MissingKBs(t.Context(), strconv.Itoa(i)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if d := time.Since(asked); d > 4*time.Second {
			t.Errorf("twelve questions took %v, want ten at once and two more in 4 s", d)
		}
		wait()
	})
}

// A question for what a digest already waits for takes its call over.
func TestPromotion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &clocked{}
		c := newTestClient(t, defaultLimits, patient, func(o *Options) { o.Transport = server })
		wait := asBackground(t, c, 200)
		asked := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		for i := 190; i < 200; i++ { // those that stand in the line far behind
			if _, err := c.MissingKBs(ctx, fmt.Sprint("digest ", i)); err != nil {
				t.Fatal(err)
			}
		}
		if d := time.Since(asked); d > 0 {
			t.Errorf("answered after %v", d)
		}
		wait()
		if n := len(server.calls()); n != 200 {
			t.Errorf("%d calls, want one for each software", n)
		}
	})
}

// A digest that would wait too long hears when to come back, at once; where its
// deadline comes first after all it hears the same then.
func TestBackgroundTooLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTestClient(t, func(o *Options) { o.PerMinute, o.Transport = 50, &clocked{} })
		start := time.Now()
		var mu sync.Mutex
		var wg sync.WaitGroup
		atOnce, late := 0, 0
		for i := range 100 {
			wg.Go(func() {
				_, err := c.MissingKBs(t.Context(), strconv.Itoa(i), Background())
				if err == nil {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				if e := errorOf(t, err, ErrThrottled); e.RetryAfter < time.Second {
					t.Errorf("again in %v", e.RetryAfter)
				}
				if late++; time.Since(start) == 0 {
					atOnce++
				}
			})
		}
		time.Sleep(10 * time.Second)
		for i := range 20 { // questions that come between make the last in the line too late
			if _, err := c.MissingKBs(t.Context(), fmt.Sprint("question ", i)); err != nil {
				t.Error(err)
			}
		}
		wg.Wait()
		if atOnce != 61 || late <= atOnce || late > 85 {
			t.Errorf("%d of 100 heard it at once and %d in all", atOnce, late)
		}
	})
}

// A digest that joins the call of a question does not slow it down, and an answer
// in memory serves both.
func TestBackgroundJoins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &clocked{}
		c := emptied(t, server)
		var wg sync.WaitGroup
		start := time.Now()
		for _, opts := range [][]CallOption{nil, {Background()}} {
			wg.Go(func() {
				if _, err := c.MissingKBs(t.Context(), "a", opts...); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		wg.Wait()
		if d := time.Since(start); d != 2*time.Second {
			t.Errorf("took %v, want 2s", d)
		}
		if got, err := c.MissingKBs(t.Context(), "a", Background()); err != nil || !got.Cached || len(server.calls()) != 21 {
			t.Errorf("cached %v after %d calls, %v", got.Cached, len(server.calls()), err)
		}
	})
}

// Closing ends those who stand in the line.
func TestCloseEndsTheLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTestClient(t, defaultLimits, func(o *Options) { o.Transport = &clocked{} })
		var wg sync.WaitGroup
		for i := range 30 {
			wg.Go(func() { _, _ = c.MissingKBs(t.Context(), strconv.Itoa(i), Background()) })
		}
		synctest.Wait()
		c.Close()
		wg.Wait()
	})
}

// When Defender asks for a pause nobody calls until it is over, and then not all at
// once.
func TestPauseForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &clocked{}
		throttled := false
		c := newTestClient(t, defaultLimits, func(o *Options) {
			o.Transport = inMemory(func(r *http.Request) (*http.Response, error) {
				resp, err := server.Do(r)
				if !throttled {
					throttled = true
					return reply(r, 429, refusal("429", "API calls quota exceeded! You can send requests again in 40 seconds.")), nil
				}
				return resp, err
			})
		})
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 30 {
			wg.Go(func() {
				var opts []CallOption
				if i%3 == 1 {
					opts = append(opts, Background())
				}
				if _, err := c.MissingKBs(t.Context(), strconv.Itoa(i), opts...); err != nil {
					_ = errorOf(t, err, ErrThrottled)
				}
			})
			synctest.Wait()
		}
		time.Sleep(10 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, err := c.MissingKBs(ctx, "hurried")
		if e := errorOf(t, err, ErrThrottled); e.RetryAfter != 30*time.Second || e.Status != 429 || e.Target == "" {
			t.Errorf("error = %v, again in %v", err, e.RetryAfter)
		}
		if q := c.Quota(t.Context()); q.Paused.Sub(start) != 40*time.Second || q.Next.Before(q.Paused) {
			t.Errorf("quota = %+v", q)
		}
		wg.Wait()
		at := server.calls()
		if n := quotatest.Busiest(at[:1], time.Second); n != 1 || at[1].Sub(start) < 40*time.Second {
			t.Errorf("the second call came %v after the first", at[1].Sub(start))
		}
		if n := quotatest.Busiest(at, time.Second); n > 20 {
			t.Errorf("%d calls at the end of the pause", n)
		}
		if n := c.Stats().Throttled; n != 1 {
			t.Errorf("throttled %d times", n)
		}
	})
}

// Those who have a turn already when a pause begins heed it, too.
func TestPauseForThoseWhoWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &switchable{}
		c := newTestClient(t, defaultLimits, patient, func(o *Options) { o.Transport = server })
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 30 {
			wg.Go(func() {
				if _, err := c.MissingKBs(t.Context(), strconv.Itoa(i)); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		server.turn(status(429, refusal("429", "again in 30 seconds")))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		server.turn(nil)
		wg.Wait()
		at := server.calls()
		if len(at) != 31 || at[20].Sub(start) != 2*time.Second || at[21].Sub(start) < 32*time.Second {
			t.Errorf("%d calls, the 21st after %v and the 22nd after %v", len(at), at[20].Sub(start), at[21].Sub(start))
		}
	})
}
