// Package view represents what a reply says, as plain values: a [Page] with its parts and the actions that a user can
// take next. Commands and digests make pages; package blocks draws them for Slack, and this package writes them as
// text, JSON and CSV. It knows nothing of Slack, Defender or where a page goes. Every string in a page is plain text of
// unknown origin, without markup or escaping. The renderer of a page escapes it for its medium and counts what does not
// fit.
package view

import (
	"slices"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/failure"
)

// Page is one reply.
type Page struct {
	Title   string   // a heading, one line
	Lead    string   // the answer in a sentence or two; also used as the notification
	Context string   // since when, as of when, and what is left out: one line below the lead
	Parts   []Part   // drawn in order
	Actions []Action // what the user can do next
	Note    string   // small print: hints and assumptions
	AsOf    AsOf     // when the data was fetched; zero for a page without data

	// Software is the ID of the only software that the page is about. The title has its name; a medium shows the ID
	// once more in small print, see [Page.ID].
	Software string

	LackedBy []string // ids of the software that misses the page's update; nil for other pages

	// Source lets a medium cache what it has drawn; zero for a page that is made once.
	Source Source

	// Dialog asks for what the page's line left out; may be nil. A medium with modals opens it instead of the page.
	Dialog *Dialog

	// Unreadable is how many rows of the source could not be read and are in no part. The page also says so.
	Unreadable int
}

// ID returns a sentence with the ID of the page's software; "" for a page about none.
func (p Page) ID() string {
	if p.Software == "" {
		return ""
	}
	return "Software id: " + OneLine(p.Software)
}

// Source identifies what a page was made from. Two pages with the same source only differ in AsOf. Code that changes a
// page sets another source, or none.
type Source struct {
	Question string // command line that makes the page, and what else it depends on
	Answer   uint64 // version of the stored answer; 0 if none is stored
}

// AsOf is the age of a page's data.
type AsOf struct {
	Time time.Time     // when Defender returned the data
	Age  time.Duration // age of the data when the page was made; zero for data fetched for this page

	// Stale is why the data is older than it should be: it was kept for when there is no fresh data. A page says so
	// before anything else.
	Stale Stale
	Again time.Time // when fresh data may be available; zero if unknown
}

// Stale is a reason to show stale data.
type Stale string

// The reasons to show stale data.
const (
	NotStale    Stale = ""
	UsedUp            = Stale(failure.Throttled)   // Defender's quota is used up
	Unreachable       = Stale(failure.Unavailable) // Defender did not respond
	TooSlow           = Stale(failure.Timeout)     // it did not respond in time
)

// Part is a part of a page: [Facts], [List], [Table], [Chart] or [Code].
type Part interface{ part() }

// Facts are a few named values.
type Facts []Fact

// Fact is a named value, such as "Vendor" and "microsoft".
type Fact struct{ Name, Value string }

// List is a few lines under a heading.
type List struct {
	Name  string
	Items []string
	More  int // number of items that are not listed
}

// Lines returns the items, and a last line that counts the rest.
func (l List) Lines() []string {
	if l.More == 0 {
		return l.Items
	}
	return append(slices.Clone(l.Items), Thousands(l.More)+" more")
}

// Code is preformatted text, for copying.
type Code struct{ Text string }

// Table is a list of rows with typed columns. It always has every row; a medium with less room shows one page of them
// and says how many there are. The rows are in reading order: those in Rows, then those in More, which are made on
// demand, so that a hundred thousand rows need not be in memory for one page.
type Table struct {
	Caption string   // describes the rows, also for people who cannot see the table
	Columns []Column // at least one; the first identifies the row
	Rows    [][]Cell // each as long as Columns
	More    LazyRows // rows after those in Rows
	Folded  LazyRows // further rows in files and JSON, which people find on another page
	CSV     []string // keys of the columns of a CSV file, in its order; empty for all columns in their order
	Page    int      // requested page, from 1; 0 if none was requested
	Command string   // command line of this table, to which a medium appends " --page N"
	Sorts   []Action // other orders, for media that cannot sort

	Before int // rows of the whole list before these, after Cut
	Whole  int // rows of the whole list; 0 if these are all
}

// Cut returns the rows from from up to but not including to as a table that knows its position in the whole.
func (t Table) Cut(from, to int) Table {
	part := t
	part.Before, part.Whole, part.Page = t.Before+from, max(t.Whole, t.Len()), 0
	part.Rows, part.Folded, part.More = nil, LazyRows{}, LazyRows{Count: to - from, Make: func(i int) []Cell { return t.Row(from + i) }}
	return part
}

