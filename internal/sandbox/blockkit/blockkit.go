// Package blockkit checks what Slack would refuse in blocks and views: types that do not exist or do not belong on a
// surface, missing, unknown, too long or too many fields, duplicate ids, and totals over a whole message. Each fault
// has the JSON pointer of its place, as Slack's own answers do. The rules are tables, one for each family of blocks. It
// knows the rules of https://docs.slack.dev/reference/block-kit and nothing of a workspace: not who may see a file, or
// whether a picture exists. Where Slack publishes no number it uses the smallest that people have measured.
package blockkit

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// Surfaces for blocks.
const (
	Message = "message"
	Modal   = "modal"
	Home    = "home"
)

// Fault is one thing that Slack refuses.
type Fault struct {
	Pointer string // JSON pointer from the list's or view's parent: /blocks/0/text/text
	Message string // in Slack's manner: must be less than 151 characters
	Code    string // of the Web API's error where it is not the usual one
}

// The most blocks that a surface accepts.
const (
	maxMessageBlocks = 50
	maxViewBlocks    = 100
)

// Check returns what Slack would refuse in a list of blocks on a surface. Pointers
// begin with /blocks.
func Check(surface string, blocks json.RawMessage) []Fault {
	c := newChecker(surface)
	var list any
	if json.Unmarshal(blocks, &list) != nil {
		c.fault("/blocks", "must be JSON")
		return c.faults
	}
	c.blocks("/blocks", list)
	return c.faults
}

// CheckView returns what Slack would refuse in a modal or Home tab. Pointers are
// the view's own: /title/text, /blocks/0.
func CheckView(view json.RawMessage) []Fault {
	c := newChecker("")
	var v any
	if json.Unmarshal(view, &v) != nil {
		c.fault("", "must be JSON")
		return c.faults
	}
	c.view(v)
	return c.faults
}

// CheckSuggestion returns what Slack would refuse in the answer to a
// block_suggestion: {"options": […]} or {"option_groups": […]}, at most 100 of them.
func CheckSuggestion(answer json.RawMessage) []Fault {
	c := newChecker("")
	var v any
	if json.Unmarshal(answer, &v) != nil {
		c.fault("", "must be JSON")
		return c.faults
	}
	c.rules.suggestion(c, "", v)
	return c.faults
}

// checker walks one payload.
type checker struct {
	surface string
	rules   *rules
	faults  []Fault
	totals  totals

	blockIDs  map[string]bool // of the payload
	actionIDs map[string]bool // of the block that is being looked at
	nesting   int             // containers and layouts around it
}

func newChecker(surface string) *checker {
	return &checker{surface: surface, rules: standard(), blockIDs: map[string]bool{}}
}

func (c *checker) fault(at, format string, a ...any) {
	c.faults = append(c.faults, Fault{Pointer: at, Message: fmt.Sprintf(format, a...)})
}

// coded adds a fault with its own error code.
func (c *checker) coded(code, at, format string, a ...any) {
	c.fault(at, format, a...)
	c.faults[len(c.faults)-1].Code = code
}

// blocks checks the list at the top of a message or view.
func (c *checker) blocks(at string, v any) {
	most := maxViewBlocks
	if c.surface == Message {
		most = maxMessageBlocks
	}
	list(0, most, func(c *checker, at string, v any) { c.block(at, v, nil) })(c, at, v)
	c.sums(at, v)
}

// block checks one block. Allowed names the types that may stand there; nil allows all.
func (c *checker) block(at string, v any, allowed []string) {
	o, ok := v.(map[string]any)
	if !ok {
		c.fault(at, "must provide an object")
		return
	}
	kind, _ := o["type"].(string)
	b, known := c.rules.blocks[kind]
	switch {
	case o["type"] == nil:
		c.fault(at, "missing required field: type")
		return
	case !known:
		c.fault(at+"/type", "unsupported type: %s", kind)
		return
	case allowed != nil && !slices.Contains(allowed, kind):
		c.fault(at+"/type", "a block of type %s can't stand here", kind)
		return
	case !slices.Contains(b.surfaces, c.surface):
		c.fault(at+"/type", "a block of type %s is not supported in a %s", kind, c.surface)
		return
	}
	c.id(at, o)
	outer := c.actionIDs
	c.actionIDs = map[string]bool{}
	b.rule(c, at, o)
	c.actionIDs = outer
	c.count(at, kind, o)
}

// id requires block ids to be unique within a payload.
func (c *checker) id(at string, o map[string]any) {
	id, _ := o["block_id"].(string)
	if id == "" || o["type"] == "markdown" { // Slack ignores a markdown block's id
		return
	}
	if c.blockIDs[id] {
		c.fault(at+"/block_id", "`block_id` %q already exists", id)
	}
	c.blockIDs[id] = true
}

// kind is a type of block: where it is allowed and what it consists of.
type kind struct {
	surfaces []string
	rule     rule
}

// standard builds the tables on the first check; nothing changes them.
var standard = sync.OnceValue(newRules)

// rules holds all tables. Rules find each other through the checker, so that blocks can contain blocks.
type rules struct {
	blocks     map[string]kind
	elements   map[string]rule
	suggestion rule
}

func newRules() *rules {
	r := &rules{elements: elements(), suggestion: suggestion()}
	r.blocks = map[string]kind{}
	for _, family := range []map[string]kind{plainBlocks(), tableBlocks(), chartBlocks(), nestedBlocks(), agentBlocks()} {
		maps.Copy(r.blocks, family)
	}
	return r
}

func everywhere() []string      { return []string{Message, Modal, Home} }
func messagesOnly() []string    { return []string{Message} }
func messagesAndHome() []string { return []string{Message, Home} }
