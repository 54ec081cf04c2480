package commands

import (
	"context"
	"errors"

	"github.com/missingkbs/missingkbs/commands/cmdline"
)

// Suggester offers software to somebody who types a part of its name. The zero value knows none.
type Suggester struct {
	defender Defender
	index    *Index
}

// NewSuggester returns a suggester. The index may be shared with [Search].
func NewSuggester(d Defender, idx *Index) *Suggester { return &Suggester{d, idx} }

// Suggest returns the ids of the software that fits what was typed, the best first, at most limit of them. Nothing typed fits
// everything; punctuation alone fits nothing.
func (s *Suggester) Suggest(ctx context.Context, typed string, limit int) ([]string, error) {
	if len(typed) > cmdline.MaxTyped || s.defender == nil {
		return nil, nil
	}
	words := cmdline.Read(typed)
	found, err := s.index.find(ctx, s.defender, Request{}, words)
	if _, ok := errors.AsType[*Error](err); ok {
		return nil, nil // a select has no place for what to type instead
	}
	if err != nil {
		return nil, err
	}
	if len(words) == 0 {
		s.index.patchableFirst(found.software)
	}
	ids := make([]string, 0, min(limit, len(found.software)))
	for _, s := range found.software[:cap(ids)] {
		ids = append(ids, s.ID)
	}
	return ids, nil
}
