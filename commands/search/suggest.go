package search

import (
	"context"
	"errors"
	"slices"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
)

// Suggest returns software that matches what a person has typed so far, best first, at most limit. If nothing is typed,
// software the person asked about comes first, then software that can miss KBs. It searches the list prepared last and
// never asks Defender; without a list it returns nothing.
func (x *Index) Suggest(ctx context.Context, q Question, limit int) ([]api.Software, error) {
	p := x.current.Load()
	if p == nil {
		return nil, nil
	}
	f := finder{list: p.list, asked: x.asked(ctx, q.Person), limit: limit}
	var found Result
	var err error
	if len(q.Words) == 0 {
		found.Software = x.first(f)
	} else if targets := Targets(q.Words, q.Exact); len(targets) > 1 || targets[0].Kind != KindName || cmdline.HasLetters(targets[0].String()) {
		found, err = f.resolve(ctx, targets)
	}
	_, noLetters := errors.AsType[*NoLettersError](err)
	_, noID := errors.AsType[*NoIDError](err)
	_, empty := errors.AsType[*EmptyListError](err)
	if noLetters || noID || empty { // a Slack select cannot show what to type instead
		return nil, nil
	}
	return found.Software[:min(limit, len(found.Software))], err
}

// first returns the software offered before anything is typed.
func (x *Index) first(f finder) []api.Software {
	var out []api.Software
	add := func(s api.Software) (full bool) {
		if len(out) < f.limit && !slices.ContainsFunc(out, func(has api.Software) bool { return has.ID == s.ID }) {
			out = append(out, s)
		}
		return len(out) == f.limit
	}
	for _, id := range f.asked {
		if at, ok := f.byExactID(id); ok {
			add(f.software[at])
		}
	}
	for _, at := range x.lacking(f.list) {
		add(f.software[at])
	}
	for class := 1; class < classes; class++ {
		for _, s := range f.software {
			if x.class(s.ID) == class && add(s) {
				return out
			}
		}
	}
	return out
}
