package search

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

// Target is one thing that the words of a question name: software by its id, by a pattern, by other words, or all of
// Microsoft's. All commands read their words as targets, so that they understand the same.
type Target struct {
	Kind  Kind
	words []string // one word, or several of a name
}

// Kind is how a target names software.
type Kind int

// The kinds.
const (
	KindID Kind = iota
	KindPattern
	KindAll
	KindName
)

// String is the target as typed.
func (t Target) String() string { return strings.Join(t.words, " ") }

// Words are the words of the target on an offered line. A name of several words is one word there, so that it does not
// join with its neighbours.
func (t Target) Words() []string {
	if t.Kind == KindAll {
		return []string{digest.All}
	}
	return []string{t.String()}
}

// Targets reads words as targets; exact says that this program wrote them. Neighbouring words make one name. Punctuation
// beside other words is ignored; alone it is a name that finds nothing.
func Targets(words []string, exact bool) []Target {
	var all []Target
	joins := false // the next word goes on with the last name
	for _, w := range words {
		pieces := []string{w}
		if !exact && !strings.Contains(w, cmdline.IDSeparator) {
			pieces = strings.FieldsFunc(w, func(r rune) bool { return r == ',' || r == ';' })
		}
		for i, piece := range pieces {
			kind, quoted := kindOf(piece, exact), strings.Contains(piece, " ")
			if kind == KindName && !cmdline.HasLetters(piece) {
				continue
			}
			if kind == KindName && joins && i == 0 && !quoted {
				last := &all[len(all)-1]
				last.words = append(last.words, piece)
			} else {
				all = append(all, Target{kind, []string{piece}})
			}
			joins = kind == KindName && !quoted && i == len(pieces)-1
		}
	}
	if len(all) == 0 && len(words) > 0 {
		all = []Target{{KindName, words}}
	}
	return all
}

func kindOf(word string, exact bool) Kind {
	switch {
	case strings.EqualFold(word, digest.All):
		return KindAll
	case !strings.Contains(word, cmdline.IDSeparator) || !exact && !cmdline.HasLetters(word):
		return KindName
	case strings.Contains(word, "*") && !exact:
		return KindPattern
	}
	return KindID
}

// resolve returns the software that targets name, each once, in their order.
func (f finder) resolve(ctx context.Context, targets []Target) (Result, error) {
	all := Result{List: f.from}
	if len(targets) > 1 {
		if r, err := f.together(ctx, targets); err != nil || len(r.Software) > 0 {
			return r, err
		}
		targets = slices.DeleteFunc(slices.Clone(targets), func(t Target) bool { return t.Kind == KindAll })
	}
	for _, t := range targets {
		one, err := f.one(ctx, t)
		if err != nil {
			return Result{}, err
		}
		if len(one.Software) == 0 {
			all.Unknown = append(all.Unknown, t.String())
		}
		all.Inexact = all.Inexact || one.Inexact
		all.Clear = len(targets) == 1 && one.Clear
		all.add(one.Software)
	}
	return all, nil
}

// together searches for an id and a name beside it as for one name: microsoft-_-edge chromium.
func (f finder) together(ctx context.Context, targets []Target) (Result, error) {
	var words []string
	for _, t := range targets {
		if t.Kind == KindPattern || t.Kind == KindAll {
			return Result{}, nil
		}
		words = append(words, t.words...)
	}
	if !slices.ContainsFunc(targets, func(t Target) bool { return t.Kind == KindName }) {
		return Result{}, nil
	}
	return f.search(ctx, words, wholeness, exactness)
}

// add appends what is not there yet.
func (f *Result) add(more []api.Software) {
	for _, s := range more {
		if !slices.ContainsFunc(f.Software, func(has api.Software) bool { return has.ID == s.ID }) {
			f.Software = append(f.Software, s)
		}
	}
}

