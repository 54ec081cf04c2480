package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/view"
)

// storedPage is a page that was made from a version of a stored answer. Its cells are counted when they are drawn.
func storedPage(version uint64, age time.Duration, drawn *int) view.Page {
	return view.Page{
		Title: "Missing updates: edge", Lead: "1 update missing.", Source: view.Source{Question: "edge", Answer: version},
		AsOf: view.AsOf{Time: time.Date(2026, 11, 3, 9, 30, 0, 0, time.UTC), Age: age},
		Parts: []view.Part{view.Table{Columns: []view.Column{{Title: "KB"}}, More: view.LazyRows{Count: 1, Make: func(int) []view.Cell {
			*drawn++
			return []view.Cell{view.TextCell(fmt.Sprintf("KB of version %d", version))}
		}}}},
		Actions: []view.Action{{Label: "Share", Command: "edge", Effect: view.Share}},
	}
}

// written is a page as a message.
func written(t *testing.T, d *drawings, p view.Page, o blocks.Options) string {
	t.Helper()
	drawing, err := d.draw(p, o)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := reply{drawing: drawing, asOf: p.AsOf}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// A page of a stored answer is drawn once. What may differ is drawn anew: another version of the answer, another form,
// a page for everyone, old data, a page that was changed.
func TestStoredAnswersAreDrawnOnce(t *testing.T) {
	t.Parallel()
	drawn := 0
	d := newDrawings()
	first := written(t, d, storedPage(1, 0, &drawn), blocks.Options{})
	once := drawn
	later := written(t, d, storedPage(1, 40*time.Second, &drawn), blocks.Options{})
	if drawn != once || !strings.Contains(first, "fetched just now") || !strings.Contains(later, "cached 40 s ago") {
		t.Errorf("drawn %d times more; first\n%s\nand then\n%s", drawn-once, first, later)
	}
	for name, c := range map[string]struct {
		change  func(*view.Page)
		version uint64
		options blocks.Options
		want    string
	}{
		"a new version":   {version: 2, want: "KB of version 2"},
		"no version":      {version: 0, want: "KB of version 0"},
		"a simpler form":  {version: 1, options: blocks.Options{Form: blocks.Classic()}, want: `"type":"section"`},
		"for everyone":    {version: 1, options: blocks.Options{SharedBy: "U0ALICE01"}, want: "Shared by \\u003c@U0ALICE01"},
		"as old data":     {version: 1, change: func(p *view.Page) { p.AsOf.Stale = view.Unreachable }, want: "Defender cannot be reached"},
		"another note":    {version: 1, change: func(p *view.Page) { p.Note = "The only software that fits." }, want: "The only software that fits."},
		"another lead":    {version: 1, change: func(p *view.Page) { p.Lead = "2 updates missing." }, want: "2 updates missing."},
		"other buttons":   {version: 1, change: func(p *view.Page) { p.Actions = []view.Action{{Label: "Ask", Command: "x"}} }, want: `"value":"x"`},
		"other questions": {version: 1, change: func(p *view.Page) { p.Source.Question = "edge --page 2" }, want: "KB of version 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			drawn := 0
			d := newDrawings()
			written(t, d, storedPage(1, 0, &drawn), blocks.Options{})
			before := drawn
			p := storedPage(c.version, 0, &drawn)
			if c.change != nil {
				c.change(&p)
			}
			if got := written(t, d, p, c.options); drawn == before || !strings.Contains(got, c.want) {
				t.Errorf("drawn %d times more, got\n%s", drawn-before, got)
			}
		})
	}
}

