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

// blockRefusal is what Slack said when it refused blocks.
type blockRefusal struct {
	cause RefusalCause
	code  string
	words []string  // Slack's own, with the pointers
	used  []Feature // by what was refused, the newest first

	unsupported []Feature     // that Slack names as types it does not support
	faults      []string      // the words about what is wrong with what was sent
	at          []slack.Block // what those are about; empty where Slack does not say
}

const (
	maxWords   = 10 // of Slack's lines that are kept
	maxWordLen = 200
)

// judge reads an error of Slack's about blocks that were sent; ok is false for any other error.
//
// Slack checks blocks by a schema with alternatives. It names the faults of all of them, so that the line which counts
// may stand among others: that of a type which is not supported makes the lines below its place void, and "failed to
// match any allowed schemas" says nothing beside others.
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

// blamed is what to leave out next: what is not supported, else the newest that the faulty blocks use, else the newest of
// all. It is empty where no newer block is to blame.
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
	place string      // pointer of what it is about, from the list of blocks on: "1/rows/2/3"; empty where there is none
	block slack.Block // that holds the place; nil where unknown

	unsupported Feature // the type that is not supported, where it says so
	generic     bool    // it says nothing by itself
	unclear     bool    // it may be the fault of an alternative that was not meant
}

// within reports whether the line is about something at or below a place.
func (f blockFault) within(place string) bool {
	return place != "" && (f.place == place || strings.HasPrefix(f.place, place+"/"))
}

var (
	// pointed is a line with the pointer of its place: "[ERROR] must be … [json-pointer:/blocks/0/text]".
	pointed = regexp.MustCompile(`^(.*?)\s*\[json-pointer:([^\]]*)\]$`)
	// inBlocks is a pointer into a list of blocks, whatever holds that list: /view/blocks/1/type, /blocks/1, /1.
	inBlocks = regexp.MustCompile(`^(?:.*/blocks|/blocks)?/(\d+)((?:/.*)?)$`)
	inCell   = regexp.MustCompile(`^/rows/(\d+)/(\d+)((?:/.*)?)$`)
)

// readFault reads a line of a refusal of the blocks that were sent.
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

func hasActionCell(b slack.Block, row, column string) bool {
	table, ok := b.(*slack.DataTableBlock)
	i, err := strconv.Atoi(row)
	j, err2 := strconv.Atoi(column)
	if !ok || err != nil || err2 != nil || i >= len(table.Rows) || j >= len(table.Rows[i]) {
		return false
	}
	return table.Rows[i][j].DataTableCellType() == slack.DataTableCellAction
}

// slackWords are the lines in which Slack explains a refusal.
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
