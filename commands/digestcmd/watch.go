package digestcmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/missingkbs/missingkbs/commands"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/view"
)

// known resolves what to watch to software that Defender knows, in Defender's spelling. Words that match nothing or
// several are rejected with suggestions. If Defender cannot be asked, ids and patterns are accepted as typed: a digest
// reports unknown software itself.
func (d command) known(ctx context.Context, w *addRequest) ([]string, error) {
	if !slices.ContainsFunc(w.targets, func(t search.Target) bool { return t.Kind != search.KindAll }) {
		return w.unchecked(), nil
	}
	catalog, err := d.Defender.Catalog(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if slices.ContainsFunc(w.targets, func(t search.Target) bool { return t.Kind == search.KindName }) {
			return nil, fmt.Errorf("find software: %w", err)
		}
		w.note("The bot could not check now whether Defender knows this software: " + commands.Explain(err).Title + ".")
		return w.unchecked(), nil
	}
	var out []string
	for at, t := range w.targets {
		ids, err := d.watched(ctx, w, catalog, at, t)
		if err != nil {
			return nil, err
		}
		out = append(out, ids...)
	}
	return out, nil
}

// unchecked returns the words to watch as typed.
func (w *addRequest) unchecked() []string {
	var out []string
	for _, t := range w.targets {
		word := t.String()
		if !w.exact {
			word = strings.ToLower(word)
		}
		out = append(out, word)
	}
	return out
}

// note appends a sentence to the note of the page.
func (w *addRequest) note(text string) { w.unread = strings.TrimSpace(w.unread + " " + text) }

// watched returns what to watch for the target at an index.
func (d command) watched(ctx context.Context, w *addRequest, catalog api.Answer[[]api.Software], at int, t search.Target) ([]string, error) {
	word := t.String()
	if t.Kind == search.KindAll {
		return []string{digest.All}, nil
	}
	if t.Kind == search.KindPattern || t.Kind == search.KindID && strings.Contains(word, "*") {
		pattern, err := watchedPattern(catalog.Value, word)
		if err != nil && catalog.Skipped > 0 { // it may match a row that could not be read
			w.note(fmt.Sprintf("The bot could not check whether any software matches %s: of Defender's software list, %s.", word, commands.CouldNotRead(catalog.Skipped)))
			return []string{pattern}, nil
		}
		return []string{pattern}, err
	}
	f, err := d.Index.One(ctx, d.Defender, catalog, t)
	err = commands.ExplainSearch(err)
	switch own, mistaken := errors.AsType[*commands.Error](err); {
	case mistaken:
		return nil, own
	case err != nil && ctx.Err() == nil && t.Kind == search.KindID:
		w.note("The bot could not check now whether Defender knows " + word + ": " + commands.Explain(err).Title + ".")
		return []string{word}, nil
	case err != nil:
		return nil, err
	case (len(f.Software) == 1 || f.Each) && !f.Inexact:
		var ids []string
		for _, s := range f.Software {
			ids = append(ids, s.ID)
		}
		if t.Kind == search.KindName {
			w.note(fmt.Sprintf("%q is read as %s: nothing else matches.", word, strings.Join(ids, ", ")))
			w.note(commands.LeftOut(f))
		}
		return ids, nil
	case len(f.Named) > 1:
		var ids []string
		for _, s := range f.Named {
			ids = append(ids, s.ID)
		}
		w.note(fmt.Sprintf("%q is read as %s.", word, strings.Join(ids, ", ")))
		return ids, nil
	case f.Clear:
		w.note(commands.BestMatch(f, word))
		return []string{f.Software[0].ID}, nil
	case len(f.Software) > 0:
		return nil, w.choice(at, f)
	case t.Kind == search.KindID:
		return nil, commands.UnknownSoftware(word, f, nil, nil)
	}
	return nil, &commands.Error{
		Title: "Nothing found", Usage: true,
		Message: view.JoinSentences(fmt.Sprintf("No software in this tenant matches %q%s, so nothing was added. Name software by its id, such as microsoft-_-windows_11, a pattern such as microsoft-_-windows*, a part of its name, or all.", word, commands.SearchLimits(f)), commands.NotSoftware([]string{word})),
		Actions: []view.Action{{Label: "All software", Command: cmdline.Join(commands.SearchName)}, {Label: "Help", Command: cmdline.Join(commands.HelpName, commands.DigestName)}},
	}
}

