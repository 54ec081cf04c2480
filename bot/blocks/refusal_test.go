package blocks

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
)

// Refusals as Slack words them. Its schema has alternatives, and it names the faults of all of them: the last cases are
// put together from what people have seen.
func TestJudge(t *testing.T) {
	t.Parallel()
	const cell = "/blocks/1/rows/1/2" // the button in the table of richPage
	for name, c := range map[string]struct {
		code        string
		words       []string
		cause       RefusalCause
		unsupported []Feature
		faults      int
		blamed      []Feature
	}{
		"no table":                   {words: []string{"unsupported type: data_table [json-pointer:/blocks/1/type]"}, cause: Unsupported, unsupported: []Feature{data}, blamed: []Feature{data}},
		"no table in a view":         {code: "invalid_arguments", words: []string{"[ERROR] unsupported type: data_table [json-pointer:/view/blocks/1/type]", "[ERROR] failed to match all allowed schemas [json-pointer:/view]"}, cause: Unsupported, unsupported: []Feature{data}, blamed: []Feature{data}},
		"no table, by its block":     {words: []string{"unsupported type: data_table [json-pointer:/blocks/1]"}, cause: Unsupported, unsupported: []Feature{data}, blamed: []Feature{data}},
		"no table, without a place":  {words: []string{"unsupported type: data_table"}, cause: Unsupported, unsupported: []Feature{data}, blamed: []Feature{data}},
		"as the validator points":    {words: []string{"unsupported type: data_table [json-pointer:/1/type]"}, cause: Unsupported, unsupported: []Feature{data}, blamed: []Feature{data}},
		"no table, no chart":         {words: []string{"unsupported type: data_table [json-pointer:/blocks/1/type]", "unsupported type: data_visualization [json-pointer:/blocks/2/type]"}, cause: Unsupported, unsupported: []Feature{data, chart}, blamed: []Feature{data, chart}},
		"no button":                  {words: []string{"unsupported type: action_cell [json-pointer:" + cell + "/type]"}, cause: Unsupported, unsupported: []Feature{button}, blamed: []Feature{button}},
		"number without text":        {words: []string{"missing required field: text [json-pointer:/blocks/1/rows/1/1]"}, cause: OurFault, faults: 1, blamed: []Feature{button}},
		"chart with too long a name": {words: []string{"must be less than 21 characters [json-pointer:/blocks/2/chart/series/0/name]"}, cause: OurFault, faults: 1, blamed: []Feature{chart}},
		"header too long":            {words: []string{"must be less than 151 characters [json-pointer:/blocks/0/text/text]"}, cause: OurFault, faults: 1},
		"header unsupported":         {words: []string{"unsupported type: header [json-pointer:/blocks/0/type]"}, cause: OurFault, faults: 1},
		"another block's type":       {words: []string{"unsupported type: data_table [json-pointer:/blocks/0/type]"}, cause: OurFault, faults: 1},
		"too long":                   {code: "msg_blocks_too_long", cause: OurFault, faults: 1, blamed: []Feature{chart}},
		"beyond the blocks":          {words: []string{"must be less than 3 [json-pointer:/blocks/99/x]"}, cause: OurFault, faults: 1, blamed: []Feature{chart}},
		"mute":                       {cause: Unexplained, blamed: []Feature{chart}},
		"mute, of a view":            {code: "invalid_arguments", cause: Unexplained, blamed: []Feature{chart}},
		"nothing but schemas":        {words: []string{"failed to match any allowed schemas [json-pointer:/blocks/1]"}, cause: Unexplained, blamed: []Feature{chart}},
		"unsupported, and our fault": {
			words: []string{"unsupported type: data_visualization [json-pointer:/blocks/2/type]", "missing required field: text [json-pointer:/blocks/1/rows/1/1]"},
			cause: Unsupported, unsupported: []Feature{chart}, faults: 1, blamed: []Feature{chart},
		},
		"no button, among alternatives": {
			words: []string{
				"failed to match any allowed schemas [json-pointer:" + cell + "]", "missing required field: text [json-pointer:" + cell + "]",
				"unsupported type: action_cell [json-pointer:" + cell + "/type]", "missing required field: value [json-pointer:" + cell + "]",
				"invalid additional property: element [json-pointer:" + cell + "/element]",
			},
			cause: Unsupported, unsupported: []Feature{button}, blamed: []Feature{button},
		},
		"a button of alternatives alone": {
			words: []string{"failed to match any allowed schemas [json-pointer:" + cell + "]", "must be a valid enum value [json-pointer:" + cell + "/type]"},
			cause: Unexplained, blamed: []Feature{chart},
		},
		"a bad button": {
			words: []string{"must be a valid enum value [json-pointer:" + cell + "/type]", "must be a valid URL [json-pointer:" + cell + "/element/url]"},
			cause: OurFault, faults: 1, blamed: []Feature{button},
		},
		"number without text, among alternatives": {
			words: []string{
				"failed to match any allowed schemas [json-pointer:/blocks/1/rows/1/1]", "missing required field: element [json-pointer:/blocks/1/rows/1/1]",
				"missing required field: elements [json-pointer:/blocks/1/rows/1/1]", "missing required field: text [json-pointer:/blocks/1/rows/1/1]",
			},
			cause: OurFault, faults: 3, blamed: []Feature{button},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.code == "" {
				c.code = "invalid_blocks"
			}
			refusal := slack.SlackErrorResponse{Err: c.code}
			refusal.ResponseMetadata.Messages = c.words
			got, ok := judge(fmt.Errorf("post: %w", refusal), Render(richPage("x"), Options{}).Blocks)
			if !ok || got.cause != c.cause || len(got.faults) != c.faults {
				t.Errorf("judged %v, %s, faults %q; want %s and %d", ok, got.cause, got.faults, c.cause, c.faults)
			}
			if diff := cmp.Diff([][]Feature{c.unsupported, c.blamed}, [][]Feature{got.unsupported, got.blamed()}, emptyIsNil); diff != "" {
				t.Errorf("unsupported and blamed (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.words, got.words); diff != "" {
				t.Errorf("words (-want +got):\n%s", diff)
			}
		})
	}
	if _, ok := judge(errors.New("invalid_blocks"), nil); ok {
		t.Error("any error with the word is a refusal")
	}
}

