package search

import "github.com/missingkbs/missingkbs/api"

// Result is the result of a search.
type Result struct {
	Software []api.Software             // best match first
	List     api.Answer[[]api.Software] // the list searched, without its values; zero if none was needed
	Clear    bool                       // the first result is clearly the one that is meant
	Inexact  bool                       // the results only match with typing errors
	Each     bool                       // each of several names matches one software
	Named    []api.Software             // what each of several names clearly means; nil where that has to be chosen
	LeftOut  []string                   // typed editions and versions that say nothing here: Defender does not list them apart
	Unknown  []string                   // further names that match nothing
}

// Meant returns the one software that is clearly meant; false if the user has to choose.
func (f Result) Meant() (api.Software, bool) {
	if len(f.Software) == 1 || f.Clear && len(f.Unknown) == 0 {
		return f.Software[0], true
	}
	return api.Software{}, false
}

// searched returns a list's metadata without its values.
func searched(list api.Answer[[]api.Software]) api.Answer[[]api.Software] {
	list.Value = nil
	return list
}
