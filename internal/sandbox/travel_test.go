package sandbox

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"
)

// planned does something at each of some moments, one at a time, and each takes a few looks at it.
type planned struct {
	mu      sync.Mutex
	now     func() time.Time
	due     []time.Time
	left    int // looks until what is under way is done
	takes   int
	started []time.Time // when the clock showed what, as each began
}

func (a *planned) pending(context.Context) (next time.Time, underWay int, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.left == 0 && len(a.due) > 0 && !a.due[0].After(a.now()) {
		a.started, a.due, a.left = append(a.started, a.now()), a.due[1:], a.takes
	}
	if a.left > 0 {
		a.left--
		return time.Time{}, 1, nil
	}
	if len(a.due) > 0 {
		next = a.due[0]
	}
	return next, 0, nil
}

// The clock stops at each moment that something is due, and does not go on before it is done.
func TestTravelStopsAtWhatIsDue(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	a := &planned{takes: 2, due: []time.Time{start.Add(24 * time.Hour), start.Add(24 * time.Hour), start.Add(3 * 24 * time.Hour), start.Add(9 * 24 * time.Hour)}}
	w := workspace(t, Options{Clock: func() time.Time { return start }, Pending: a.pending})
	a.now = w.Now
	want := slices.Clone(a.due[:3])
	if status, answer := send(t, w, "/ui/clock", object{"advance": "168h"}); status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	if !slices.EqualFunc(a.started, want, time.Time.Equal) {
		t.Errorf("things were done at %v, want %v", a.started, want)
	}
	if got := w.Now(); !got.Equal(start.Add(7 * 24 * time.Hour)) {
		t.Errorf("the clock shows %v, want a week later", got)
	}
}

// One move at a time; one that is given up leaves the clock where it got to, and the next goes on from there.
func TestTravelIsGivenUp(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for name, failure := range map[string]error{"busy": nil, "cannot tell": errors.New("no database")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			looked, heal := make(chan struct{}), make(chan struct{})
			var once sync.Once
			w := workspace(t, Options{Clock: func() time.Time { return start }, Pending: func(context.Context) (time.Time, int, error) {
				once.Do(func() { close(looked) })
				select {
				case <-heal:
					return time.Time{}, 0, nil
				default:
					return time.Time{}, 1, failure
				}
			}})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- w.Travel(ctx, time.Hour) }()
			<-looked
			if err := w.Travel(ctx, time.Hour); !errors.Is(err, ErrTravelling) {
				t.Errorf("a second move at once: got %v, want %v", err, ErrTravelling)
			}
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) || failure != nil && !errors.Is(err, failure) {
				t.Errorf("got %v", err)
			}
			if got := w.Now(); !got.Equal(start) {
				t.Errorf("the clock shows %v, want it where it was", got)
			}
			close(heal)
			if err := w.Travel(t.Context(), time.Hour); err != nil || !w.Now().Equal(start.Add(time.Hour)) {
				t.Errorf("afterwards: %v, the clock shows %v", err, w.Now())
			}
		})
	}
}
