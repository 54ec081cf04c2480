package search

import "github.com/missingkbs/missingkbs/api"

// Result is what a search found.
type Result struct {
	Software []api.Software             // the best first
	List     api.Answer[[]api.Software] // the list that was searched, without its values; zero if it was not searched
	Clear    bool                       // the first of several fits so much better that it is surely meant
	Inexact  bool                       // nothing matches exactly; these match with typing errors
	Each     bool                       // each of several names matches one software
	Unknown  []string                   // further names, which match nothing
}

// Meant is the one software that is surely meant; false where it has to be chosen.
func (f Result) Meant() (api.Software, bool) {
	if len(f.Software) == 1 || f.Clear && len(f.Unknown) == 0 {
		return f.Software[0], true
	}
	return api.Software{}, false
}

// searched is a list without its values: when it was read, and how much of it.
func searched(list api.Answer[[]api.Software]) api.Answer[[]api.Software] {
	list.Value = nil
	return list
}
