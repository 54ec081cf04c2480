package search

import (
	"context"
	"fmt"

	"github.com/missingkbs/missingkbs/api"
)

// Source is what a search asks of Defender; *[api.Client] has it.
type Source interface {
	SoftwareByID(ctx context.Context, id string, opts ...api.CallOption) (api.Answer[api.Software], error)
	Catalog(ctx context.Context, opts ...api.CallOption) (api.Answer[[]api.Software], error)
}

// EmptyListError is a search in a software list that has no software.
type EmptyListError struct{ Skipped int } // rows that could not be read

// Error says so, for the log.
func (e *EmptyListError) Error() string {
	return fmt.Sprintf("the software list is empty, and %d rows could not be read", e.Skipped)
}

// NoLettersError is a search for words without a letter or digit.
type NoLettersError struct{ Words []string }

// Error says so, for the log.
func (e *NoLettersError) Error() string { return "the words to search for have no letter and no digit" }

// NoIDError is a search for an address that names no software.
type NoIDError struct{ Address string }

// Error says so, for the log.
func (e *NoIDError) Error() string { return "the address names no software id" }
