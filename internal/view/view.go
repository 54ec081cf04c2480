// Package view holds what a reply says, as plain values: a [Page] with its parts and the actions a person can take next.
// Commands and digests make pages; package blocks draws them for Slack, and this package itself writes them as text, JSON and
// CSV for a terminal. It knows nothing of Slack, Defender or where a page goes. Every string in a page is plain text of unknown
// origin: no markup, no escaping. The renderer of a page escapes it for its medium and counts what does not fit.
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
	Lead    string   // the answer in a sentence or two; also the notification
	Context string   // since when and of when the answer is, and what it leaves out: one line below the lead
	Parts   []Part   // drawn in order
	Actions []Action // what can be done next
	Note    string   // small print: hints, what was assumed
	AsOf    AsOf     // when the data was fetched; zero where a page holds no data

	// Software is the id of the one software that the page is about. People read its name in the title; a medium shows the
	// id once more, small, see [Page.ID].
	Software string

	LackedBy []string // the ids of the software that lacks the update which the page is about; nil for other pages

	// Source lets a medium keep what it has drawn; zero for a page that is made once.
	Source Source

	// Dialog asks for what the line of this page left out; nil for none. A medium with windows opens it in place of the page.
	Dialog *Dialog

	// Unreadable is how many rows of the source could not be read and so are in no part. The page says it in words, too.
	Unreadable int
}

// ID says in a sentence which id the software has that the page is about; it is empty for a page about none.
func (p Page) ID() string {
	if p.Software == "" {
		return ""
	}
	return "Software id: " + OneLine(p.Software)
}

// Source names what a page was made from. Two pages with the same source differ in nothing but AsOf. Code that changes
// a page sets another source, or none.
type Source struct {
	Question string // the command line that makes the page, and what else it depends on
	Answer   uint64 // the version of the stored answer; 0 where none is stored
}

// AsOf says how old the data of a page is.
type AsOf struct {
	Time time.Time     // when Defender gave the data
	Age  time.Duration // how long ago that was when the page was made; zero for data fetched for this page

	// Stale says why the data is older than it should be: it was kept for when there is none that is fresh. A page says
	// so before anything else.
	Stale Stale
	Again time.Time // when fresh data can be asked for; zero if unknown
}

// Stale is a reason to show old data.
type Stale string

// The reasons to show old data, and none.
const (
	NotStale    Stale = ""
	UsedUp            = Stale(failure.Throttled)   // Defender's quota is used up
	Unreachable       = Stale(failure.Unavailable) // Defender did not answer
	TooSlow           = Stale(failure.Timeout)     // it did not answer in time
)

// Part is a piece of a page: [Facts], [List], [Table], [Chart] or [Code].
type Part interface{ part() }

// Facts are a few named values.
type Facts []Fact

// Fact is a named value, such as "Vendor" and "microsoft".
type Fact struct{ Name, Value string }

// List is a few lines under a name, each of which says one thing.
type List struct {
	Name  string
	Items []string
	More  int // further items that are not listed; a medium says how many
}

// Lines are the items, and a last line that counts what is not listed.
func (l List) Lines() []string {
	if l.More == 0 {
		return l.Items
	}
	return append(slices.Clone(l.Items), Thousands(l.More)+" more")
}

// Code is text whose lines and spaces stay as they are: people copy it.
type Code struct{ Text string }

// Table is a list of rows with typed columns. It always has every row; a medium with less room shows one page of
// them and says how many there are. The rows are in the order in which they should be read: those of Rows, then those
// that are made when they are looked at, so that a hundred thousand of them need not be there at once for one page.
type Table struct {
	Caption string   // what the rows are, for people who cannot see the table
	Columns []Column // at least one; the first names the row
	Rows    [][]Cell // every row as long as Columns
	More    LazyRows // rows beside those in Rows
	Folded  LazyRows // rows that files and JSON have after these, and people find on another page
	CSV     []string // keys of the columns of a CSV file, in its order; all as they stand where it is empty
	Page    int      // which page the person asked for, from 1; 0 where none was asked for
	Command string   // the command line that makes this table, to which a medium appends " --page N"
	Sorts   []Action // other orders, offered where the medium cannot sort by itself

	Before int // rows of the whole list before the first of these, where a list was cut; see Cut
	Whole  int // rows of the whole list; 0 where these are all
}

