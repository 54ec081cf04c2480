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

// Target is one thing that the words of a question name: software by its ID, by a pattern or by other words, or all of
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

// String returns the target as typed.
func (t Target) String() string { return strings.Join(t.words, " ") }

// Words returns the words of the target for an offered line. A name of several words becomes one word, so that it does
// not merge with its neighbours.
func (t Target) Words() []string {
	if t.Kind == KindAll {
		return []string{digest.All}
	}
	return []string{t.String()}
}

// Targets reads words as targets; exact means that this program wrote them. Neighbouring words make one name.
// Punctuation beside other words is ignored; alone it is a name without results.
func Targets(words []string, exact bool) []Target {
	var all []Target
	joins := false // whether the next word continues the last name
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

// kindOf returns the kind of a single word. An exact word is never a pattern: a software id may contain a *.
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

// resolve returns the software that targets name, without repeats, in the order of the targets.
func (f finder) resolve(ctx context.Context, targets []Target) (Result, error) {
	all := Result{List: f.from}
	if len(targets) > 1 {
		if r, err := f.together(ctx, targets); err != nil || len(r.Software) > 0 {
			return r, err
		}
		targets = slices.DeleteFunc(slices.Clone(targets), func(t Target) bool { return t.Kind == KindAll })
	}
	each := len(targets) > 1
	for _, t := range targets {
		one, err := f.one(ctx, t)
		if err != nil {
			return Result{}, err
		}
		if len(one.Software) == 0 {
			all.Unknown = append(all.Unknown, t.String())
		}
		each = all.addNamed(one) && each && !one.Inexact
		if len(targets) == 1 {
			all.Each, all.Named, each = one.Each, one.Named, true
		}
		all.Inexact = all.Inexact || one.Inexact
		all.LeftOut = append(all.LeftOut, one.LeftOut...)
		all.Clear = len(targets) == 1 && one.Clear
	}
	if !each {
		all.Named = nil
	}
	return all, nil
}

// together searches for an ID and a neighbouring name as one name: microsoft-_-edge chromium.
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

// addNamed appends what a search for one of several names found, and the one that it clearly means. It reports whether there is
// one.
func (f *Result) addNamed(one Result) bool {
	f.add(one.Software)
	meant, ok := one.Meant()
	if ok {
		f.Named = append(f.Named, meant)
	}
	return ok
}

// add appends software that the result does not have yet.
func (f *Result) add(more []api.Software) {
	for _, s := range more {
		if !slices.ContainsFunc(f.Software, func(has api.Software) bool { return has.ID == s.ID }) {
			f.Software = append(f.Software, s)
		}
	}
}

// One returns the software that one target names. It asks Defender for an ID missing in the list, because the list may
// be older than the software. Only if Defender does not know it either, it searches for it.
func (x *Index) One(ctx context.Context, d Source, catalog api.Answer[[]api.Software], t Target) (Result, error) {
	return x.finder(d, catalog).one(ctx, t)
}

// one is One for a list and a source; without a source only the list counts.
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

// Similar returns software with ids similar to an unknown one.
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

// ask asks Defender for an ID and, if it is unknown, for its usual spelling. It returns [api.ErrNotFound] if both are
// unknown.
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

// Spelled returns the software of an ID in a list, allowing for the differences that [loosely] ignores.
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

// loosely normalises an ID for what people change when they write it: capitals, lookalike characters, and punctuation
// at the ends, which usually belongs to the sentence.
func loosely(id string) string {
	return strings.Trim(strings.ToLower(cmdline.Normalize(id)), ".,;:!?*_~\"'`()[]{}<> ")
}

// matching returns the software that matches a pattern, most exposed devices first.
func matching(list []api.Software, pattern string) []api.Software {
	s := digest.Subscription{Watch: []string{strings.ToLower(pattern)}}
	out := slices.DeleteFunc(slices.Clone(list), func(one api.Software) bool { return !s.Watches(strings.ToLower(one.ID)) })
	slices.SortStableFunc(out, func(a, b api.Software) int { return b.ExposedMachines - a.ExposedMachines })
	return out
}

// maxSegments is how many words are tried as several names; each costs a pass over all software for each word after it.
const maxSegments = 8

// named searches for a name. Words without a common match may be several names: edge chrome.
func (f finder) named(ctx context.Context, words []string) (Result, error) {
	if at, ok := f.byExactID(strings.Join(words, " ")); ok {
		return Result{Software: f.software[at : at+1 : at+1]}, nil // not every ID has the usual form
	}
	if address := strings.Join(words, " "); strings.Contains(address, "://") {
		return Result{}, &NoIDError{address}
	}
	out, err := f.withLoose(ctx, words)
	out.LeftOut = out.leftOut(words)
	return out, err
}

// withLoose searches for words and, if they match nothing, for the same without the loose ones.
func (f finder) withLoose(ctx context.Context, words []string) (Result, error) {
	ways := [][]string{words}
	if kept := tight(words); kept != nil {
		ways = append(ways, kept)
	}
	for _, way := range ways {
		if out, err := f.search(ctx, way, wholeness, exactness); err != nil || len(out.Software) > 0 {
			return out, err
		}
	}
	if last := ways[len(ways)-1]; len(last) > 1 && len(last) <= maxSegments && f.source != nil {
		if several, err := f.segments(ctx, last); err != nil || len(several.Software) > 0 {
			return several, err
		}
	}
	var out Result
	for _, way := range ways {
		var err error
		if out, err = f.search(ctx, way, similarity); err != nil || len(out.Software) > 0 {
			out.Inexact = len(out.Software) > 0
			return out, err
		}
	}
	return out, nil
}

// segments splits words into several names, each as long as it still matches; it returns nothing if a word matches
// nothing.
func (f finder) segments(ctx context.Context, words []string) (Result, error) {
	all, each := Result{Each: true}, true
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
				each = all.addNamed(one) && each
				all.Each = all.Each && len(one.Software) == 1
				break
			}
		}
		if n == 0 {
			return Result{}, nil
		}
		words = words[n:]
	}
	if !each {
		all.Named = nil
	}
	return all, nil
}
