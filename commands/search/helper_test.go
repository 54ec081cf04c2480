package search

import (
	"context"

	"github.com/missingkbs/missingkbs/api"
)

// fixed is a Source of one list, which knows no other software.
type fixed api.Answer[[]api.Software]

func (f fixed) Catalog(context.Context, ...api.CallOption) (api.Answer[[]api.Software], error) {
	return api.Answer[[]api.Software](f), nil
}

func (f fixed) SoftwareByID(context.Context, string, ...api.CallOption) (api.Answer[api.Software], error) {
	return api.Answer[api.Software]{}, api.ErrNotFound
}

func ids(software []api.Software) []string {
	all := make([]string, len(software))
	for i, s := range software {
		all[i] = s.ID
	}
	return all
}
