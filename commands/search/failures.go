package search

import (
	"context"
	"fmt"

	"github.com/missingkbs/missingkbs/api"
)

// Source is what a search reads from Defender; *[api.Client] implements it.
type Source interface {
	SoftwareByID(ctx context.Context, id string, opts ...api.CallOption) (api.Answer[api.Software], error)
	Catalog(ctx context.Context, opts ...api.CallOption) (api.Answer[[]api.Software], error)
}

// EmptyListError reports a search in an empty software list.
type EmptyListError struct{ Skipped int } // number of rows that could not be read

// Error implements error; people get another text.
func (e *EmptyListError) Error() string {
	return fmt.Sprintf("the software list is empty, and %d rows could not be read", e.Skipped)
}

// NoLettersError reports a search for words without a letter or digit.
type NoLettersError struct{ Words []string }

// Error implements error; people get another text.
func (e *NoLettersError) Error() string { return "the words to search for have no letter and no digit" }

// NoIDError reports a search for an address that names no software.
type NoIDError struct{ Address string }

// Error implements error; people get another text.
func (e *NoIDError) Error() string { return "the address names no software id" }
