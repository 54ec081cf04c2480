package asked

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// diary keeps what people asked in memory.
type diary struct {
	mu            sync.Mutex
	lines         []string
	err           error
	slow          time.Duration
	reads, writes int
	cut           time.Time // what is older was to be forgotten
}

func (d *diary) Asked(ctx context.Context, _, person string) ([]string, error) {
	select {
	case <-time.After(d.slow):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reads++
	var all []string
	for _, line := range slices.Backward(d.lines) {
		var who, what string
		if _, err := fmt.Sscan(line, &who, &what); err == nil && who == person && !slices.Contains(all, what) {
			all = append(all, what)
		}
	}
	return all, d.err
}

func (d *diary) NoteAsked(_ context.Context, _ string, asked map[string]map[string]time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writes++
	for person := range asked {
		for _, software := range slices.Backward(notes(asked).of(person)) {
			d.lines = append(d.lines, person+" "+software)
		}
	}
	return d.err
}

func (d *diary) ForgetAsked(_ context.Context, before time.Time) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut = before
	return 0, d.err
}

func started(t *testing.T, d *diary) (m *Memory, stop func()) {
	t.Helper()
	m = New(Options{Store: d, Life: 90 * 24 * time.Hour, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { m.Run(ctx) })
	stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	t.Cleanup(stop)
	return m, stop
}

func TestPeopleAreRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &diary{lines: []string{"U1 a", "U1 b"}}
		m, stop := started(t, d)
		want := func(person string, software ...string) {
			t.Helper()
			if diff := cmp.Diff(software, m.Asked(t.Context(), person)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", person, diff)
			}
		}
		want("U1", "b", "a")
		m.NoteAsked("U1", "c")
		time.Sleep(time.Millisecond)
		m.NoteAsked("U1", "a")
		m.NoteAsked("U2", "x")
		m.NoteAsked("U2", "x")
		synctest.Wait()
		want("U1", "a", "c", "b") // at once, without a reading
		want("U2", "x")
		if d.reads != 2 {
			t.Errorf("%d readings", d.reads)
		}
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		want("U1", "a", "c", "b") // as it was written
		if d.writes != 1 {
			t.Errorf("%d writes, want one for all notes of a second", d.writes)
		}
		m.NoteAsked("U1", "last")
		stop()
		if d.lines[len(d.lines)-1] != "U1 last" {
			t.Errorf("written %q", d.lines)
		}
	})
}

// A store that is away or slow keeps no one waiting, and takes away nothing that was known.
func TestStoreThatIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &diary{lines: []string{"U1 a"}}
		m, _ := started(t, d)
		m.Asked(t.Context(), "U1")
		time.Sleep(2 * time.Minute)
		d.err, d.slow = errors.New("away"), time.Hour
		began := time.Now()
		if got := m.Asked(t.Context(), "U1"); !cmp.Equal(got, []string{"a"}) || time.Since(began) > readTime {
			t.Errorf("%q after %v", got, time.Since(began))
		}
		if got := m.Asked(t.Context(), "U2"); got != nil {
			t.Errorf("of a stranger %q", got)
		}
		for range 2 * maxWaiting {
			m.NoteAsked("U1", "b") // does not wait
		}
	})
}

func TestOldQuestionsAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		m, _ := started(t, d)
		for i := range maxPeople + 5 {
			m.Asked(t.Context(), fmt.Sprint("U", i))
		}
		if len(m.people) > maxPeople {
			t.Errorf("%d people in memory", len(m.people))
		}
		time.Sleep(forgetEvery + time.Second)
		d.mu.Lock()
		defer d.mu.Unlock()
		if want := time.Now().Add(-90 * 24 * time.Hour); want.Sub(d.cut).Abs() > time.Minute {
			t.Errorf("forgot what is older than %v, want %v", d.cut, want)
		}
	})
}
