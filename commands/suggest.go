package commands

import (
	"context"

	"github.com/missingkbs/missingkbs/api"
)

// Suggester offers software to somebody who types a part of its name.
type Suggester struct {
	defender Defender
	index    *Index
}

// NewSuggester returns a suggester. The index may be shared with [Search].
func NewSuggester(d Defender, idx *Index) *Suggester { return &Suggester{d, idx} }

// Suggest returns the software that fits what was typed, the best first, at most limit of them. Nothing typed fits
// everything, and then the most exposed come first.
func (s *Suggester) Suggest(ctx context.Context, typed string, limit int) ([]api.Software, error) {
	if len(typed) > MaxLine {
		return nil, nil
	}
	found, err := s.index.find(ctx, s.defender, Split(typed))
	if err != nil {
		return nil, err
	}
	return found.software[:min(limit, len(found.software))], nil
}
