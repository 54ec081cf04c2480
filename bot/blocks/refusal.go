package blocks

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/slackapi"
)

// blockRefusal is Slack's explanation of why it refused blocks.
type blockRefusal struct {
	cause RefusalCause
	code  string
	words []string  // Slack's lines, with their pointers
	used  []Feature // features of the refused message, newest first

	unsupported []Feature     // types that Slack does not support
	faults      []string      // lines about malformed blocks
	at          []slack.Block // the malformed blocks, if Slack names them
}

const (
	maxWords   = 10 // lines kept
	maxWordLen = 200
)

// judge parses a refusal of blocks that were sent. ok is false for any other error.
//
// Slack validates blocks against a schema with alternatives and reports the faults of all of them. So the line that
// counts may be one of several: a line about an unsupported type voids the lines below its pointer, and "failed to
// match any allowed schemas" means nothing if there are other lines.
func judge(err error, sent []slack.Block) (r blockRefusal, ok bool) {
	said, ok := errors.AsType[slack.SlackErrorResponse](err)
	if !ok {
		return r, false
	}
	wrong, ok := slackapi.BlocksRefused(said.Err)
	if !ok {
		return r, false
	}
	return judgeWords(said.Err, wrong, slackWords(said), sent), true
}

// judgeWords is judge for an error code and the lines that came with it.
func judgeWords(code string, wrong bool, words []string, sent []slack.Block) blockRefusal {
	r := blockRefusal{cause: Unexplained, code: code, used: Uses(sent)}
	var lines []blockFault
	for _, w := range words {
		lines = append(lines, readFault(w, sent))
		r.words = append(r.words, clipped(w))
	}
	void := func(f blockFault) bool {
		return f.generic || slices.ContainsFunc(lines, func(o blockFault) bool { return o.unsupported != "" && f.within(o.place) })
	}
	for _, f := range lines {
		switch {
		case f.unsupported != "":
			if !slices.Contains(r.unsupported, f.unsupported) {
				r.unsupported = append(r.unsupported, f.unsupported)
			}
		case !void(f) && !f.unclear:
			r.faults = append(r.faults, clipped(f.words))
			if f.block != nil && !slices.Contains(r.at, f.block) {
				r.at = append(r.at, f.block)
			}
		}
	}
	switch {
	case len(r.unsupported) > 0:
		r.cause = Unsupported
	case wrong || len(r.faults) > 0:
		r.cause = OurFault
		if len(r.faults) == 0 {
			r.faults = []string{code}
		}
	}
	r.words = r.words[:min(len(r.words), maxWords)]
	r.faults = r.faults[:min(len(r.faults), maxWords)]
	return r
}

// blamed returns what to leave out next: the unsupported features, otherwise the newest one in the malformed blocks,
// otherwise the newest one of all. It is empty if no newer block can be the cause.
func (r blockRefusal) blamed() []Feature {
	if r.cause == Unsupported {
		return r.unsupported
	}
	used := r.used
	if len(r.at) > 0 {
		used = Uses(r.at)
	}
	return used[:min(len(used), 1)]
}

// blockFault is one line of a refusal.
type blockFault struct {
	words string
	place string      // JSON pointer below the list of blocks, such as "1/rows/2/3"; may be empty
	block slack.Block // the block that contains place; nil if unknown

	unsupported Feature // the unsupported type, if the line names one
	generic     bool    // the line explains nothing by itself
	unclear     bool    // the line may be about another alternative of the schema
}

// within reports whether the line is about place or something below it.
func (f blockFault) within(place string) bool {
	return place != "" && (f.place == place || strings.HasPrefix(f.place, place+"/"))
}

var (
	// pointed matches a line with a pointer: "[ERROR] must be … [json-pointer:/blocks/0/text]".
	pointed = regexp.MustCompile(`^(.*?)\s*\[json-pointer:([^\]]*)\]$`)
	// inBlocks matches a pointer into a list of blocks: /view/blocks/1/type, /blocks/1, /1.
	inBlocks = regexp.MustCompile(`^(?:.*/blocks|/blocks)?/(\d+)((?:/.*)?)$`)
	inCell   = regexp.MustCompile(`^/rows/(\d+)/(\d+)((?:/.*)?)$`)
)

// readFault parses a line of a refusal.
func readFault(words string, sent []slack.Block) blockFault {
	f := blockFault{words: words}
	message, pointer := strings.TrimPrefix(words, "[ERROR] "), ""
	if m := pointed.FindStringSubmatch(message); m != nil {
		message, pointer = m[1], m[2]
	}
	named, unsupported := strings.CutPrefix(message, "unsupported type: ")
	f.generic = strings.HasPrefix(message, "failed to match")
	at := inBlocks.FindStringSubmatch(pointer)
	if at == nil {
		if pointer == "" && unsupported && slices.Contains(Uses(sent), Feature(named)) {
			f.unsupported = Feature(named)
		}
		return f
	}
	n, err := strconv.Atoi(at[1])
	if err != nil || n >= len(sent) {
		return f
	}
	f.block, f.place = sent[n], strings.TrimSuffix(at[1]+at[2], "/type")
	cell := inCell.FindStringSubmatch(at[2])
	switch {
	case (at[2] == "" || at[2] == "/type") && unsupported:
		if string(sent[n].BlockType()) == named && slices.Contains(Features(), Feature(named)) {
			f.unsupported = Feature(named)
		}
	case cell != nil && hasActionCell(sent[n], cell[1], cell[2]):
		f.unclear = cell[3] == "" || cell[3] == "/type"
		if unsupported && named == string(ActionCell) {
			f.unsupported = ActionCell
		}
	}
	return f
}

// hasActionCell reports whether the cell at a pointer's row and column runs a command.
func hasActionCell(b slack.Block, row, column string) bool {
	table, ok := b.(*slack.DataTableBlock)
	i, err := strconv.Atoi(row)
	j, err2 := strconv.Atoi(column)
	if !ok || err != nil || err2 != nil || i >= len(table.Rows) || j >= len(table.Rows[i]) {
		return false
	}
	return table.Rows[i][j].DataTableCellType() == slack.DataTableCellAction
}

// slackWords returns the lines in which Slack explains a refusal.
func slackWords(said slack.SlackErrorResponse) []string {
	if len(said.ResponseMetadata.Messages) > 0 {
		return said.ResponseMetadata.Messages
	}
	var words []string
	for _, e := range said.Errors {
		if e.Message != nil {
			words = append(words, *e.Message)
		}
	}
	return words
}

func clipped(s string) string { return s[:min(len(s), maxWordLen)] }
