package commands

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/product"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	// SearchName is the name of the command [Search].
	SearchName  = "search"
	searchUsage = "[words] [--page N]"
)

// Search returns the command that lists software whose ID, name or vendor matches the words, each with a button to its
// missing KBs. Without words it lists all software, starting with software that can miss KBs.
func Search(d Defender, idx *search.Index) Command {
	return Command{
		Name:    SearchName,
		Usage:   searchUsage,
		Summary: "software whose id, name or vendor matches; without words, all software, Microsoft's first",
		Help: []view.Fact{
			{Name: "Typos", Value: "are tolerated: search chorme finds google-_-chrome"},
			{Name: "Example", Value: "search windows 11"},
		},
		Run: func(ctx context.Context, req Request) (view.Page, error) {
			page := 0
			o := cmdline.NewOptions(SearchName+" "+searchUsage, SearchName)
			o.Var(cmdline.Number(&page, 1), "page", "")
			words, err := o.ReadWords(req.Words)
			if err != nil {
				return view.Page{}, err
			}
			found, err := find(ctx, idx, d, req, words)
			if err != nil {
				return view.Page{}, err
			}
			if len(found.Software) == 0 {
				return view.Page{}, NothingFound(words, found)
			}
			if len(words) == 0 {
				idx.SortPatchable(found.Software)
			}
			return searchPage(words, hits{Result: found, page: page}), nil
		},
	}
}

// hits is a search result and how to list it.
type hits struct {
	search.Result
	page int
	ask  func(id string) string // the line that asks about a hit; nil for its ID
}

// searchPage lists software as buttons. query is the words searched for, empty for all software.
func searchPage(query []string, f hits) view.Page {
	page := view.Page{
		Title: fmt.Sprintf("Software matching %q", strings.Join(query, " ")),
		Lead:  fmt.Sprintf("%s found. Choose one to see its missing updates.", softwareCount(len(f.Software))),
		AsOf:  AsOf(f.List),

		Unreadable: f.List.Skipped,
	}
	if f.List.Skipped > 0 {
		page.Lead += fmt.Sprintf(" %s, so there may be more.", CouldNotRead(f.List.Skipped))
	}
	if len(query) == 1 && strings.EqualFold(query[0], digest.All) {
		page.Title = "All Microsoft software"
	}
	if len(query) == 0 {
		page.Title = "All software"
		page.Note = "Microsoft's comes first: updates with a KB number are Microsoft's alone. Then what exposes more devices."
	}
	if f.Inexact {
		page.Note = "Nothing matches exactly; these are the closest."
	}
	page.Note = strings.TrimSpace(page.Note + " " + missed(f.Result))
	t := softwareTable(query, f)
	page.Parts, page.Actions = []view.Part{t}, view.Files(t.Command)
	return page
}

// maxOthers is how many buttons offer alternatives next to an answer.
const maxOthers = 3

// others returns the buttons to other software that the words may mean. ask returns the line that asks about one.
func others(f search.Result, words []string, ask func(id string) string) []view.Action {
	rest := f.Software[1:]
	var actions []view.Action
	for i, name := range Names(rest[:min(len(rest), maxOthers)]) {
		actions = append(actions, view.Action{Label: "Also: " + name, Command: ask(rest[i].ID)})
	}
	if more := len(rest) - maxOthers; more > 0 {
		actions = append(actions, view.Action{Label: view.Thousands(more) + " more", Command: SearchLine(words)})
	}
	return actions
}

// missed names those of several things that match nothing.
func missed(f search.Result) string {
	unknown := ""
	if len(f.Unknown) > 0 {
		unknown = fmt.Sprintf("Nothing matches %q%s.", strings.Join(f.Unknown, ", "), SearchLimits(f))
	}
	return view.JoinSentences(unknown, LeftOut(f))
}

// LeftOut says which words a search left out; "" for none.
func LeftOut(f search.Result) string {
	if len(f.LeftOut) == 0 {
		return ""
	}
	return fmt.Sprintf("Left out, since Defender does not list editions and versions apart: %s.", strings.Join(f.LeftOut, ", "))
}

