package bot

import (
	"container/list"
	"slices"
	"sync"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/internal/view"
)

// drawingBytes bounds what [drawings] hold: some two hundred answers of a dozen rows.
const drawingBytes = 4 << 20

// drawings caches the drawings of pages that were made from a stored answer, so that a repeated question needs no drawing.
// It bypasses no check: a question is checked and answered first, and its page names the version of its answer. A drawing of
// another version or another form is never used. It is safe for concurrent use.
type drawings struct {
	mu   sync.Mutex
	by   map[drawingKey]*list.Element
	used *list.List // of *kept, the one used last in front
	held int        // bytes
}

// drawingKey identifies a drawing, apart from its version.
type drawingKey struct {
	question string
	options  blocks.Options
}

type kept struct {
	drawingKey
	page    view.Page // without its parts
	drawing *blocks.Drawing
}

func newDrawings() *drawings {
	return &drawings{by: map[drawingKey]*list.Element{}, used: list.New()}
}

// draw returns the drawing of a page. The caller writes the page's age into it.
func (d *drawings) draw(p view.Page, o blocks.Options) (*blocks.Drawing, error) {
	if p.Source.Answer == 0 || p.AsOf.Stale != view.NotStale || o.SharedBy != "" { // it will not come again
		return blocks.Draw(p, o)
	}
	key := drawingKey{p.Source.Question, o}
	if drawn := d.get(key, p); drawn != nil {
		return drawn, nil
	}
	drawn, err := blocks.Draw(p, o)
	if err == nil {
		p.Parts = nil
		d.put(&kept{key, p, drawn})
	}
	return drawn, err
}

func (d *drawings) get(key drawingKey, p view.Page) *blocks.Drawing {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, ok := d.by[key]
	if !ok || !e.Value.(*kept).matches(p) {
		return nil
	}
	d.used.MoveToFront(e)
	return e.Value.(*kept).drawing
}

// matches reports whether the drawing is that of a page. Comparing the source would do; the rest guards against a page that
// was changed and kept its source.
func (k *kept) matches(p view.Page) bool {
	return k.page.Source == p.Source && k.page.AsOf.Time.Equal(p.AsOf.Time) && k.page.Title == p.Title && k.page.Lead == p.Lead &&
		k.page.Context == p.Context && k.page.Note == p.Note && slices.Equal(k.page.Actions, p.Actions)
}

// put replaces an older drawing, and evicts the least recently used ones.
func (d *drawings) put(k *kept) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dropLocked(d.by[k.drawingKey])
	if k.drawing.Size() > drawingBytes {
		return
	}
	d.by[k.drawingKey] = d.used.PushFront(k)
	d.held += k.drawing.Size()
	for d.held > drawingBytes {
		d.dropLocked(d.used.Back())
	}
}

func (d *drawings) dropLocked(e *list.Element) {
	if e == nil {
		return
	}
	old := d.used.Remove(e).(*kept)
	delete(d.by, old.drawingKey)
	d.held -= old.drawing.Size()
}
