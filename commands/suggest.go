package commands

import (
	"context"
	"errors"

	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/search"
)

// Suggester offers software to somebody who types a part of its name. The zero value knows none.
type Suggester struct {
	defender Defender
	index    *search.Index
}

// NewSuggester returns a suggester. The index may be shared with [Search].
func NewSuggester(d Defender, idx *search.Index) *Suggester { return &Suggester{d, idx} }

// Suggest returns the ids of the software that fits what was typed, the best first, at most limit of them. Nothing typed fits
// everything; punctuation alone fits nothing.
func (s *Suggester) Suggest(ctx context.Context, typed string, limit int) ([]string, error) {
	if len(typed) > cmdline.MaxTyped || s.defender == nil {
		return nil, nil
	}
	words := cmdline.Read(typed)
	found, err := find(ctx, s.index, s.defender, Request{}, words)
	if _, ok := errors.AsType[*Error](err); ok {
		return nil, nil // a select has no place for what to type instead
	}
	if err != nil {
		return nil, err
	}
	if len(words) == 0 {
		s.index.SortPatchable(found.Software)
	}
	ids := make([]string, 0, min(limit, len(found.Software)))
	for _, s := range found.Software[:cap(ids)] {
		ids = append(ids, s.ID)
	}
	return ids, nil
}
