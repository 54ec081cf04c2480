package commands

import (
	"context"
	"errors"
)

// Suggester offers software to somebody who types a part of its name. The zero value knows none.
type Suggester struct {
	defender Defender
	index    *Index
}

// NewSuggester returns a suggester. The index may be shared with [Search].
func NewSuggester(d Defender, idx *Index) *Suggester { return &Suggester{d, idx} }

// Suggest returns the ids of the software that fits what was typed, the best first, at most limit of them. Nothing typed fits
// everything, and then the most exposed come first.
func (s *Suggester) Suggest(ctx context.Context, typed string, limit int) ([]string, error) {
	if len(typed) > MaxLine || s.defender == nil {
		return nil, nil
	}
	found, err := s.index.find(ctx, s.defender, Read(typed))
	if _, ok := errors.AsType[*Error](err); ok {
		return nil, nil // there is nothing to offer
	}
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, min(limit, len(found.software)))
	for _, s := range found.software[:cap(ids)] {
		ids = append(ids, s.ID)
	}
	return ids, nil
}
