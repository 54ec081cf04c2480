package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/digest"
)

// target is one thing that the words of a question name: a software by its id, those that fit a pattern, all of
// Microsoft's, or those that other words find. All commands read their words as targets, so that what one understands
// the others do.
type target struct {
	kind  targetKind
	words []string // one word but for a name
}

type targetKind int

const (
	anID targetKind = iota
	aPattern
	everything
	aName
)

func (t target) String() string { return strings.Join(t.words, " ") }

// line are the words that name the target on a line that is offered: beside other names, one of several words is one.
func (t target) line() []string {
	if t.kind == everything {
		return []string{digest.All}
	}
	return []string{t.String()}
}

// targetsOf reads the words of a request: words beside each other make a name together. Punctuation beside others is
// nothing; alone it is a name that finds nothing.
func targetsOf(req Request, words []string) []target {
	var all []target
	joins := false // the next word goes on with the last name
	for _, w := range words {
		parts := []string{w}
		if !req.exact && !strings.Contains(w, cmdline.IDSeparator) {
			parts = strings.FieldsFunc(w, func(r rune) bool { return r == ',' || r == ';' })
		}
		for i, part := range parts {
			kind, quoted := kindOf(req, part), strings.Contains(part, " ")
			if kind == aName && !cmdline.HasLetters(part) {
				continue
			}
			if kind == aName && joins && i == 0 && !quoted {
				last := &all[len(all)-1]
				last.words = append(last.words, part)
			} else {
				all = append(all, target{kind, []string{part}})
			}
			joins = kind == aName && !quoted && i == len(parts)-1
		}
	}
	if len(all) == 0 && len(words) > 0 {
		all = []target{{aName, words}}
	}
	return all
}

func kindOf(req Request, word string) targetKind {
	switch {
	case strings.EqualFold(word, digest.All):
		return everything
	case !strings.Contains(word, cmdline.IDSeparator) || !req.exact && !cmdline.HasLetters(word):
		return aName
	case strings.Contains(word, "*") && !req.exact:
		return aPattern
	}
	return anID
}

// resolve returns the software that targets name, each once, in their order.
func (x *Index) resolve(ctx context.Context, d Defender, targets []target) (found, error) {
	catalog, err := d.Catalog(ctx)
	if err != nil {
		return found{}, fmt.Errorf("search software: %w", err)
	}
	all := found{asOf: asOf(catalog), skipped: catalog.Skipped}
	if len(targets) > 1 {
		if f, err := x.together(ctx, catalog, targets); err != nil || len(f.software) > 0 {
			return f, err
		}
		targets = slices.DeleteFunc(slices.Clone(targets), func(t target) bool { return t.kind == everything })
	}
	for _, t := range targets {
		one, err := x.one(ctx, d, catalog, t)
		if err != nil {
			return found{}, err
		}
		if len(one.software) == 0 {
			all.unknown = append(all.unknown, t.String())
		}
		all.inexact = all.inexact || one.inexact
		all.add(one.software)
	}
	return all, nil
}

// together searches for an id and a name beside it as for one name: microsoft-_-edge chromium.
func (x *Index) together(ctx context.Context, catalog api.Answer[[]api.Software], targets []target) (found, error) {
	var words []string
	for _, t := range targets {
		if t.kind == aPattern || t.kind == everything {
			return found{}, nil
		}
		words = append(words, t.words...)
	}
	if !slices.ContainsFunc(targets, func(t target) bool { return t.kind == aName }) {
		return found{}, nil
	}
	return x.search(ctx, catalog, words, wholeness, exactness)
}

// add appends what is not there yet.
func (f *found) add(more []api.Software) {
	for _, s := range more {
		if !slices.ContainsFunc(f.software, func(has api.Software) bool { return has.ID == s.ID }) {
			f.software = append(f.software, s)
		}
	}
}

// one returns the software that one target names. An id that the list does not hold is asked of Defender, for the list
// may be older than the software; only then it is searched for.
func (x *Index) one(ctx context.Context, d Defender, catalog api.Answer[[]api.Software], t target) (found, error) {
	switch t.kind {
	case anID:
		if s, ok := spelled(catalog.Value, t.words[0]); ok {
			return found{software: []api.Software{s}}, nil
		}
		if fit := matching(catalog.Value, t.words[0]); len(fit) > 0 && strings.Contains(t.words[0], "*") {
			return found{software: fit}, nil
		}
		known, err := ask(ctx, d, t.words[0])
		switch {
		case err == nil:
			return found{software: []api.Software{known}}, nil
		case !errors.Is(err, api.ErrNotFound):
			return found{}, err
		}
		return x.likeID(ctx, catalog, t.words[0])
	case aPattern, everything:
		return found{software: matching(catalog.Value, t.words[0])}, nil
	}
	return x.named(ctx, catalog, t.words)
}

