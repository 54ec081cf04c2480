package view

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

// steering is text that steers terminals: by ESC, by the CSI of eight bits, by a return, a bell, and by direction.
const steering = "evil\x1b[2J\x1b]0;title\a\u009b31m\rover\x7f\u202egpj\u200b\U000e0041"

func checkSteersNothing(t *testing.T, what, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			t.Errorf("%s holds %U: %q", what, r, text)
			return
		}
	}
}

// Whatever the form, no name of Defender's or Slack's steers the terminal of who asked.
func TestPagesSteerNoTerminal(t *testing.T) {
	t.Parallel()
	page := Page{
		Title: steering, Lead: steering, Note: steering,
		Parts: []Part{
			Facts{{Name: steering, Value: steering}},
			Table{
				Caption: steering, Columns: []Column{{Key: "name", Title: steering}, {Key: "ask", Title: "x", Kind: Button}},
				Rows: [][]Cell{{TextCell(steering), {Action: &Action{Label: steering, Command: steering}}}, {TextCell("x"), {Action: &Action{Label: "x", URL: "https://x/" + steering}}}},
			},
			Chart{Title: steering, Unit: steering, Points: []string{steering, "b"}, Series: []Series{{Name: steering, Values: []int{1, 2}}, {Name: "b", Values: []int{1, 2}}}},
		},
	}
	var text, raw, csv bytes.Buffer
	if err := WriteText(&text, page); err != nil {
		t.Fatal(err)
	}
	if err := WriteJSON(&raw, page); err != nil {
		t.Fatal(err)
	}
	if err := WriteCSV(&csv, page); err != nil {
		t.Fatal(err)
	}
	for what, b := range map[string]bytes.Buffer{"text": text, "JSON": raw, "CSV": csv} {
		checkSteersNothing(t, what, b.String())
		if !strings.Contains(b.String(), "evil") {
			t.Errorf("%s does not hold the name: %s", what, b.String())
		}
	}
	var back document
	if err := json.Unmarshal(raw.Bytes(), &back); err != nil || back.Title != steering {
		t.Errorf("JSON says %q, %v", back.Title, err)
	}
}

func TestLinesKeepsLines(t *testing.T) {
	t.Parallel()
	if got, want := Lines("a\n\tb\x1b[1mc\u202ed é\U0001f600"), "a\n\tb [1mcd é\U0001f600"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzEscapeJSON(f *testing.F) {
	f.Add(steering)
	f.Fuzz(func(t *testing.T, s string) {
		var out bytes.Buffer
		e := json.NewEncoder(EscapeJSON(&out))
		e.SetEscapeHTML(false)
		if err := e.Encode([]string{s}); err != nil {
			t.Fatal(err)
		}
		checkSteersNothing(t, "JSON", out.String())
		plain, err := json.Marshal([]string{s})
		if err != nil {
			t.Fatal(err)
		}
		var got, want []string
		if json.Unmarshal(out.Bytes(), &got) != nil || json.Unmarshal(plain, &want) != nil || !cmp.Equal(got, want) {
			t.Errorf("%q became %q", want, got)
		}
	})
}
