package commands

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/view"
)

// maxSuggestions is how many ids are offered in place of one that nobody knows.
const maxSuggestions = 5

// known checks what is to be watched against the software that Defender knows, and returns it as Defender spells it. A
// word that fits nothing is refused with what it may have meant. When Defender cannot be asked the words are taken as
// they are: a digest that names software nobody knows says so.
func (d digests) known(ctx context.Context, w *wish) ([]string, error) {
	if len(w.watch) == 0 || slices.Equal(w.watch, []string{digest.All}) {
		return w.watch, nil
	}
	catalog, err := d.Defender.Catalog(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		w.unread = "Whether Defender knows this software could not be checked now: " + Explain(err).Title + "."
		return w.watch, nil
	}
	out := slices.Clone(w.watch)
	for i, word := range out {
		id, ok := watchSpelling(word, catalog.Value)
		if !ok && catalog.Skipped > 0 { // it may be in what could not be read
			w.unread = fmt.Sprintf("Whether Defender knows %s could not be checked: of its software list, %s.", word, couldNotRead(catalog.Skipped))
			continue
		}
		if !ok {
			return nil, d.unknownWatch(ctx, w, word)
		}
		out[i] = id
	}
	return out, nil
}

// watchSpelling is a word to watch as Defender spells it; ok is false where it knows no software that fits.
func watchSpelling(word string, all []api.Software) (id string, ok bool) {
	if word == digest.All {
		return word, true
	}
	probe := digest.Subscription{Watch: []string{word}}
	for _, s := range all {
		if strings.EqualFold(s.ID, word) {
			return s.ID, true
		}
		if strings.Contains(word, "*") && probe.Watches(s.ID) {
			return word, true
		}
	}
	return "", false
}

// unknownWatch refuses a word and offers the whole line again with what fits instead.
func (d digests) unknownWatch(ctx context.Context, w *wish, word string) error {
	if strings.Contains(word, "*") && strings.Contains(word, idSeparator) {
		return &Error{
			Title: "Unknown software", Usage: true,
			Message: fmt.Sprintf("No software in this tenant fits the pattern %s, so nothing was added.", word),
			Actions: []view.Action{{Label: "Most exposed software", Command: Line(searchName)}},
		}
	}
	found, err := d.Index.find(ctx, d.Defender, strings.Split(strings.ReplaceAll(word, "*", ""), idSeparator))
	if err != nil {
		return err
	}
	if len(found.software) == 0 {
		if _, err := digest.ReadWatch([]string{word}); err != nil {
			return err
		}
		return unknownSoftware(word, found, nil, nil)
	}
	e := &Error{
		Title: "Unknown software", Usage: true,
		Message: fmt.Sprintf("Defender knows no software %s, so nothing was added. Did you mean one of these?", word),
	}
	if rest := len(found.software) - maxSuggestions; rest > 0 {
		e.Message += fmt.Sprintf(" %s less well.", fits(rest))
		found.software = found.software[:maxSuggestions]
	}
	for _, s := range found.software {
		e.Actions = append(e.Actions, view.Action{Label: s.ID, Command: Line(w.instead(word, s.ID)...)})
	}
	e.Actions = append(e.Actions, view.Action{Label: "Search", Command: searchLine(strings.ReplaceAll(word, idSeparator, " "))})
	return e
}

func fits(n int) string {
	if n == 1 {
		return "1 more fits"
	}
	return view.Thousands(n) + " more fit"
}

// instead is the line digest add that was typed, with another word to watch in place of one.
func (w wish) instead(old, with string) []string {
	line := []string{digestName, "add"}
	for _, word := range w.watch {
		if word == old {
			word = with
		}
		line = append(line, word)
	}
	for _, o := range []struct{ name, value string }{
		{"--at", w.at},
		{"--cron", w.cron},
		{"--tz", w.typedZone},
		{"--min-devices", count(w.filter.MinDevices)},
		{"--min-cves", count(w.filter.MinCVEs)},
		{"--quiet", w.quiet},
	} {
		if o.value != "" && (o.name != "--quiet" || o.value != string(digest.Silent)) {
			line = append(line, o.name, o.value)
		}
	}
	return line
}

// count is a number as it is typed, and nothing for none.
func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
