package blocks

import (
	"encoding/json"
	"fmt"

	"github.com/missingkbs/missingkbs/internal/view"
)

// Drawing is a page drawn once and written as JSON, without the age of its data. Each time it is sent, only the age is
// written anew. It is safe for concurrent use.
type Drawing struct {
	text   []byte // a JSON string without its closing quote, to which the age is added
	blocks []byte // the blocks before the small print, each followed by a comma; empty where the message is its text
	small  smallPrint
	uses   []Feature
}

// Draw draws a page as [Render] does. The drawing is good for the page at another age, too, unless its data is stale.
func Draw(p view.Page, o Options) (*Drawing, error) {
	text, err := json.Marshal(words(p))
	if err != nil {
		return nil, fmt.Errorf("write the text of a message: %w", err)
	}
	made := &Drawing{text: text[:len(text)-1]}
	if o.TextOnly {
		return made, nil
	}
	d := draw(p, o)
	made.small, made.uses = d.smallPrint(p), Uses(d.blocks)
	for _, b := range d.blocks {
		raw, err := json.Marshal(b)
		if err != nil {
			return nil, fmt.Errorf("write a %s block: %w", b.BlockType(), err)
		}
		made.blocks = append(append(made.blocks, raw...), ',')
	}
	return made, nil
}

// Size is how many bytes the drawing takes, in memory or as JSON, roughly; none takes none.
func (d *Drawing) Size() int {
	if d == nil {
		return 0
	}
	return cap(d.text) + cap(d.blocks) + 1000
}

// Uses lists the features that the drawing uses, the newest first.
func (d *Drawing) Uses() []Feature { return d.uses }

// HasBlocks reports whether the message has blocks, or its text alone.
func (d *Drawing) HasBlocks() bool { return len(d.blocks) > 0 }

// AppendText appends the text of the message as a JSON string.
func (d *Drawing) AppendText(to []byte, at view.AsOf) []byte {
	to = append(to, d.text...)
	if age, err := json.Marshal(at.String()); err == nil { // a string can always be written
		to = append(to, age[1:len(age)-1]...)
	}
	return append(to, '"')
}

// AppendBlocks appends the blocks of the message as a JSON array.
func (d *Drawing) AppendBlocks(to []byte, at view.AsOf) []byte {
	to = append(append(to, '['), d.blocks...)
	if last := d.small.block(at); last != nil {
		if raw, err := json.Marshal(last); err == nil { // texts can always be written
			to = append(append(to, raw...), ',')
		}
	}
	to[len(to)-1] = ']' // in place of the last comma
	return to
}