// What drawings take is bounded; the ones that were used last are kept.
func TestDrawingsAreBounded(t *testing.T) {
	t.Parallel()
	d, drawn := newDrawings(), 0
	page := func(n int) view.Page {
		p := storedPage(uint64(n+1), 0, &drawn) //nolint:gosec // a count
		p.Source.Question = fmt.Sprint("software ", n)
		p.Note = strings.Repeat("x", 900)
		return p
	}
	for n := range 5000 {
		written(t, d, page(n), blocks.Options{})
		written(t, d, page(0), blocks.Options{})
	}
	before := drawn
	written(t, d, page(0), blocks.Options{})
	written(t, d, page(4999), blocks.Options{})
	if drawn != before {
		t.Error("a drawing that was just used is gone")
	}
	if d.held > drawingBytes || len(d.by) != d.used.Len() || len(d.by) == 5000 {
		t.Errorf("%d drawings take %d bytes", len(d.by), d.held)
	}
	written(t, d, page(1), blocks.Options{})
	if drawn == before {
		t.Error("a drawing that was not used for long is still there")
	}
}

// A drawing that is kept answers no one by itself: each question passes the gate and the command first.
func TestDrawingsAnswerNoQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drawn, runs := 0, 0
		var failure error
		b := start(t, func(context.Context, commands.Request) (view.Page, error) {
			runs++
			return storedPage(1, 0, &drawn), failure
		}, Options{Tables: blocks.TablesData})
		b.events <- typed(1, "edge")
		synctest.Wait()
		b.events <- by("U2", typed(2, "edge"))
		synctest.Wait()
		b.events <- by("U9", typed(3, "edge")) // of another organisation
		synctest.Wait()
		if runs != 2 {
			t.Errorf("the command ran %d times, want twice", runs)
		}
		failure = &commands.Error{Title: "Not allowed any more"}
		b.events <- typed(4, "edge")
		synctest.Wait()
		got := b.titles()
		if len(got) != 4 || !strings.HasSuffix(got[0], "Missing updates: edge") || !strings.HasSuffix(got[1], "Missing updates: edge") ||
			strings.Contains(got[2], "Missing updates") || !strings.HasSuffix(got[3], "Not allowed any more") {
			t.Errorf("sent %q", got)
		}
	})
}

// When Slack refuses blocks, a drawing that is kept does not stand in the way of a simpler form, now and for the next
// question.
func TestRefusedDrawingsAreDrawnMoreSimply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drawn := 0
		refused := hookAnswer{status: 400, body: `{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":["[ERROR] unsupported type: data_table [json-pointer:/blocks/2/type]"]}}`}
		taken := hookAnswer{status: 200, body: "ok"}
		b := start(t, func(context.Context, commands.Request) (view.Page, error) { return storedPage(1, 0, &drawn), nil }, Options{}, taken, refused, taken, taken)
		var kinds []string
		for n := range 3 {
			b.events <- typed(n, "edge")
			synctest.Wait()
			last := b.log[len(b.log)-1].Message
			kinds = append(kinds, last.Blocks[2].Type)
		}
		if want := []string{"data_table", "table", "table"}; !slices.Equal(kinds, want) {
			t.Errorf("arrived as %v, want %v", kinds, want)
		}
		if n := len(b.log); n != 7 { // an acknowledgement and a post each, and one refused post
			t.Errorf("%d messages were sent, want 7: %q", n, b.titles())
		}
	})
}

// A payload writes itself as package json would.
func TestPayloadsAreJSON(t *testing.T) {
	t.Parallel()
	drawn := 0
	page := storedPage(1, 40*time.Second, &drawn)
	drawing, err := newDrawings().draw(page, blocks.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, payload := range []any{
		&ackAnswer{reply: textReply(page)}, textReply(view.Page{Title: "<b> \xff", Lead: "\u2028"}), blocks.Suggestions(nil),
		&ackAnswer{reply: reply{drawing: drawing, asOf: page.AsOf, public: true}}, &ackAnswer{written: []byte(`{"text":"x"}`)},
	} {
		want, err := json.Marshal(payload)
		if err != nil {
			t.Fatal(err)
		}
		m, ok := payload.(json.Marshaler)
		if !ok {
			continue // package json writes it
		}
		got, err := m.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%T (-want +got):\n%s", payload, diff)
		}
	}
}
