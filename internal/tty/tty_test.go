package tty

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/view"
)

// Progress says nothing for a second, then what is waited for whenever that changes, and leaves no trace.
func TestProgress(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		takes time.Duration
		want  string
	}{
		"quick":  {900 * time.Millisecond, ""},
		"a wait": {2500 * time.Millisecond, clearLine + "asking 1" + clearLine + "asking 2" + clearLine},
		"long":   {4500 * time.Millisecond, clearLine + "asking 1" + clearLine + "asking 2" + clearLine + "a pause that does…" + clearLine},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var b strings.Builder
				begin := time.Now()
				stop := Progress(&b, 20, func() string {
					if n := int(time.Since(begin).Seconds()); n < 3 {
						return fmt.Sprintf("asking\n%d", n)
					}
					return "a pause that does not end soon"
				})
				time.Sleep(c.takes)
				stop()
				stop()
				if diff := cmp.Diff(c.want, b.String()); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// watched runs a watch in a bubble of time and returns what is written, and when each question was asked.
func watched(t *testing.T, w Watch, life time.Duration, ask func(n int) (view.Page, error)) (out string, asked []time.Duration, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		begin := time.Now()
		w.Out, w.Write = &b, view.WriteText
		w.Ask = func(context.Context) (view.Page, error) {
			asked = append(asked, time.Since(begin))
			return ask(len(asked))
		}
		ctx, cancel := context.WithTimeout(t.Context(), life)
		defer cancel()
		err = w.Run(ctx)
		out = b.String()
	})
	return out, asked, err
}

func numbered(n int) (view.Page, error) {
	return view.Page{
		Title: "Edge", Lead: "Missing on 240 devices.", AsOf: view.AsOf{Time: time.Unix(int64(n), 0)},
		Parts: []view.Part{view.Table{
			Columns: []view.Column{{Title: "KB"}, {Title: "Devices", Kind: view.Number}},
			Rows:    [][]view.Cell{{view.TextCell("KB1"), view.NumberCell(5)}, {view.TextCell("KB2"), view.NumberCell(9990 + 10*(n/2))}},
		}},
	}, nil
}

func TestWatchOnAPipe(t *testing.T) {
	t.Parallel()
	out, asked, err := watched(t, Watch{Every: time.Minute}, 150*time.Second, numbered)
	if diff := cmp.Diff([]time.Duration{0, time.Minute, 2 * time.Minute}, asked); diff != "" || err != nil {
		t.Errorf("%v, asked (-want +got):\n%s", err, diff)
	}
	if strings.Count(out, "Edge\n") != 3 || strings.Contains(out, "\x1b") || strings.Contains(out, "Ctrl-C") {
		t.Errorf("written: %q", out)
	}
}

// On a terminal each answer takes the place of the one before. The lines that changed stand out and no others: not those
// whose columns became wider, nor the time of the data.
func TestWatchOnATerminal(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		screen view.Terminal
		want   string
	}{
		"colours":    {view.Terminal{Width: 60, Color: true}, "\x1b[7mKB2  10,000\x1b[0m"},
		"no colours": {view.Terminal{Width: 60}, "* KB2  10,000"},
		"no width":   {view.Terminal{}, "* KB2  10,000"},
	} {
		out, _, err := watched(t, Watch{Every: time.Minute, Screen: &c.screen}, 90*time.Second, numbered)
		if err != nil {
			t.Fatal(err)
		}
		screens := strings.Split(out, clearScreen)
		if len(screens) != 3 || !strings.Contains(screens[1], "again every 60 s. Ctrl-C ends.") {
			t.Fatalf("%s: %q", name, screens)
		}
		if strings.Contains(screens[1], reverse) || strings.Contains(screens[1], changeMark) {
			t.Errorf("%s: the first answer has changes: %q", name, screens[1])
		}
		var marked []string
		for l := range strings.Lines(screens[2]) {
			if strings.Contains(l, reverse) || strings.HasPrefix(l, changeMark) {
				marked = append(marked, strings.TrimRight(l, "\n"))
			}
		}
		if diff := cmp.Diff([]string{c.want}, marked); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for l := range strings.Lines(screens[2]) {
			if bare := escapes.Replace(strings.ReplaceAll(l, reverse, "")); c.screen.Width > 0 && len([]rune(bare)) > c.screen.Width+1 {
				t.Errorf("%s: too wide: %q", name, bare)
			}
		}
	}
}

// A question that is slow delays the next and is not made up for; an end while it waits is no failure; an error ends all.
func TestWatchEnds(t *testing.T) {
	t.Parallel()
	_, asked, err := watched(t, Watch{Every: time.Minute}, 10*time.Minute, func(n int) (view.Page, error) {
		if n == 1 {
			time.Sleep(150 * time.Second)
		}
		return numbered(n)
	})
	if err != nil || len(asked) < 3 || asked[1] != 150*time.Second || asked[2] != 3*time.Minute {
		t.Errorf("%v, asked %v", err, asked)
	}
	out, _, err := watched(t, Watch{Every: time.Minute}, time.Second, func(int) (view.Page, error) {
		time.Sleep(2 * time.Second)
		return view.Page{}, context.Canceled
	})
	if out != "" || err != nil {
		t.Errorf("ended while asking: %q, %v", out, err)
	}
	wrong := errors.New("wrong use")
	if _, asked, err := watched(t, Watch{Every: time.Minute}, time.Hour, func(int) (view.Page, error) { return view.Page{}, wrong }); !errors.Is(err, wrong) || len(asked) != 1 {
		t.Errorf("%v after %v", err, asked)
	}
}