// One returns the software that one target names. An id that the list does not hold is asked of Defender, for the list
// may be older than the software; only then it is searched for.
func (x *Index) One(ctx context.Context, d Source, catalog api.Answer[[]api.Software], t Target) (Result, error) {
	return x.finder(d, catalog).one(ctx, t)
}

func (f finder) one(ctx context.Context, t Target) (Result, error) {
	switch t.Kind {
	case KindID:
		if s, ok := f.spelled(t.words[0]); ok {
			return Result{Software: []api.Software{s}}, nil
		}
		if strings.Contains(t.words[0], "*") {
			if fit := matching(f.software, t.words[0]); len(fit) > 0 {
				return Result{Software: fit}, nil
			}
		}
		known, err := api.Software{}, api.ErrNotFound
		if f.source != nil {
			known, err = ask(ctx, f.source, t.words[0])
		}
		switch {
		case err == nil:
			return Result{Software: []api.Software{known}}, nil
		case !errors.Is(err, api.ErrNotFound):
			return Result{}, err
		}
		return f.likeID(ctx, t.words[0])
	case KindPattern, KindAll:
		return Result{Software: matching(f.software, t.words[0])}, nil
	}
	return f.named(ctx, t.words)
}

// Similar returns software whose ids are like an unknown one.
func (x *Index) Similar(ctx context.Context, d Source, id string) (Result, error) {
	catalog, err := d.Catalog(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("search software: %w", err)
	}
	return x.finder(d, catalog).likeID(ctx, id)
}

func (f finder) likeID(ctx context.Context, id string) (Result, error) {
	out, err := f.search(ctx, strings.Split(strings.ReplaceAll(id, "*", ""), cmdline.IDSeparator), wholeness, exactness, similarity)
	out.Inexact, out.Clear = len(out.Software) > 0, false
	return out, err
}

// ask asks Defender for an id, also as most are written. Its error is [api.ErrNotFound] for one that it does not know.
func ask(ctx context.Context, d Source, id string) (api.Software, error) {
	answer, err := d.SoftwareByID(ctx, id)
	if lower := strings.ToLower(id); errors.Is(err, api.ErrNotFound) && lower != id {
		answer, err = d.SoftwareByID(ctx, lower)
	}
	if err != nil {
		return api.Software{}, fmt.Errorf("look up software: %w", err)
	}
	return answer.Value, nil
}

// Spelled finds the software of an id in a list: that very id, or one that people write in the same way.
func Spelled(list []api.Software, id string) (api.Software, bool) {
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
func (f finder) named(ctx context.Context, words []string) (Result, error) {
	if at, ok := f.byExactID(strings.Join(words, " ")); ok {
		return Result{Software: f.software[at : at+1 : at+1]}, nil // not every id need have the usual form
	}
	if address := strings.Join(words, " "); strings.Contains(address, "://") {
		return Result{}, &NoIDError{address}
	}
	out, err := f.search(ctx, words, wholeness, exactness)
	if err != nil || len(out.Software) > 0 {
		return out, err
	}
	if len(words) > 1 && len(words) <= maxSegments && f.source != nil {
		if several, err := f.segments(ctx, words); err != nil || len(several.Software) > 0 {
			return several, err
		}
	}
	out, err = f.search(ctx, words, similarity)
	out.Inexact = len(out.Software) > 0
	return out, err
}

// segments finds several names among words, each as long as it fits anything; nothing where some word fits nothing.
func (f finder) segments(ctx context.Context, words []string) (Result, error) {
	all := Result{Each: true}
	for len(words) > 0 {
		n := len(words)
		for ; n > 0; n-- {
			if len(termsOf(words[:n])) == 0 {
				return Result{}, nil
			}
			one, err := f.search(ctx, words[:n], wholeness, exactness)
			if err != nil {
				return Result{}, err
			}
			if len(one.Software) > 0 {
				all.add(one.Software)
				all.Each = all.Each && len(one.Software) == 1
				break
			}
		}
		if n == 0 {
			return Result{}, nil
		}
		words = words[n:]
	}
	return all, nil
}
