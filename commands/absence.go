package commands

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/failure"
	"github.com/missingkbs/missingkbs/internal/view"
)

// The sentences in this file say that something does not exist. Each requires a successful search. If the search did
// not cover everything, the sentence says so. If it covered nothing, the answer is the failure instead.

// CouldNotRead counts rows that could not be read; "" for none.
func CouldNotRead(n int) string {
	if n == 0 {
		return ""
	}
	return view.Count(n, "row") + " could not be read"
}

// noneRead is the lead of a list of updates if none of its rows could be read.
func noneRead(skipped int) string {
	return fmt.Sprintf("%s, and there is no other, so nothing is known about what is missing. The bot's log says why.", CouldNotRead(skipped))
}

// UnknownSoftware returns the error for an ID that Defender does not know, with similar software to choose from. f and
// err are the result of the search for similar ids; cause is Defender's own error for the ID.
func UnknownSoftware(id string, f search.Result, err, cause error) error {
	if errors.Is(err, api.ErrNotDefender) {
		return err // if the service is wrong, its answer says nothing about the ID either
	}
	message := fmt.Sprintf("Defender knows no software %s in this tenant, and nothing similar%s.", id, SearchLimits(f))
	if own, ok := errors.AsType[*Error](err); ok && own.Usage { // the ID has nothing to search for
		message = fmt.Sprintf("Defender knows no software %s in this tenant.", id)
	} else if err != nil {
		message = fmt.Sprintf("Defender knows no software %s in this tenant. The bot could not look for something similar: %s.", id, Explain(err).Title)
	}
	return &Error{
		Title:   "Unknown software",
		Message: message + " Search for it by a part of its name.",
		Actions: waysToSoftware(),
		Err:     cause,
	}
}

// waysToSoftware returns the buttons to find other software: a form that searches while the user types, and the list of
// all.
func waysToSoftware() []view.Action {
	return []view.Action{{Label: browseLabel, Command: BrowseName}, {Label: "All software", Command: cmdline.Join(SearchName)}}
}

// NothingFound returns the error for words that match no software.
func NothingFound(words []string, f search.Result) error {
	query := strings.Join(words, " ")
	e := &Error{
		Title:   "Nothing found",
		Message: fmt.Sprintf("No software in this tenant matches %q%s. Try a part of its name or its vendor.", query, SearchLimits(f)),
		Actions: waysToSoftware(),
	}
	if ids := cmdline.IDs(query); len(ids) > 0 {
		e.Actions = append([]view.Action{{Label: "Look up " + ids[0], Command: cmdline.Join(append([]string{LookupName}, ids...)...)}}, e.Actions...)
	}
	e.Message = view.JoinSentences(e.Message, NotSoftware(words))
	return e
}

// NotSoftware says what words may be that match no software, and what to type for it; "" where that is not known.
func NotSoftware(words []string) string {
	if len(cmdline.IDs(strings.Join(words, " "))) > 0 {
		return "KB numbers and CVE ids are no software."
	}
	if names := cmdline.DeviceNames(words); len(names) == 1 && deviceLike.MatchString(names[0]) {
		return fmt.Sprintf("If it is a device, type: %s.", cmdline.Join(machineName, names[0]))
	}
	return ""
}

// deviceLike matches a word that may be the name of a device: one with a hyphen or a dot and with a digit, or an id.
var deviceLike = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*[-.A-Za-z0-9]*[0-9][-.A-Za-z0-9]*$|^[0-9a-fA-F]{40}$`)

// SearchLimits returns the clause that limits a statement to the part of the list that could be read; "" if all of it
// was.
func SearchLimits(f search.Result) string {
	var limits []string
	if AsOf(f.List).Stale != view.NotStale {
		limits = append(limits, "as its list was "+view.Age(AsOf(f.List).Age)+" ago")
	}
	if f.List.Skipped > 0 {
		limits = append(limits, "in what could be read of its list: "+CouldNotRead(f.List.Skipped))
	}
	if len(limits) == 0 {
		return ""
	}
	return ", " + strings.Join(limits, ", ")
}

// find searches for the words of a request. [Explain] can explain its errors.
func find(ctx context.Context, x *search.Index, d Defender, req Request, words []string) (search.Result, error) {
	f, err := x.Find(ctx, d, search.Question{Words: words, Exact: req.Exact, Person: req.User})
	return f, ExplainSearch(err)
}

// ExplainSearch turns the errors of package search into errors that [Explain] can explain.
func ExplainSearch(err error) error {
	if e, ok := errors.AsType[*search.EmptyListError](err); ok {
		return emptyList(e.Skipped)
	}
	if e, ok := errors.AsType[*search.NoLettersError](err); ok {
		return noLetters(e.Words)
	}
	if e, ok := errors.AsType[*search.NoIDError](err); ok {
		return noIDIn(e.Address)
	}
	return err
}

// emptyList is the error of a search in an empty software list.
func emptyList(skipped int) error {
	e := &Error{
		Title: "Defender lists no software at all",
		Message: "The software list of this tenant is empty, so there is nothing to search. " +
			"An administrator of Defender should check that devices are onboarded; the operator of this bot, that AZURE_TENANT_ID is the tenant of these devices.",
	}
	if skipped > 0 {
		e.Title = "Defender's software list could not be read"
		e.Message = fmt.Sprintf("%s of the software list, and there is no other, so nothing can be searched. The bot's log says why.", CouldNotRead(skipped))
		e.Reason = string(failure.BadResponse)
	}
	return e
}

// noLetters is the error of a search for words without a letter or digit.
func noLetters(words []string) error {
	return &Error{
		Title: "Nothing to search for", Usage: true,
		Message: fmt.Sprintf("There is no letter and no digit in %q. Type a part of a software's name or its vendor, such as windows 11, or an id such as microsoft-_-windows_11.", strings.Join(words, " ")),
		Actions: waysToSoftware(),
	}
}

// noIDIn is the error of a search for an address that names no software.
func noIDIn(address string) error {
	return &Error{
		Title: "No software in that address", Usage: true,
		Message: fmt.Sprintf("%s names no software id. Copy the address of a software's own page in Defender's portal, or type a part of its name, such as windows 11.", address),
		Actions: append(waysToSoftware(), view.Action{Label: "Help", Command: HelpName}),
	}
}

// MaxSuggestions is how many software ids an error offers in place of an unknown one.
const MaxSuggestions = 5

// misspelt is the error for a line whose first word may be a misspelt command. It offers the command and what the
// search found.
func misspelt(first string, line []string, f search.Result, cause error) error {
	right := cmdline.Join(line...)
	e := &Error{
		Title: "Did you mean " + right + "?", Usage: true, Err: cause,
		Message: fmt.Sprintf("There is no command %q, and no software of that name%s.", first, SearchLimits(f)),
		Actions: []view.Action{{Label: right, Command: right}},
	}
	if cause != nil {
		e.Message = fmt.Sprintf("There is no command %q.", first)
	}
	few := f.Software[:min(len(f.Software), MaxSuggestions)]
	for i, name := range Names(few) {
		e.Actions = append(e.Actions, view.Action{Label: name, Command: cmdline.Join(few[i].ID)})
	}
	e.Actions = append(e.Actions, view.Action{Label: "Help", Command: HelpName})
	return e
}
