package blocks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/sandbox/blockkit"
	"github.com/missingkbs/missingkbs/internal/view"
)

// choosy is a Slack that takes blocks or refuses them, as the Web API words it.
type choosy struct {
	t       *testing.T
	on      Destination
	lacks   []Feature                       // types it does not know
	mute    bool                            // it says the code alone
	code    string                          // of refusals; default invalid_blocks
	wrong   func(sent []slack.Block) string // what it finds wrong, with a pointer; "" for nothing
	posts   int
	shown   []slack.Block // what it took last
	refused int
}

func (p *choosy) take(sent []slack.Block) error {
	p.t.Helper()
	p.posts++
	raw, err := json.Marshal(sent)
	if err != nil {
		p.t.Fatal(err)
	}
	name := map[Destination]string{ToMessage: blockkit.Message, ToHome: blockkit.Home}[p.on]
	if faults := blockkit.Check(name, raw); len(faults) > 0 && len(sent) > 0 {
		p.t.Errorf("real faults: %+v in %s", faults, raw)
	}
	words := p.complaints(sent)
	if len(words) == 0 {
		p.shown = sent
		return nil
	}
	p.refused++
	refusal := slack.SlackErrorResponse{Err: p.code}
	if refusal.Err == "" {
		refusal.Err = "invalid_blocks"
	}
	if !p.mute {
		refusal.ResponseMetadata.Messages = words
	}
	return fmt.Errorf("post: %w", refusal)
}

func (p *choosy) complaints(sent []slack.Block) (words []string) {
	for i, b := range sent {
		for _, f := range p.lacks {
			at := fmt.Sprintf("/blocks/%d/type", i)
			if f == ActionCell {
				at = fmt.Sprintf("/blocks/%d/rows/1/2/type", i)
			}
			if slices.Contains(Uses([]slack.Block{b}), f) {
				words = append(words, fmt.Sprintf("[ERROR] unsupported type: %s [json-pointer:%s]", f, at))
			}
		}
	}
	if p.wrong != nil {
		if w := p.wrong(sent); w != "" {
			words = append(words, "[ERROR] "+w)
		}
	}
	return words
}

// richPage uses every feature.
func richPage(title string) view.Page {
	kb := func(n int) []view.Cell {
		return []view.Cell{
			view.TextCell(fmt.Sprintf("KB%d", n)), view.NumberCell(n),
			{Text: "Catalog", Action: &view.Action{Label: "Catalog", URL: "https://catalog.update.microsoft.com/"}},
		}
	}
	return view.Page{Title: title, Parts: []view.Part{
		view.Table{
			Caption: "Missing updates", Columns: []view.Column{{Title: "KB"}, {Title: "Devices", Kind: view.Number}, {Title: "Catalog", Kind: view.Button}},
			Rows: [][]view.Cell{kb(1), kb(2)},
		},
		view.Chart{Title: "Gap", Points: []string{"W1", "W2"}, Series: []view.Series{{Name: "All", Values: []int{3, 2}}}},
	}}
}

// deliverTo sends a page to a choosy Slack, and returns the features that it arrived with.
func deliverTo(l *Ladder, p *choosy, page view.Page, tries int) ([]Feature, error) {
	p.posts, p.shown, p.refused = 0, nil, 0
	err := l.Deliver(p.t.Context(), Delivery{Page: page, On: p.on, Tries: tries, Send: func(f Form) (Sent, error) {
		sent := Render(page, Options{Form: f}).Blocks
		if p.on == ToHome {
			sent = Home(page, Options{Form: f}, "").Blocks.BlockSet
		}
		return SentBlocks(sent), p.take(sent)
	}})
	return Uses(p.shown), err
}

const (
	chart      = DataVisualization
	button     = ActionCell
	data       = DataTable
	plainTable = Table
)

