package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/pages"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/view"
)

// refreshAge is how old an answer may be when a user presses Refresh, so that pressing it repeatedly costs Defender at
// most one call in that time.
const refreshAge = 10 * time.Second

// Defender is what the commands read from Defender; *[api.Client] implements it.
type Defender interface {
	MissingKBs(ctx context.Context, softwareID string, opts ...api.CallOption) (api.Answer[[]api.MissingKB], error)
	SoftwareByID(ctx context.Context, id string, opts ...api.CallOption) (api.Answer[api.Software], error)
	Catalog(ctx context.Context, opts ...api.CallOption) (api.Answer[[]api.Software], error)
	Details
}

const softwareUsage = "<software-id> [--sort exploited|devices|cves|kb] [--exploited] [--min-devices N] [--min-cves N] [--all] [--page N]"

// Software returns the command that lists the missing KBs of one software. Words that are not an ID are searched: a
// single hit is answered at once, several become buttons. The index may be shared with [Search].
func Software(d Defender, idx *search.Index, opts ...Option) Command {
	s := software{defender: d, index: idx, known: knownBy(opts), made: &pages.Cache{}}
	return Command{
		Usage:   softwareUsage,
		Summary: "the missing KBs of one software product, each with its devices, CVEs and catalog page; anything that is not an id is searched for",
		Help: []view.Fact{
			{Name: "--sort exploited|devices|cves|kb", Value: "the order; by default exploited first, then by devices"},
			{Name: "--exploited", Value: "only KBs that fix vulnerabilities known to be exploited, according to CISA and MSRC"},
			{Name: "--min-devices N", Value: "only KBs missing on at least N devices"},
			{Name: "--min-cves N", Value: "only KBs that fix at least N CVEs"},
			{Name: "--all", Value: "every row as Defender returned it; otherwise each KB is one row, and a KB contained in a newer one is folded into it"},
			{Name: "--page N", Value: "page N of a long list"},
			{Name: "Example", Value: "microsoft-_-windows_11 --sort cves --min-devices 5"},
		},
		Shared: sharedSoftware,
		Run:    s.run,
	}
}

// sharedSoftware reports whether a line is one that a page of missing KBs offers to share: one software id and options.
// The result of a search is a choice for the user who typed it.
func sharedSoftware(req Request) bool {
	var q query
	words, err := q.options().ReadWords(req.Words)
	return err == nil && len(words) == 1 && strings.Contains(words[0], cmdline.IDSeparator)
}

type software struct {
	defender Defender
	index    *search.Index
	known    known
	made     *pages.Cache
}

// query is a parsed line.
type query struct {
	id         string
	sort       string
	minDevices int
	minCVEs    int
	exploited  bool
	allRows    bool
	page       int
	fresh      bool
}

// run parses the line and answers by ID or by words.
func (s software) run(ctx context.Context, req Request) (view.Page, error) {
	q := query{sort: sortFirst}
	words, err := q.options().ReadWords(req.Words)
	if err != nil && len(req.meant) > 0 {
		return view.Page{}, misspelt(req.Words[0], req.meant, search.Result{}, err)
	}
	if err != nil {
		return view.Page{}, err
	}
	if len(words) == 0 {
		return view.Page{}, &Error{Usage: true, Message: "Which software? Usage: " + softwareUsage}
	}
	var page view.Page
	if targets := search.Targets(words, req.Exact); len(targets) == 1 && targets[0].Kind == search.KindID {
		q.id = targets[0].String()
		page, err = s.byID(ctx, q)
	} else {
		page, err = s.byWords(ctx, req, q, words)
	}
	if err == nil && page.Software != "" {
		s.index.NoteAsked(req.User, page.Software)
	}
	return page, err
}

// options returns the options that fill in q.
func (q *query) options() *cmdline.Options {
	o := cmdline.NewOptions(softwareUsage)
	o.Var(cmdline.OneOf(&q.sort, sortFirst, sortDevices, sortCVEs, sortKB), "sort", "")
	o.BoolVar(&q.exploited, sortFirst, false, "")
	o.Var(cmdline.Number(&q.minDevices, 0), "min-devices", "")
	o.Var(cmdline.Number(&q.minCVEs, 0), "min-cves", "")
	o.BoolVar(&q.allRows, allRows, false, "")
	o.BoolVar(&q.allRows, AllRows, false, "")
	o.Var(cmdline.Number(&q.page, 1), "page", "")
	o.Fresh(&q.fresh)
	return o
}

// line returns the command line of q with another order or page; page 0 leaves the page out.
func (q query) line(sort string, page int, more ...string) string {
	words := []string{q.id}
	if sort != sortFirst {
		words = append(words, "--sort", sort)
	}
	if q.exploited {
		words = append(words, "--"+sortFirst)
	}
	if q.minDevices > 0 {
		words = append(words, "--min-devices", strconv.Itoa(q.minDevices))
	}
	if q.minCVEs > 0 {
		words = append(words, "--min-cves", strconv.Itoa(q.minCVEs))
	}
	if q.allRows {
		words = append(words, "--"+allRows)
	}
	if page > 1 {
		words = append(words, "--page", strconv.Itoa(page))
	}
	return cmdline.Join(append(words, more...)...)
}