// softwareTable lists software, each with a button to its missing updates.
func softwareTable(query []string, f hits) view.Table {
	t := view.Table{
		Caption: "Software found",
		Columns: []view.Column{
			{Key: "name", Title: "Software"},
			{Key: "exposed_devices", Title: "Exposed devices", Kind: view.Number},
			{Key: "ask", Title: "Missing updates", Kind: view.Button},
			{Key: "weaknesses", Title: "Weaknesses", Kind: view.Number},
			{Key: "vendor", Title: "Vendor", Hidden: oneVendor(f.Software)},
			{Key: "software", Title: "Id", Hidden: true},
		},
		CSV:     []string{"software", "vendor", "exposed_devices", "weaknesses", "ask", "name"},
		Page:    f.page,
		Command: SearchLine(query),
	}
	if f.ask == nil {
		f.ask = func(id string) string { return cmdline.Join(id) }
	}
	for _, s := range f.Software {
		t.Rows = append(t.Rows, []view.Cell{
			view.TextCell(product.Name(s.ID, s.Name)),
			view.NumberCell(s.ExposedMachines),
			{Text: s.ID, Action: &view.Action{Label: "Show", Command: f.ask(s.ID)}},
			view.NumberCell(s.Weaknesses),
			view.TextCell(product.Vendor(s.Vendor)),
			view.TextCell(s.ID),
		})
	}
	return t
}

// oneVendor reports whether all software is from one vendor, so that a vendor column adds nothing.
func oneVendor(all []api.Software) bool {
	return len(all) > 1 && !slices.ContainsFunc(all, func(s api.Software) bool { return s.Vendor != all[0].Vendor })
}

// SearchLine returns the line that searches for words. None is taken for an option; to a search, a leading dash means
// nothing.
func SearchLine(words []string) string {
	line := []string{SearchName}
	for _, w := range words {
		if !strings.Contains(w, cmdline.IDSeparator) {
			w = strings.TrimLeft(w, "-")
		}
		if w != "" {
			line = append(line, w)
		}
	}
	return cmdline.Join(line...)
}

func softwareCount(n int) string {
	if n == 1 {
		return "1 software"
	}
	return view.Thousands(n) + " software ids"
}

// Suggester suggests software while a user types. The zero value suggests nothing.
type Suggester struct {
	index *search.Index
	list  SoftwareList
}

// SoftwareList is the source of the index's list. *inventory.Inventory implements it.
type SoftwareList interface {
	Use()                           // renews the list in the background if it is old
	AwaitFirst(ctx context.Context) // waits until there is a list
}

// Suggestion is a software that a user may mean.
type Suggestion struct {
	ID   string // identifies it in a command line
	Name string // shown to the user
}

// NewSuggester returns a suggester over the list that the index prepared last. It never asks Defender itself: it uses
// list, if given, to renew it.
func NewSuggester(idx *search.Index, list SoftwareList) *Suggester { return &Suggester{idx, list} }

// Suggest returns software that matches what a user has typed, best first, at most limit. An empty text matches
// everything; punctuation alone matches nothing. If there is no list yet, it waits for one until ctx is done.
func (s *Suggester) Suggest(ctx context.Context, person, typed string, limit int) ([]Suggestion, error) {
	if len(typed) > cmdline.MaxTyped || s.index == nil {
		return nil, nil
	}
	if s.list != nil {
		s.list.Use()
		s.list.AwaitFirst(ctx)
	}
	found, err := s.index.Suggest(ctx, search.Question{Words: cmdline.Read(typed), Person: person}, limit)
	out := make([]Suggestion, len(found))
	for i, name := range Names(found) {
		out[i] = Suggestion{found[i].ID, name}
	}
	return out, err
}

// Names returns the names of software for people. A name that several share gets the vendor appended.
func Names(software []api.Software) []string {
	names, count := make([]string, len(software)), map[string]int{}
	for i, s := range software {
		names[i] = product.Name(s.ID, s.Name)
		count[names[i]]++
	}
	for i, s := range software {
		if count[names[i]] > 1 {
			names[i] += " (" + cmp.Or(product.Vendor(s.Vendor), s.ID) + ")"
		}
	}
	return names
}