// Each rung refused in turn, and what comes instead; then the same again without a refusal where Slack named the type.
func TestEachRungGivesWayToTheNext(t *testing.T) {
	for _, c := range []struct {
		lacks []Feature
		want  []Feature
		named int // posts where Slack names the types
		mute  int // posts where it does not
	}{
		{nil, []Feature{chart, button, data}, 1, 1},
		{[]Feature{button}, []Feature{chart, data}, 2, 3},
		{[]Feature{data}, []Feature{chart, plainTable}, 2, 4},
		{[]Feature{data, plainTable}, []Feature{chart}, 3, 5},
		{[]Feature{plainTable}, []Feature{chart, button, data}, 1, 1},
		{[]Feature{chart}, []Feature{button, data}, 2, 2},
		{[]Feature{chart, button}, []Feature{data}, 2, 3},
		{[]Feature{chart, data}, []Feature{plainTable}, 2, 4},
		{[]Feature{chart, button, data, plainTable}, nil, 3, 5},
	} {
		for _, mute := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v mute %v", c.lacks, mute), func(t *testing.T) {
				l, p := NewLadder(LadderOptions{}), &choosy{t: t, lacks: c.lacks, mute: mute}
				got, err := deliverTo(l, p, richPage("x"), MaxTries)
				want, posts := c.want, c.named
				if mute {
					posts = c.mute
					if !slices.Contains(c.lacks, chart) && len(c.lacks) > 0 && c.lacks[0] != plainTable { // it is left out first
						want = slices.DeleteFunc(slices.Clone(want), func(f Feature) bool { return f == chart })
					}
				}
				if diff := cmp.Diff(want, got, emptyIsNil); diff != "" || err != nil {
					t.Errorf("arrived with (-want +got), error %v:\n%s", err, diff)
				}
				if p.posts != posts {
					t.Errorf("%d posts, want %d", p.posts, posts)
				}
				if _, err := deliverTo(l, p, richPage("x"), MaxTries); err != nil || !mute && p.posts != 1 {
					t.Errorf("the second: %d posts, %v; want what is remembered to be tried first", p.posts, err)
				}
			})
		}
	}
}

var emptyIsNil = cmp.Transformer("emptyIsNil", func(f []Feature) []Feature {
	if len(f) == 0 {
		return nil
	}
	return f
})

// Whatever a Slack refuses, a page arrives, with no more posts than there are, and no form but the text is worse than
// sections. A message that is wrong changes nothing of what is remembered.
func TestWhateverIsRefusedThePageArrives(t *testing.T) {
	codes := []string{"", "invalid_arguments", "invalid_blocks_format", "msg_blocks_too_long", "only_one_table_allowed"}
	for seed := range 400 {
		random := rand.New(rand.NewPCG(uint64(seed), 1))
		l := NewLadder(LadderOptions{Tables: []TableSetting{TablesAuto, TablesData, TablesPlain, TablesClassic}[random.IntN(4)]})
		p := &choosy{t: t, on: Destination(random.IntN(2))}
		for range 8 {
			p.lacks = slices.DeleteFunc(Features(), func(Feature) bool { return random.IntN(2) == 0 })
			p.mute, p.code, p.wrong = random.IntN(2) == 0, codes[random.IntN(len(codes))], nil
			if hates := Features()[random.IntN(4)]; random.IntN(3) == 0 {
				p.wrong = func(sent []slack.Block) string {
					for i, b := range sent {
						if slices.Contains(Uses([]slack.Block{b}), hates) {
							return fmt.Sprintf("must be more than 0 characters [json-pointer:/blocks/%d/rows/1/0/text]", i)
						}
					}
					return ""
				}
			}
			tries := []int{slackapi.MaxPosts, MaxTries}[random.IntN(2)]
			if _, err := deliverTo(l, p, richPage(strconv.Itoa(random.IntN(5))), tries); err != nil || p.posts > tries || len(p.shown) == 0 {
				t.Fatalf("seed %d: %d posts of %d, %d blocks arrived, %v", seed, p.posts, tries, len(p.shown), err)
			}
		}
	}
}

