package blocks

import (
	"strings"
	"unicode/utf16"
)

// Slack's limits, each as documented at https://docs.slack.dev/reference/block-kit/blocks unless another source is
// given, and stricter ones of ours. Slack does not define a character; UTF-16 units are counted, the strictest reading.
const (
	maxBlocks       = 50   // of a message
	maxHeader       = 150  // characters of a header
	maxText         = 3000 // characters of a text object
	maxButtons      = 25   // of an actions block
	maxButtonText   = 75   // characters of a button's label
	maxButtonValue  = 2000 // characters of a button's value
	maxURL          = 3000 // characters of a button's address
	maxPlaceholder  = 150  // characters of a select's placeholder
	maxOptionValue  = 150  // characters of a select's value; 75 in older documentation, which no software id reaches
	maxModalTitle   = 24   // characters of a modal's title and of the labels of its buttons
	maxMetadata     = 3000 // characters of a modal's private_metadata
	maxLabel        = 2000 // characters of the label and of the hint of an input
	maxTableRows    = 201  // of a data_table, its header counted
	maxTableColumns = 20   // of a data_table
	maxPageSize     = 100  // rows a data_table shows at once
	maxPlainRows    = 100  // of a table, its header counted
	maxPlainChars   = 10_000
	maxCharts       = 2  // data_visualization blocks of a message
	maxChartTitle   = 50 // characters of a chart's title and of an axis' label
	maxChartName    = 20 // characters of a series' or point's name
	maxPoints       = 20 // of a series

	// maxMessage bounds the visible characters of a message. Slack publishes no number for msg_blocks_too_long; users
	// have run into it from about 13,200 on (https://github.com/slackapi/bolt-js/issues/2509).
	maxMessage = 12000
	// maxFallback bounds the text for notifications and screen readers; Slack advises at most 4,000 characters
	// (https://docs.slack.dev/reference/methods/chat.postMessage).
	maxFallback = 3500

	// maxSeries is slack-go's limit; Slack accepts twice as many, but people cannot tell that many apart.
	maxSeries = 6

	maxLead    = 1000 // of a page's lead, ours
	maxCell    = 300  // of a table's cell, ours
	maxFact    = 600  // of a fact, name and value together, ours
	maxNote    = 1000 // of a page's note, ours
	maxChart   = 3000 // of all words and numbers of a chart, ours
	tableChars = 9000 // of one page of a table: with lead, facts and buttons it stays below maxMessage
	tableRows  = 100  // of one page of a data_table: its JSON is long, and people page instead
	shownRows  = 10   // of a data_table before its own pager
	classicMax = 20   // rows of one page of a classic table: each is a block
)

// length returns the number of characters of s as Slack counts them.
func length(s string) int {
	n := 0
	for _, r := range s {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}

// clip cuts s to at most limit characters and marks the cut with an ellipsis. Slack refuses empty texts, so an empty s
// becomes a dash. Invalid UTF-8 becomes the replacement character, as it would in JSON.
func clip(s string, limit int) string {
	s = strings.ToValidUTF8(strings.TrimSpace(s), "\uFFFD")
	if s == "" {
		return "–"
	}
	if length(s) <= limit {
		return s
	}
	n := 0
	for i, r := range s {
		if n += max(1, utf16.RuneLen(r)); n > limit-1 {
			return strings.TrimSpace(s[:i]) + "…"
		}
	}
	return s
}

// budget counts down the visible characters of a message.
type budget int

// take subtracts s and reports whether there was enough left.
func (b *budget) take(s ...string) bool {
	n := 0
	for _, t := range s {
		n += length(t)
	}
	if n > int(*b) {
		return false
	}
	*b -= budget(n)
	return true
}