// Slack's words are kept, but not without end.
func TestWordsAreBounded(t *testing.T) {
	t.Parallel()
	refusal := slack.SlackErrorResponse{Err: "invalid_blocks"}
	for range 1000 {
		refusal.ResponseMetadata.Messages = append(refusal.ResponseMetadata.Messages, strings.Repeat("x", 1000))
	}
	got, _ := judge(refusal, nil)
	if len(got.words) != maxWords || len(got.faults) != maxWords || len(got.words[0]) != maxWordLen {
		t.Errorf("%d words and %d faults of %d bytes", len(got.words), len(got.faults), len(got.words[0]))
	}
}

// Whatever Slack says of blocks, it is read without a crash, and only features that were used are blamed.
func FuzzJudge(f *testing.F) {
	sent := Render(richPage("x"), Options{}).Blocks
	for _, words := range []string{
		"unsupported type: data_table [json-pointer:/blocks/1/type]", "unsupported type: action_cell [json-pointer:/view/blocks/1/rows/1/2/type]",
		"missing required field: text [json-pointer:/1/rows/99999999999999999999/2]", "[ERROR]  [json-pointer:/blocks/]", "[json-pointer:", "\xff [json-pointer:/blocks/1/rows/0/0/\xff]",
	} {
		f.Add(words, "invalid_blocks")
	}
	f.Fuzz(func(t *testing.T, words, code string) {
		refusal := slack.SlackErrorResponse{Err: code}
		refusal.ResponseMetadata.Messages = strings.Split(words, "\n")
		got, ok := judge(refusal, sent)
		if !ok {
			return
		}
		for _, feature := range append(got.blamed(), got.unsupported...) {
			if !slices.Contains(Uses(sent), feature) {
				t.Errorf("%q blames %s, which was not used", words, feature)
			}
		}
	})
}