// byID answers about a word that looks like a software id. An ID unknown to Defender is searched for, because people
// mistype and phones write capitals.
func (s software) byID(ctx context.Context, q query) (view.Page, error) {
	answer, err := s.defender.MissingKBs(ctx, q.id, append(maxAge(q.fresh), api.ReadOnly())...)
	if err == nil {
		s.index.Note(q.id, answer.Value)
	}
	switch {
	case errors.Is(err, api.ErrNotFound):
		return s.instead(ctx, q, err)
	case err != nil:
		return view.Page{}, fmt.Errorf("read missing KBs: %w", err)
	case len(answer.Value)+answer.Skipped > 0:
		rows := Rows(q.id, answer.Value)
		answer.Value = nil // do not keep a long answer twice
		return s.page(ctx, q, rows, answer), nil
	}
	// An empty list means either that nothing is missing or that the ID is unknown. Only the software itself tells
	// which.
	known, err := s.defender.SoftwareByID(ctx, q.id, maxAge(q.fresh)...)
	if errors.Is(err, api.ErrNotFound) {
		return s.instead(ctx, q, err)
	}
	if errors.Is(err, api.ErrNotDefender) {
		return view.Page{}, fmt.Errorf("read software: %w", err)
	}
	page := s.page(ctx, q, nil, answer)
	page.Source = view.Source{}
	if err != nil {
		if unchecked := Explain(err).Title + "."; answer.Stale != nil { // the answer was empty at that time
			page.Note = "The bot could not check whether Defender still knows this id: " + unchecked
		} else {
			page.Lead = "Defender listed no update for this id. The bot could not check whether Defender knows the id, so updates may still be missing. " + unchecked
		}
		page.Actions = slices.DeleteFunc(page.Actions, func(a view.Action) bool { return a.Effect == view.Share }) // the answer may be wrong
		return page, nil
	}
	return nothingMissing(page, known.Value), nil
}

func maxAge(fresh bool) []api.CallOption {
	if fresh {
		return []api.CallOption{api.MaxAge(refreshAge)}
	}
	return nil
}

// instead searches for an ID that Defender does not know.
func (s software) instead(ctx context.Context, q query, cause error) (view.Page, error) {
	found, err := s.index.Similar(ctx, s.defender, q.id)
	err = ExplainSearch(err)
	if err != nil || len(found.Software) == 0 {
		return view.Page{}, UnknownSoftware(q.id, found, err, cause)
	}
	if other, ok := search.Spelled(found.Software, q.id); ok && other.ID != q.id {
		q.id = other.ID
		return s.byID(ctx, q)
	}
	return similarPage(q.id, hits{Result: found, ask: q.ask}), nil
}

// similarPage offers what was found instead of an unknown ID.
func similarPage(id string, h hits) view.Page {
	page := searchPage(strings.Split(id, cmdline.IDSeparator), h)
	page.Title = fmt.Sprintf("Defender knows no software %s", id)
	page.Lead = "Did you mean one of these?"
	if len(h.Software) == 1 {
		page.Lead = "Did you mean this one?"
	}
	return page
}

// byWords answers words that are not an ID: a single hit at once, several as a choice.
func (s software) byWords(ctx context.Context, req Request, q query, words []string) (view.Page, error) {
	found, err := find(ctx, s.index, s.defender, req, words)
	if len(req.meant) > 0 && (err != nil || len(found.Software) == 0 || !req.far && (found.Inexact || len(found.Unknown) > 0)) {
		return view.Page{}, misspelt(req.Words[0], req.meant, found, err)
	}
	if err != nil {
		return view.Page{}, err
	}
	if len(found.Software) == 0 {
		return view.Page{}, NothingFound(words, found)
	}
	first, ok := found.Meant()
	if !ok {
		return searchPage(words, hits{found, q.page, q.ask}), nil
	}
	q.id = first.ID
	page, err := s.byID(ctx, q)
	if err == nil {
		page.Note = view.JoinSentences(BestMatch(found, strings.Join(words, " ")), missed(found), page.Note)
		page.Actions = append(others(found, words, q.ask), page.Actions...)
		page.Source.Question += "\n" + page.Note
	}
	return page, err
}

// ask returns the line that asks the same about another software.
func (q query) ask(id string) string {
	q.id = id
	return q.line(q.sort, 0)
}

// BestMatch says how well the software that is answered fits the words of a search.
func BestMatch(f search.Result, query string) string {
	switch n := len(f.Software) - 1; {
	case n == 1:
		return fmt.Sprintf("The best match for %q; 1 more matches less closely%s.", query, SearchLimits(f))
	case n > 1:
		return fmt.Sprintf("The best match for %q; %s more match less closely%s.", query, view.Thousands(n), SearchLimits(f))
	}
	if f.Inexact {
		return fmt.Sprintf("Nothing matches %q exactly%s; this is the closest.", query, SearchLimits(f))
	}
	return fmt.Sprintf("The only software matching %q%s.", query, SearchLimits(f))
}