// Where even sections are refused the text arrives; the Home tab has none.
func TestTextIsTheLastResort(t *testing.T) {
	for _, tries := range []int{slackapi.MaxPosts, MaxTries} {
		for _, mute := range []bool{false, true} {
			p := &choosy{t: t, mute: mute, wrong: func(sent []slack.Block) string {
				if len(sent) > 0 {
					return "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
				}
				return ""
			}}
			if _, err := deliverTo(NewLadder(LadderOptions{}), p, richPage("x"), tries); err != nil || p.posts > tries || len(p.shown) > 0 {
				t.Errorf("%d posts of %d, %d blocks, %v; want the text alone", p.posts, tries, len(p.shown), err)
			}
			p.on = ToHome
			if _, err := deliverTo(NewLadder(LadderOptions{}), p, richPage("x"), tries); err == nil || p.posts > tries {
				t.Errorf("Home: %d posts of %d, %v; want Slack's refusal", p.posts, tries, err)
			}
		}
	}
}

// What is wrong with one message is drawn more simply for that message, logged in Slack's words, counted, and forgotten.
func TestABadMessageIsOurFaultAndForgotten(t *testing.T) {
	var log bytes.Buffer
	var seen []Refusal
	l := NewLadder(LadderOptions{
		Log: slog.New(slog.NewTextHandler(&log, nil)), Observe: func(r Refusal) { seen = append(seen, r) },
		Refused: func() { t.Error("the workspace is said to refuse blocks") },
	})
	p := &choosy{t: t, wrong: func(sent []slack.Block) string {
		if slices.Contains(Uses(sent), data) {
			return "missing required field: text [json-pointer:/blocks/1/rows/1/1]"
		}
		return ""
	}}
	for n := range 10 { // however often, and in different messages
		got, err := deliverTo(l, p, richPage(fmt.Sprint("bad ", n)), MaxTries)
		if diff := cmp.Diff([]Feature{chart, plainTable}, got); diff != "" || err != nil {
			t.Errorf("arrived with (-want +got), error %v:\n%s", err, diff)
		}
	}
	if text := log.String(); strings.Count(text, "level=ERROR") != 20 || !strings.Contains(text, "missing required field: text [json-pointer:/blocks/1/rows/1/1]") || !strings.Contains(text, "Please report this") {
		t.Errorf("logged %s", text)
	}
	if want := slices.Repeat([]Refusal{{OurFault, button}, {OurFault, data}}, 10); !slices.Equal(seen, want) {
		t.Errorf("observed %v, want %v", seen, want)
	}
	p.wrong = nil
	if got, err := deliverTo(l, p, richPage("good"), MaxTries); err != nil || p.posts != 1 || !slices.Contains(got, button) {
		t.Errorf("a good message afterwards: %v in %d posts, %v", got, p.posts, err)
	}
}

// A refusal without a reason is remembered when different pages in a row meet it, and not before.
func TestUnexplainedRefusalsNeedEvidence(t *testing.T) {
	refused := 0
	l := NewLadder(LadderOptions{Refused: func() { refused++ }})
	p := &choosy{t: t, lacks: []Feature{chart}, mute: true}
	posts := func(title string) int {
		t.Helper()
		if _, err := deliverTo(l, p, richPage(title), slackapi.MaxPosts); err != nil {
			t.Fatal(err)
		}
		return p.posts
	}
	for range 10 {
		if got := posts("the same page"); got != 2 {
			t.Fatalf("%d posts, want 2: one page says nothing of the workspace", got)
		}
	}
	posts("another")
	p.lacks = nil
	if got := posts("taken"); got != 1 {
		t.Errorf("%d posts, want 1", got)
	}
	p.lacks = []Feature{chart}
	for _, title := range []string{"a", "b", "c"} {
		if got := posts(title); got != 2 || refused != 0 && title != "c" {
			t.Errorf("%s: %d posts, %d times remembered", title, got, refused)
		}
	}
	if got := posts("d"); got != 1 || refused != 1 {
		t.Errorf("%d posts, %d times remembered; want 1 and 1", got, refused)
	}
}

