package view

import (
	"encoding/json"
	"io"
	"time"
)

// document is the JSON form of a page. Scripts read it, so its names must not change.
type document struct {
	Title  string          `json:"title"`
	Lead   string          `json:"lead"`
	About  string          `json:"software,omitempty"` // ID of the only software that the page is about
	Since  string          `json:"context,omitempty"`
	AsOf   *time.Time      `json:"as_of,omitempty"` // RFC 3339, UTC
	Age    int             `json:"age_seconds"`     // of the data, when the page was made
	Stale  Stale           `json:"stale,omitempty"` // why it is stale: one of the values of type Stale
	Again  *time.Time      `json:"fresh_from,omitempty"`
	Facts  []fact          `json:"facts,omitempty"`
	Lists  []listDocument  `json:"lists,omitempty"`
	Tables []tableDocument `json:"tables,omitempty"`
	Charts []chartDocument `json:"charts,omitempty"`
	Texts  []string        `json:"texts,omitempty"`
	Note   string          `json:"note,omitempty"`

	Unreadable int  `json:"unreadable_rows,omitempty"` // rows of Defender's answer left out because they could not be read
	Failed     bool `json:"failed,omitempty"`          // the page is an error
}

type fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type listDocument struct {
	Name  string   `json:"name"`
	Items []string `json:"items"`
	More  int      `json:"more"` // items not listed
}

type tableDocument struct {
	Caption string           `json:"caption"`
	Rows    []map[string]any `json:"rows"`
}

type chartDocument struct {
	Title  string           `json:"title"`
	Unit   string           `json:"unit"`
	Points []string         `json:"points"`
	Series []seriesDocument `json:"series"`
}

type seriesDocument struct {
	Name   string `json:"name"`
	Values []int  `json:"values"`
}

// WriteJSON writes a page as one indented JSON object: title, lead, software, context, as_of, age_seconds, stale and
// fresh_from for stale data, facts, lists, tables, charts, texts, note, and unreadable_rows if some rows could not be
// read. A table's rows are objects keyed by the columns' keys, including hidden columns: numbers as numbers, words as
// lists, a button as its address or command. All rows are written, whichever page was asked for.
func WriteJSON(w io.Writer, p Page) error { return writeJSON(w, p, false) }

// WriteFailureJSON writes an error page in the form of [WriteJSON], with failed: true.
func WriteFailureJSON(w io.Writer, p Page) error { return writeJSON(w, p, true) }

func writeJSON(w io.Writer, p Page, failed bool) error {
	doc := document{
		Title: p.Title, Lead: p.Lead, About: p.Software, Since: p.Context, Note: p.Note, Failed: failed,
		Age: int(p.AsOf.Age.Seconds()), Unreadable: p.Unreadable,
	}
	if !p.AsOf.Time.IsZero() {
		at := p.AsOf.Time.UTC()
		doc.AsOf = &at
	}
	if doc.Stale = p.AsOf.Stale; doc.Stale != NotStale && !p.AsOf.Again.IsZero() {
		again := p.AsOf.Again.UTC()
		doc.Again = &again
	}
	for _, part := range p.Parts {
		switch part := part.(type) {
		case Facts:
			for _, f := range part {
				doc.Facts = append(doc.Facts, fact(f))
			}
		case List:
			doc.Lists = append(doc.Lists, listDocument{part.Name, append([]string{}, part.Items...), part.More})
		case Table:
			doc.Tables = append(doc.Tables, tableJSON(part))
		case Chart:
			doc.Charts = append(doc.Charts, chartJSON(part))
		case Code:
			doc.Texts = append(doc.Texts, part.Text)
		}
	}
	enc := json.NewEncoder(EscapeJSON(w))
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}

func tableJSON(t Table) tableDocument {
	out := tableDocument{Caption: t.Caption, Rows: make([]map[string]any, 0, t.FileLen())}
	for at := range t.FileLen() {
		row := t.FileRow(at)
		object := make(map[string]any, len(row))
		for i, c := range row {
			object[t.Columns[i].Key] = cellJSON(t.Columns[i].Kind, c)
		}
		out.Rows = append(out.Rows, object)
	}
	return out
}

func chartJSON(c Chart) chartDocument {
	out := chartDocument{Title: c.Title, Unit: c.Unit, Points: append([]string{}, c.Points...), Series: []seriesDocument{}}
	for _, s := range c.Series {
		out.Series = append(out.Series, seriesDocument{s.Name, append([]int{}, s.Values...)})
	}
	return out
}

func cellJSON(k Kind, c Cell) any {
	switch {
	case k == Number:
		return c.Number
	case k == Words:
		return append([]string{}, c.Words...)
	case k == Button && c.Action == nil:
		return nil
	case k == Button && c.Action.URL != "":
		return c.Action.URL
	case k == Button:
		return c.Action.Command
	default:
		return c.Text
	}
}
