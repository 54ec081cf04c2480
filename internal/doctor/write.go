package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/missingkbs/missingkbs/internal/redact"
	"github.com/missingkbs/missingkbs/internal/view"
)

// text returns the status as people read it.
func (s Status) text() string {
	switch s {
	case Fail:
		return "FAIL"
	case Skip:
		return "not checked"
	}
	return string(s)
}

// WriteText writes a report as an aligned table: a line for each finding, with its cure below. It removes control characters and
// hides secrets, because findings quote the errors of other programs.
func WriteText(w io.Writer, r Report) error {
	var b strings.Builder
	names, states := width("check", r, func(r Result) string { return r.Check }), width("status", r, func(r Result) string { return r.Status.text() })
	writeRow := func(name, state, text string) {
		fmt.Fprintln(&b, strings.TrimRight(pad(name, names)+"  "+pad(state, states)+"  "+view.OneLine(text), " "))
	}
	writeRow("CHECK", "STATUS", "FOUND")
	for _, one := range r.Results {
		writeRow(one.Check, one.Status.text(), one.Found)
		if one.Cure != "" {
			writeRow("", "", "-> "+one.Cure)
		}
	}
	fmt.Fprintf(&b, "\n%s\n", r.summary())
	_, err := io.WriteString(redact.Writer{Writer: w}, b.String())
	return err
}

func width(head string, r Report, of func(Result) string) int {
	w := len(head)
	for _, one := range r.Results {
		w = max(w, utf8.RuneCountInString(of(one)))
	}
	return w
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}

// summary returns the report in one sentence.
func (r Report) summary() string {
	failed, warned := r.Count(Fail), r.Count(Warn)
	switch {
	case failed > 0 && warned > 0:
		return fmt.Sprintf("%s and %s.", view.Count(failed, "failure"), view.Count(warned, "warning"))
	case failed > 0:
		return view.Count(failed, "failure") + "."
	case warned > 0:
		return fmt.Sprintf("It works, with %s.", view.Count(warned, "warning"))
	}
	return "All is well."
}

// document is a report as JSON. Scripts read it, so its names are stable.
type document struct {
	Program string   `json:"program,omitempty"`
	Summary summary  `json:"summary"`
	Checks  []result `json:"checks"`
}

type summary struct {
	Status Status `json:"status"` // ok, warn or fail
	OK     int    `json:"ok"`
	Skip   int    `json:"skip"`
	Warn   int    `json:"warn"`
	Fail   int    `json:"fail"`
	TookMS int64  `json:"took_ms"`
}

type result struct {
	Check  string `json:"check"`
	Status Status `json:"status"`
	Found  string `json:"found"`
	Cure   string `json:"cure"` // empty if there is nothing to do
	TookMS int64  `json:"took_ms"`

	Evidence *Evidence `json:"evidence,omitempty"`
}

// WriteJSON writes a report as one indented JSON object: a summary, and a list with an entry for each finding. It hides secrets,
// as [WriteText] does.
func WriteJSON(w io.Writer, r Report) error {
	doc := document{
		Program: r.Program,
		Summary: summary{r.Status(), r.Count(OK), r.Count(Skip), r.Count(Warn), r.Count(Fail), r.Took.Milliseconds()},
		Checks:  make([]result, 0, len(r.Results)),
	}
	for _, one := range r.Results {
		doc.Checks = append(doc.Checks, result{one.Check, one.Status, view.OneLine(one.Found), view.OneLine(one.Cure), one.Took.Milliseconds(), one.Evidence})
	}
	enc := json.NewEncoder(redact.Writer{Writer: w})
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}
