package admission

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// roomy are limits that only the number of workers keeps tasks from running.
func roomy(running int) Options {
	return Options{Limits: Limits{
		Running: running, Slow: running, Waiting: 100, PersonRunning: running, PersonWaiting: 100, KeyRunning: running,
	}, SlowAfter: 250 * time.Millisecond}
}

// runLog keeps the names of tasks in the order in which they ran.
type runLog struct {
	mu  sync.Mutex
	ran []string
}

func (l *runLog) add(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ran = append(l.ran, name)
}

func (l *runLog) names() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.ran)
}

// taking returns a task of the person who is the first letter of its name; it takes d.
func (l *runLog) taking(d time.Duration, name string) Task {
	return Task{Person: name[:1], Key: name, Do: func(ctx context.Context) {
		l.add(name)
		select {
		case <-time.After(d):
		case <-ctx.Done():
			l.add(name + ": " + context.Cause(ctx).Error())
		}
	}}
}

func submit(t *testing.T, q *Queue, task Task) *Job {
	t.Helper()
	j, err := q.Submit(t.Context(), task)
	if err != nil {
		t.Fatalf("%s: %v", task.Key, err)
	}
	return j
}

func TestQueueGoesRound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, l := New(roomy(1)), &runLog{}
		defer q.Close()
		for _, name := range []string{"a1", "a2", "a3", "b1", "c1", "b2"} {
			submit(t, q, l.taking(time.Second, name))
		}
		if got, want := q.Load(), (Load{Running: 1, Waiting: 5}); got != want {
			t.Errorf("load %+v, want %+v", got, want)
		}
		<-q.Idle()
		if diff := cmp.Diff([]string{"a1", "a2", "b1", "c1", "a3", "b2"}, l.names()); diff != "" {
			t.Errorf("ran (-want +got):\n%s", diff)
		}
		if got, want := q.Load(), (Load{Pace: time.Second}); got != want {
			t.Errorf("load at the end %+v, want %+v", got, want)
		}
		if q.Idle() != nil {
			t.Error("an idle queue is waited for")
		}
	})
}

func TestQueueRefuses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := roomy(1)
		o.Waiting, o.PersonWaiting = 2, 1
		q, l := New(o), &runLog{}
		defer q.Close()
		submit(t, q, l.taking(10*time.Second, "a0"))
		<-q.Idle() // the pace is ten seconds from now on
		for _, name := range []string{"a1", "a2", "b1"} {
			submit(t, q, l.taking(10*time.Second, name))
		}
		var full *FullError
		if _, err := q.Submit(t.Context(), l.taking(0, "a3")); !errors.As(err, &full) || *full != (FullError{Person: true, Limit: 1, Wait: 20 * time.Second}) {
			t.Errorf("too many of one person: %v %+v", err, full)
		}
		if _, err := q.Submit(t.Context(), l.taking(0, "c1")); !errors.As(err, &full) || *full != (FullError{Limit: 2, Wait: 30 * time.Second}) {
			t.Errorf("too many: %v %+v", err, full)
		}
		<-q.Idle()
		if diff := cmp.Diff([]string{"a0", "a1", "a2", "b1"}, l.names()); diff != "" {
			t.Errorf("ran (-want +got):\n%s", diff)
		}
	})
}

// A slow task beyond the limit goes on until another needs its worker; tasks that are not interruptible never end so.
func TestSlowTasksYield(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := roomy(3)
		o.Slow = 1
		q, l := New(o), &runLog{}
		defer q.Close()
		steady := l.taking(time.Minute, "a")
		submit(t, q, steady)
		synctest.Wait()
		for _, name := range []string{"b", "c"} {
			task := l.taking(time.Minute, name)
			task.Interruptible = true
			submit(t, q, task)
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		if got, want := q.Load(), (Load{Running: 3, Slow: 1}); got != want {
			t.Errorf("load %+v, want %+v", got, want)
		}
		submit(t, q, l.taking(0, "d"))
		synctest.Wait()
		want := []string{"a", "b", "c", "c: " + ErrInterrupted.Error(), "d"}
		if diff := cmp.Diff(want, l.names()); diff != "" {
			t.Errorf("ran (-want +got):\n%s", diff)
		}
		<-q.Idle()
	})
}

func TestJobThatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, l := New(roomy(1)), &runLog{}
		defer q.Close()
		running := submit(t, q, l.taking(10*time.Second, "a1"))
		if _, waits := running.Position(); waits || running.Waiting() || running.Withdraw() {
			t.Error("a job that runs waits")
		}
		running.AfterWaiting(time.Second, func() { l.add("a1 waits") })
		second, third := submit(t, q, l.taking(10*time.Second, "b1")), submit(t, q, l.taking(0, "c1"))
		for d, j := range map[time.Duration]*Job{5 * time.Second: second, 15 * time.Second: second, 16 * time.Second: third} {
			j.AfterWaiting(d, func() { l.add(fmt.Sprint("waits after ", d)) })
		}
		if p, waits := third.Position(); !waits || p != (Position{Ahead: 1}) {
			t.Errorf("position %+v, %v", p, waits)
		}
		time.Sleep(11 * time.Second)
		if p, waits := third.Position(); !waits || p != (Position{Wait: 10 * time.Second}) {
			t.Errorf("position %+v, %v", p, waits)
		}
		time.Sleep(6 * time.Second)
		if !third.Waiting() || !third.Withdraw() || third.Withdraw() {
			t.Error("the job cannot be withdrawn once")
		}
		<-q.Idle()
		if diff := cmp.Diff([]string{"a1", "waits after 5s", "b1", "waits after 16s"}, l.names()); diff != "" {
			t.Errorf("ran (-want +got):\n%s", diff)
		}
	})
}

func TestPositionBehindOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := roomy(5)
		o.PersonRunning = 1
		q, l := New(o), &runLog{}
		defer q.Close()
		submit(t, q, l.taking(time.Second, "a1"))
		if p, waits := submit(t, q, l.taking(0, "a2")).Position(); !waits || p != (Position{BehindOwn: true}) {
			t.Errorf("position %+v, %v", p, waits)
		}
		<-q.Idle()
	})
}

func TestCloseRejectsWhatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, l := New(roomy(1)), &runLog{}
		submit(t, q, l.taking(time.Second, "a1"))
		synctest.Wait()
		task := l.taking(0, "b1")
		task.Rejected = func() { l.add("b1 rejected") }
		j := submit(t, q, task)
		j.AfterWaiting(time.Millisecond, func() { l.add("b1 still waits") })
		submit(t, q, l.taking(0, "c1"))
		if n := q.Close(); n != 2 {
			t.Errorf("%d rejected, want 2", n)
		}
		if j.Waiting() || j.Withdraw() {
			t.Error("a rejected job waits")
		}
		if _, err := q.Submit(t.Context(), task); !errors.Is(err, ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
		<-q.Idle()
		if n := q.Close(); n != 0 {
			t.Errorf("%d rejected at the second close", n)
		}
		if diff := cmp.Diff([]string{"a1", "b1 rejected"}, l.names()); diff != "" {
			t.Errorf("ran (-want +got):\n%s", diff)
		}
	})
}

// A panic ends its task alone: the place is free again, and the worker goes on.
func TestPanicEndsItsTaskOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &runLog{}
		o := roomy(1)
		o.OnPanic = func(p any) { l.add(fmt.Sprint("panic: ", p)) }
		q := New(o)
		defer q.Close()
		submit(t, q, Task{Person: "a", Do: func(context.Context) { panic("hunter2") }})
		submit(t, q, l.taking(0, "b"))
		synctest.Wait()
		if diff := cmp.Diff([]string{"panic: hunter2", "b"}, l.names()); diff != "" {
			t.Errorf("ran (-want +got):\n%s", diff)
		}
		if got := q.Load(); got.Running != 0 {
			t.Errorf("load %+v", got)
		}
	})
}