// LazyRows are rows that are made on demand.
type LazyRows struct {
	Count int
	Make  func(i int) []Cell // makes row i, 0 ≤ i < Count; always the same
}

// Len returns how many rows the table has.
func (t Table) Len() int { return len(t.Rows) + t.More.Count }

// Row returns row i, 0 ≤ i < Len.
func (t Table) Row(i int) []Cell {
	if i < len(t.Rows) {
		return t.Rows[i]
	}
	return t.More.Make(i - len(t.Rows))
}

// FileLen returns how many rows a file of the table has.
func (t Table) FileLen() int { return t.Len() + t.Folded.Count }

// FileRow returns row i of a file, 0 ≤ i < FileLen.
func (t Table) FileRow(i int) []Cell {
	if i < t.Len() {
		return t.Row(i)
	}
	return t.Folded.Make(i - t.Len())
}

// Visible returns the table without its hidden columns, as people see it.
func (t Table) Visible() Table { return t.without(func(c Column) bool { return c.Hidden }) }

// Essential returns the table without its optional columns, and the columns left out.
func (t Table) Essential() (table Table, left []Column) {
	table = t.without(func(c Column) bool {
		if c.Optional {
			left = append(left, c)
		}
		return c.Optional
	})
	return table, left
}

func (t Table) without(drop func(Column) bool) Table {
	var keep []int
	var columns []Column
	for i, c := range t.Columns {
		if !drop(c) {
			keep, columns = append(keep, i), append(columns, c)
		}
	}
	if len(columns) == len(t.Columns) {
		return t
	}
	whole := t
	t.Columns, t.Rows, t.Folded = columns, nil, LazyRows{}
	t.More = LazyRows{Count: whole.Len(), Make: func(i int) []Cell {
		row := whole.Row(i)
		cells := make([]Cell, len(keep))
		for at, column := range keep {
			cells[at] = row[column]
		}
		return cells
	}}
	return t
}

// Column describes the cells below it.
type Column struct {
	Key   string // name in JSON and CSV, snake_case
	Title string // heading for people
	Kind  Kind

	// Hidden columns are only in JSON and CSV. So the columns of a file stay the same whatever they contain, while
	// people see none that says the same in every row.
	Hidden bool

	// Optional columns have buttons that a row can do without. A medium that cannot draw them leaves out the column
	// instead of drawing the whole table in a simpler way.
	Optional bool
}

// Kind is the type of a column's cells.
type Kind int

// The kinds of columns.
const (
	Text   Kind = iota // words
	Number             // a count; sorted as a number
	Button             // an [Action] for each row
	Words              // several words, such as product names; a list in JSON
)

// Cell is one value of a table.
type Cell struct {
	Text   string   // text; in a Button column, for media that cannot draw the button
	Number int      // value in a Number column
	Words  []string // values in a Words column
	Action *Action  // button in a Button column; may be nil
}

// Action is something a user can do with a page: open an address, or run another command line, which is handled as if
// it had been typed.
type Action struct {
	Label   string
	Command string // command line to run
	URL     string // address to open, instead of a command
	Effect  Effect // what happens with the answer
}

// Effect is what happens with the answer to an [Action].
type Effect int

// The effects of an action.
const (
	Reply     Effect = iota // a new answer, visible to the user alone
	Replace                 // replaces this page, if only the user sees it
	Share                   // posted for everyone in the channel
	CSVFile                 // the tables as a CSV file, for the user alone
	XLSXFile                // the same as an Excel workbook
	PlainText               // the list as plain text, for the user alone
)

// Files returns the buttons that offer the tables of a page as files. line makes the page, without a page number: a
// file has every row.
func Files(line string) []Action {
	return []Action{{Label: "CSV", Command: line, Effect: CSVFile}, {Label: "XLSX", Command: line, Effect: XLSXFile}}
}

// Copies returns the buttons that offer a list of updates as text and as files. line is as for [Files].
func Copies(line string) []Action {
	return append([]Action{{Label: "Copy as text", Command: line, Effect: PlainText}}, Files(line)...)
}

func (Facts) part() {}
func (List) part()  {}
func (Table) part() {}
func (Code) part()  {}

// TextCell returns a cell with text.
func TextCell(s string) Cell { return Cell{Text: s} }

// WordsCell returns a cell of a Words column. Its text is the words separated by commas.
func WordsCell(words []string) Cell { return Cell{Text: strings.Join(words, ", "), Words: words} }

// NumberCell returns a cell of a Number column.
func NumberCell(n int) Cell { return Cell{Number: n} }
