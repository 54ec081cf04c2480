package reading

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/product"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Scope is the software that a question covers.
type Scope struct {
	All  bool     // all of Microsoft's software with weaknesses
	IDs  []string // most exposed devices first
	Note string   // how the words were read, if that is not obvious
}

// Words returns the words for this scope on an offered line.
func (s Scope) Words() []string {
	if s.All {
		return []string{digest.All}
	}
	return s.IDs
}

// String returns the name of the scope for titles.
func (s Scope) String() string {
	switch n := len(s.IDs); {
	case s.All:
		return "all Microsoft software"
	case n == 1:
		return product.Name(s.IDs[0], "")
	case n == 2:
		return product.Name(s.IDs[0], "") + " and " + product.Name(s.IDs[1], "")
	default:
		return fmt.Sprintf("%s and %d more", product.Name(s.IDs[0], ""), n-1)
	}
}

// Title names the scope of a page that shows a gap: not all software may have been read for it.
func (s Scope) Title(g Gap) string {
	if !s.All || g.Left == 0 {
		return s.String()
	}
	return fmt.Sprintf("%d of %d Microsoft software ids", len(s.IDs)-g.Left, len(s.IDs))
}

// Resolve finds the software that words name. No words mean all. If a name matches several, the error offers each on
// the line that line returns.
func (r *Reader) Resolve(ctx context.Context, words []string, exact bool, line func(ids []string) string) (Scope, error) {
	if len(words) == 0 {
		words = []string{digest.All}
	}
	found, err := r.Index.Find(ctx, r.Defender, search.Question{Words: words, Exact: exact})
	if err != nil {
		return Scope{}, fmt.Errorf("find software: %w", commands.ExplainSearch(err))
	}
	targets := search.Targets(words, exact)
	s := Scope{All: slices.ContainsFunc(targets, func(t search.Target) bool { return t.Kind == search.KindAll })}
	if s.All {
		r.Index.SortPatchable(found.Software) // software known to miss nothing comes last
	}
	for _, one := range found.Software {
		if !s.All || one.Weaknesses > 0 {
			s.IDs = append(s.IDs, one.ID)
		}
	}
	query := strings.Join(words, " ")
	named := slices.ContainsFunc(targets, func(t search.Target) bool { return t.Kind == search.KindName })
	first, meant := found.Meant()
	switch {
	case s.All:
		return s, nil
	case named && len(s.IDs) > 1 && meant:
		s.IDs, s.Note = []string{first.ID}, commands.BestMatch(found, query)
	case len(s.IDs) == 0:
		return Scope{}, commands.NothingFound(words, found)
	case found.Clear && len(found.Software) > 1:
		s.IDs = []string{found.Software[0].ID}
		s.Note = commands.BestMatch(found, query)
	case len(found.Named) > 1:
		s.IDs = s.IDs[:0]
		for _, one := range found.Named {
			s.IDs = append(s.IDs, one.ID)
		}
	case len(found.Unknown) > 0:
		s.Note = fmt.Sprintf("Nothing matches %q%s.", strings.Join(found.Unknown, ", "), commands.SearchLimits(found))
	case found.Inexact && len(s.IDs) == 1:
		s.Note = fmt.Sprintf("Nothing matches %q exactly; this is the closest.", query)
	case found.Inexact, named && len(s.IDs) > 1 && !found.Each:
		return Scope{}, which(query, s.IDs, line)
	}
	s.Note = view.JoinSentences(s.Note, commands.LeftOut(found))
	return s, nil
}

// which returns the error that asks which software is meant.
func which(query string, ids []string, line func(ids []string) string) error {
	e := &commands.Error{Title: "Which one?", Usage: true, Message: fmt.Sprintf("%q matches several.", query)}
	shown := ids[:min(len(ids), commands.MaxSuggestions)]
	for _, id := range shown {
		e.Actions = append(e.Actions, view.Action{Label: product.Name(id, ""), Command: line([]string{id})})
	}
	if rest := len(ids) - len(shown); rest > 0 {
		e.Message += fmt.Sprintf(" %s more match less closely.", view.Thousands(rest))
	} else {
		e.Actions = append(e.Actions, view.Action{Label: fmt.Sprintf("All %d", len(ids)), Command: line(ids)})
	}
	e.Actions = append(e.Actions, view.Action{Label: "Search", Command: commands.SearchLine([]string{query})})
	return e
}

// Offered reports whether words look like those that pages offer: ids or all, not names to search for.
func Offered(words []string) bool {
	return len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool {
		return w != digest.All && !strings.Contains(w, cmdline.IDSeparator)
	})
}