// What is refused is tried again after a day: taken, it is used again; refused, it is remembered for another day.
func TestRefusedBlocksAreTriedAgainAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		l := NewLadder(LadderOptions{Refused: func() { told = append(told, "refused") }, Taken: func() { told = append(told, "taken") }})
		p := &choosy{t: t, lacks: []Feature{data}}
		for _, step := range []struct {
			after time.Duration
			lacks []Feature
			posts int
			want  []Feature
		}{
			{0, []Feature{data}, 2, []Feature{chart, plainTable}},
			{time.Minute, nil, 1, []Feature{chart, plainTable}}, // not yet tried again
			{forgetAfter, []Feature{data}, 2, []Feature{chart, plainTable}},
			{forgetAfter - time.Minute, nil, 1, []Feature{chart, plainTable}},
			{2 * time.Minute, nil, 1, []Feature{chart, button, data}},
			{0, nil, 1, []Feature{chart, button, data}},
		} {
			time.Sleep(step.after)
			p.lacks = step.lacks
			got, err := deliverTo(l, p, richPage("x"), MaxTries)
			if diff := cmp.Diff(step.want, got); diff != "" || err != nil || p.posts != step.posts {
				t.Errorf("%d posts, want %d, %v; arrived with (-want +got):\n%s", p.posts, step.posts, err, diff)
			}
		}
		if diff := cmp.Diff([]string{"refused", "refused", "taken"}, told); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

// The Home tab may refuse what messages show. What messages refuse, the Home tab is spared.
func TestHomeIsJudgedApart(t *testing.T) {
	l := NewLadder(LadderOptions{})
	home, message := &choosy{t: t, on: ToHome, lacks: []Feature{data}, code: "invalid_arguments"}, &choosy{t: t}
	for _, want := range []int{2, 1} {
		if got, err := deliverTo(l, home, richPage("x"), MaxTries); err != nil || home.posts != want || !slices.Contains(got, plainTable) {
			t.Errorf("Home: %v in %d posts, want %d; %v", got, home.posts, want, err)
		}
	}
	if got, err := deliverTo(l, message, richPage("x"), MaxTries); err != nil || message.posts != 1 || !slices.Contains(got, button) {
		t.Errorf("message: %v in %d posts, %v", got, message.posts, err)
	}
	message.lacks = []Feature{plainTable, data}
	if _, err := deliverTo(l, message, richPage("x"), MaxTries); err != nil {
		t.Error(err)
	}
	home.lacks = []Feature{data, plainTable}
	if got, err := deliverTo(l, home, richPage("x"), MaxTries); err != nil || home.posts != 1 || len(got) != 0 {
		t.Errorf("Home afterwards: %v in %d posts, %v", got, home.posts, err)
	}
}

// Errors that are not about blocks end a delivery at once.
func TestOtherErrorsAreNoRefusals(t *testing.T) {
	for _, err := range []error{slackapi.ErrDeliveryUnknown, slack.SlackErrorResponse{Err: "channel_not_found"}, &slack.RateLimitedError{RetryAfter: time.Second}} {
		posts := 0
		got := NewLadder(LadderOptions{}).Deliver(t.Context(), Delivery{Page: richPage("x"), Tries: MaxTries, Send: func(f Form) (Sent, error) {
			posts++
			return SentBlocks(Render(richPage("x"), Options{Form: f}).Blocks), err
		}})
		if posts != 1 || got.Error() != err.Error() {
			t.Errorf("%v: %d posts, error %v", err, posts, got)
		}
	}
}
