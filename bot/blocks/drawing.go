package blocks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/internal/view"
)

// ageMark stands for the age of the data where the blocks are written.
const ageMark = "\x00age\x00"

var ageMarkJSON = []byte(`"\u0000age\u0000"`)

// Drawing is a page drawn once and encoded as JSON, without the age of its data. Each send only encodes the age. It is
// safe for concurrent use.
type Drawing struct {
	text                []byte // a JSON string without its closing quote, to which the age is added
	blocks              []byte // a JSON array of the blocks before the small print, without its end; empty where the message is its text
	ageless             []byte // the end of the array for data without an age
	beforeAge, afterAge []byte // and for data that has one
	uses                []Feature
}

// Draw draws a page as [Render] does. Unless the data is stale, the drawing also serves the page at another age.
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
	made.uses = Uses(d.blocks)
	raw, err := json.Marshal(d.blocks)
	if err != nil {
		return nil, fmt.Errorf("write the blocks of a message: %w", err)
	}
	made.blocks = raw[:len(raw)-1]
	small := d.smallPrint(p)
	if made.ageless, err = lastBlock(small.block("", false)); err != nil {
		return nil, err
	}
	aged, err := lastBlock(small.block(ageMark, true))
	made.beforeAge, made.afterAge, _ = bytes.Cut(aged, ageMarkJSON) // it comes before what is not ours
	return made, err
}

// lastBlock writes the end of a JSON array with a last block, or nil for none.
func lastBlock(b slack.Block) ([]byte, error) {
	if b == nil {
		return []byte("]"), nil
	}
	raw, err := json.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("write the small print of a message: %w", err)
	}
	return slices.Concat([]byte(","), raw, []byte("]")), nil
}

// Size returns roughly how many bytes the drawing takes, in memory or as JSON; 0 for nil.
func (d *Drawing) Size() int {
	if d == nil {
		return 0
	}
	return cap(d.text) + cap(d.blocks) + 1000
}

// Uses lists the features that the drawing uses, newest first.
func (d *Drawing) Uses() []Feature { return d.uses }

// HasBlocks reports whether the message has blocks; otherwise it is only text.
func (d *Drawing) HasBlocks() bool { return len(d.blocks) > 0 }

// AppendText appends the text of the message as a JSON string.
func (d *Drawing) AppendText(to []byte, at view.AsOf) []byte {
	to = append(to, d.text...)
	if age, err := json.Marshal(at.String()); err == nil { // a string never fails
		to = append(to, age[1:len(age)-1]...)
	}
	return append(to, '"')
}

// AppendBlocks appends the blocks of the message as a JSON array.
func (d *Drawing) AppendBlocks(to []byte, at view.AsOf) []byte {
	to = append(to, d.blocks...)
	if at.Time.IsZero() {
		return append(to, d.ageless...)
	}
	to = append(to, d.beforeAge...)
	if age, err := json.Marshal(ageText(at)); err == nil { // a string can always be written
		to = append(to, age...)
	}
	return append(to, d.afterAge...)
}