// watchedPattern returns a pattern in the case that matches the list, or an error if nothing matches.
func watchedPattern(list []api.Software, pattern string) (string, error) {
	for _, typed := range []string{pattern, strings.ToLower(pattern)} {
		s := digest.Subscription{Watch: []string{typed}}
		if slices.ContainsFunc(list, func(one api.Software) bool { return s.Watches(one.ID) }) {
			return typed, nil
		}
	}
	return pattern, &commands.Error{
		Title: "Unknown software", Usage: true,
		Message: fmt.Sprintf("No software in this tenant matches the pattern %s, so nothing was added.", pattern),
		Actions: []view.Action{{Label: "All software", Command: cmdline.Join(commands.SearchName)}},
	}
}

// choice rejects the ambiguous target at an index. It offers the whole line again with each software it may mean and,
// if they are few, with all of them.
func (w *addRequest) choice(at int, f search.Result) error {
	word := w.targets[at].String()
	e := &commands.Error{Title: "Which one?", Usage: true, Message: fmt.Sprintf("%q matches several, so nothing was added yet.", word)}
	if f.Inexact {
		e.Title = "Unknown software"
		e.Message = fmt.Sprintf("Defender knows no software %s, so nothing was added. Did you mean one of these?", word)
	}
	shown := f.Software[:min(len(f.Software), commands.MaxSuggestions)]
	for i, name := range commands.Names(shown) {
		e.Actions = append(e.Actions, view.Action{Label: name, Command: cmdline.Join(w.instead(at, shown[i].ID)...)})
	}
	if rest := len(f.Software) - len(shown); rest > 0 {
		e.Message += fmt.Sprintf(" %s less closely.", fits(rest))
	} else if len(shown) > 1 && !f.Inexact {
		var ids []string
		for _, s := range shown {
			ids = append(ids, s.ID)
		}
		e.Actions = append(e.Actions, view.Action{Label: fmt.Sprintf("All %d", len(ids)), Command: cmdline.Join(w.instead(at, ids...)...)})
	}
	e.Actions = append(e.Actions, view.Action{Label: "Search", Command: commands.SearchLine(strings.Split(word, cmdline.IDSeparator))})
	return e
}

func fits(n int) string {
	if n == 1 {
		return "1 more matches"
	}
	return view.Thousands(n) + " more match"
}

// instead returns the typed line with ids in place of the target at an index.
func (w *addRequest) instead(at int, ids ...string) []string {
	line := []string{commands.DigestName, "add"}
	if w.edits != "" {
		line = []string{commands.DigestName, "edit", w.edits}
	}
	for i, t := range w.targets {
		if i == at {
			line = append(line, ids...)
			continue
		}
		line = append(line, t.Words()...)
	}
	for _, o := range []struct{ name, value string }{
		{"--at", w.at},
		{"--cron", w.cron},
		{"--tz", w.typedZone},
		{"--channel", w.channel},
		{"--min-devices", count(w.filter.MinDevices)},
		{"--min-cves", count(w.filter.MinCVEs)},
		{"--quiet", w.quiet},
		{"--alert", w.alert},
	} {
		if o.value != "" && (o.name != "--quiet" || o.value != string(digest.Silent)) {
			line = append(line, o.name, o.value)
		}
	}
	if w.report {
		line = append(line, "--report")
	}
	if w.filter.Exploited {
		line = append(line, "--exploited")
	}
	return line
}

// count formats a number for a command line; "" for zero.
func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