// Tasks that come one after the other run in the same goroutine, whose stack has grown already.
func TestWorkersAreKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := New(roomy(100))
		seen := map[string]bool{}
		for range 20 {
			submit(t, q, Task{Person: "a", Do: func(context.Context) { seen[goroutine()] = true }})
			synctest.Wait()
		}
		if len(seen) != 1 {
			t.Errorf("%d goroutines did 20 tasks", len(seen))
		}
		l := &runLog{}
		for i := range 100 {
			submit(t, q, l.taking(time.Second, fmt.Sprint("a", i)))
		}
		<-q.Idle()
		q.mu.Lock()
		defer q.mu.Unlock()
		if n := len(q.pool.idle); n != maxIdle {
			t.Errorf("%d idle workers are kept, want %d", n, maxIdle)
		}
		q.pool.close()
	})
}

// A queue that has nothing to do ends its workers, and starts new ones when there is something again.
func TestIdleWorkersEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := New(roomy(100))
		for range 3 {
			l := &runLog{}
			for i := range 20 {
				submit(t, q, l.taking(time.Second, fmt.Sprint("a", i)))
			}
			<-q.Idle()
			time.Sleep(idleTime + time.Second)
			q.mu.Lock()
			if n := len(q.pool.idle); n != 0 {
				t.Errorf("%d workers wait for longer than %v", n, idleTime)
			}
			q.mu.Unlock()
		}
		q.Close()
	}) // which fails if a worker is left
}

// goroutine names the goroutine that calls it.
func goroutine() string {
	stack := make([]byte, 64)
	return strings.Fields(string(stack[:runtime.Stack(stack, false)]))[1]
}

// Whatever many goroutines do at once, every task is done, refused, withdrawn or rejected, once, and nothing stays behind.
func TestQueueUnderLoad(t *testing.T) {
	t.Parallel()
	q := New(Options{
		Limits:    Limits{Running: 8, Slow: 2, Waiting: 50, PersonRunning: 3, PersonWaiting: 10, KeyRunning: 4},
		SlowAfter: 100 * time.Microsecond,
		OnPanic:   func(any) {},
	})
	var done, refused, withdrawn, rejected, running, most atomic.Int64
	var people sync.WaitGroup
	const persons, each = 10, 300
	for person := range persons {
		people.Go(func() {
			for n := range each {
				j, err := q.Submit(t.Context(), Task{
					Person: strconv.Itoa(person), Key: strconv.Itoa(n % 5), Interruptible: n%3 > 0,
					Rejected: func() { rejected.Add(1) },
					Do: func(ctx context.Context) {
						defer done.Add(1)
						now := running.Add(1)
						defer running.Add(-1)
						for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
						}
						if n%7 == 0 {
							panic(n)
						}
						if n%5 == 0 {
							select {
							case <-ctx.Done():
							case <-time.After(time.Millisecond):
							}
						}
					},
				})
				if err != nil {
					refused.Add(1)
					continue
				}
				j.AfterWaiting(50*time.Microsecond, func() { j.Position() })
				if n%11 == 0 && j.Withdraw() {
					withdrawn.Add(1)
				}
			}
		})
	}
	people.Wait()
	q.Close()
	if idle := q.Idle(); idle != nil {
		<-idle
	}
	if sum := done.Load() + refused.Load() + withdrawn.Load() + rejected.Load(); sum != persons*each || done.Load() == 0 {
		t.Errorf("%d done, %d refused, %d withdrawn, %d rejected; want %d in all", done.Load(), refused.Load(), withdrawn.Load(), rejected.Load(), persons*each)
	}
	if n := most.Load(); n > 8 {
		t.Errorf("%d ran at once", n)
	}
	if l := q.Load(); l.Running != 0 || l.Slow != 0 || l.Waiting != 0 {
		t.Errorf("load at the end %+v", l)
	}
}

// BenchmarkTask runs tasks one after the other that need a deep stack, like a question.
func BenchmarkTask(b *testing.B) {
	q := New(roomy(200))
	defer q.Close()
	done := make(chan int)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := q.Submit(b.Context(), Task{Person: "a", Key: "k", Interruptible: true, Do: func(context.Context) { done <- deep(200) }}); err != nil {
			b.Fatal(err)
		}
		<-done
	}
}

// deep takes about 40 KiB of stack.
func deep(n int) int {
	frame := [16]int{n}
	if n == 0 {
		return slices.Max(frame[:])
	}
	return deep(n-1) + frame[n%16]
}