// Cut returns the rows from one up to and without another as a table of their own, which knows their place in the whole.
func (t Table) Cut(from, to int) Table {
	part := t
	part.Before, part.Whole, part.Page = t.Before+from, max(t.Whole, t.Len()), 0
	part.Rows, part.Folded, part.More = nil, LazyRows{}, LazyRows{Count: to - from, Make: func(i int) []Cell { return t.Row(from + i) }}
	return part
}

// LazyRows are rows that are made on demand.
type LazyRows struct {
	Count int
	Make  func(i int) []Cell // makes row i, from 0 and below Count; the same each time
}

// Len is how many rows the table has.
func (t Table) Len() int { return len(t.Rows) + t.More.Count }

// Row returns row i, from 0 and below Len.
func (t Table) Row(i int) []Cell {
	if i < len(t.Rows) {
		return t.Rows[i]
	}
	return t.More.Make(i - len(t.Rows))
}

// FileLen is how many rows a file of the table has.
func (t Table) FileLen() int { return t.Len() + t.Folded.Count }

// FileRow returns row i of a file, from 0 and below FileLen.
func (t Table) FileRow(i int) []Cell {
	if i < t.Len() {
		return t.Row(i)
	}
	return t.Folded.Make(i - t.Len())
}

// Visible is the table without its hidden columns, as people see it.
func (t Table) Visible() Table { return t.without(func(c Column) bool { return c.Hidden }) }

// Essential is the table without its optional columns, and the columns that were left out.
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

	// Hidden columns are for programs: JSON and CSV have them, people do not see them. That keeps the columns of a file
	// the same whatever is in them, while people see none that says the same in every row.
	Hidden bool

	// Optional columns have buttons that a row can do without. A medium that cannot draw them leaves the column out rather
	// than draw the whole table in a simpler way.
	Optional bool
}

// Kind is the type of a column's cells.
type Kind int

// The kinds of columns.
const (
	Text   Kind = iota // words
	Number             // a count; sorted as a number
	Button             // an [Action] per row
	Words              // several words, such as names of products; a list in JSON
)

// Cell is one value of a table.
type Cell struct {
	Text   string   // what is read; for a Button column, what stands there where no button can be drawn
	Number int      // the value in a Number column
	Words  []string // the values in a Words column
	Action *Action  // the button in a Button column; nil for none
}

// Action is something a person can do with a page: open an address, or send another command line. A command line
// re-enters the program as if it had been typed.
type Action struct {
	Label   string
	Command string // the command line to run
	URL     string // the address to open, instead of a command
	Effect  Effect // what becomes of the answer
}

// Effect says what becomes of the answer to an [Action].
type Effect int

// The effects of an action.
const (
	Reply     Effect = iota // a new answer, seen by the person alone
	Replace                 // takes the place of this page, where the page is the person's own
	Share                   // posted for everyone in the channel
	CSVFile                 // its tables as a CSV file, which the person alone gets
	XLSXFile                // the same as an Excel workbook
	PlainText               // its list as plain text, which the person alone gets
)

// Files offers the tables of a page as files. line makes the page, without a page of a table: a file has every row.
func Files(line string) []Action {
	return []Action{{Label: "CSV", Command: line, Effect: CSVFile}, {Label: "XLSX", Command: line, Effect: XLSXFile}}
}

// Copies offers a list of updates as text, and as files. line is that of [Files].
func Copies(line string) []Action {
	return append([]Action{{Label: "Copy as text", Command: line, Effect: PlainText}}, Files(line)...)
}

func (Facts) part() {}
func (List) part()  {}
func (Table) part() {}
func (Code) part()  {}

// TextCell is a cell of words.
func TextCell(s string) Cell { return Cell{Text: s} }

// WordsCell is a cell of a Words column. Its text is the words with commas between them.
func WordsCell(words []string) Cell { return Cell{Text: strings.Join(words, ", "), Words: words} }

// NumberCell is a cell of a Number column.
func NumberCell(n int) Cell { return Cell{Number: n} }