// similar returns software whose ids are like an unknown one.
func (x *Index) similar(ctx context.Context, d Defender, id string) (found, error) {
	catalog, err := d.Catalog(ctx)
	if err != nil {
		return found{}, fmt.Errorf("search software: %w", err)
	}
	return x.likeID(ctx, catalog, id)
}

func (x *Index) likeID(ctx context.Context, catalog api.Answer[[]api.Software], id string) (found, error) {
	f, err := x.search(ctx, catalog, strings.Split(strings.ReplaceAll(id, "*", ""), cmdline.IDSeparator), wholeness, exactness, similarity)
	f.inexact = len(f.software) > 0
	return f, err
}

// ask asks Defender for an id, also as most are written. Its error is [api.ErrNotFound] for one that it does not know.
func ask(ctx context.Context, d Defender, id string) (api.Software, error) {
	answer, err := d.SoftwareByID(ctx, id)
	if lower := strings.ToLower(id); errors.Is(err, api.ErrNotFound) && lower != id {
		answer, err = d.SoftwareByID(ctx, lower)
	}
	if err != nil {
		return api.Software{}, fmt.Errorf("look up software: %w", err)
	}
	return answer.Value, nil
}

// spelled finds the software of an id in a list: that very id, or one that people write in the same way.
func spelled(list []api.Software, id string) (api.Software, bool) {
	at := slices.IndexFunc(list, func(s api.Software) bool { return s.ID == id })
	if at < 0 {
		want := loosely(id)
		at = slices.IndexFunc(list, func(s api.Software) bool { return strings.EqualFold(s.ID, id) || loosely(s.ID) == want })
	}
	if at < 0 {
		return api.Software{}, false
	}
	return list[at], true
}

// loosely is an id without what people leave out or change when they write it: capitals, characters that look like
// others, and punctuation at its ends, which is taken for that of a sentence.
func loosely(id string) string {
	return strings.Trim(strings.ToLower(cmdline.Normalize(id)), ".,;:!?*_~\"'`()[]{}<> ")
}

// matching is the software that fits a pattern, most exposed devices first.
func matching(list []api.Software, pattern string) []api.Software {
	s := digest.Subscription{Watch: []string{strings.ToLower(pattern)}}
	out := slices.DeleteFunc(slices.Clone(list), func(one api.Software) bool { return !s.Watches(strings.ToLower(one.ID)) })
	slices.SortStableFunc(out, func(a, b api.Software) int { return b.ExposedMachines - a.ExposedMachines })
	return out
}

// maxSegments is how many words are tried as several names; each costs a look at all software for each that follows.
const maxSegments = 6

// named searches for a name. Words that fit nothing together may be several names: edge chrome.
func (x *Index) named(ctx context.Context, catalog api.Answer[[]api.Software], words []string) (found, error) {
	if at := slices.IndexFunc(catalog.Value, func(s api.Software) bool { return s.ID == strings.Join(words, " ") }); at >= 0 {
		return found{software: catalog.Value[at : at+1]}, nil // not every id need have the usual form
	}
	if address := strings.Join(words, " "); strings.Contains(address, "://") {
		return found{}, noIDIn(address)
	}
	f, err := x.search(ctx, catalog, words, wholeness, exactness)
	if err != nil || len(f.software) > 0 {
		return f, err
	}
	if len(words) > 1 && len(words) <= maxSegments {
		if several, err := x.segments(ctx, catalog, words); err != nil || len(several.software) > 0 {
			return several, err
		}
	}
	f, err = x.search(ctx, catalog, words, similarity)
	f.inexact = len(f.software) > 0
	return f, err
}

// segments finds several names among words, each as long as it fits anything; nothing where some word fits nothing.
func (x *Index) segments(ctx context.Context, catalog api.Answer[[]api.Software], words []string) (found, error) {
	all := found{each: true}
	for len(words) > 0 {
		n := len(words)
		for ; n > 0; n-- {
			if len(termsOf(words[:n])) == 0 {
				return found{}, nil
			}
			one, err := x.search(ctx, catalog, words[:n], wholeness, exactness)
			if err != nil {
				return found{}, err
			}
			if len(one.software) > 0 {
				all.add(one.software)
				all.each = all.each && len(one.software) == 1
				break
			}
		}
		if n == 0 {
			return found{}, nil
		}
		words = words[n:]
	}
	return all, nil
}
