package search

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/product"
)

// list is the software of a tenant prepared for searching. A software is known by its place, from 0: the one that exposes
// most devices comes first, so that of equal hits the lower place is the better one. A list never changes.
type list struct {
	software []api.Software
	byID     []int32          // places, by id
	odd      map[string]int32 // places of ids that people write in another way, by how [loosely] writes them
	words    wordIndex        // of ids, names and vendors
	initials wordIndex        // of the words of a name, such as "ie"; of names of two words and more
	squeezed string           // the letters and digits of all ids, each id ended by a line break: "7zip" fits "7-zip"
	starts   []int32          // where each id begins in squeezed, and where the last ends
	names    []int32          // where its name begins in squeezed, behind the vendor
	tails    []tail           // the words of ids, by what stands from there to the end of the id
}

// tail is a word of an id and what follows it: where it begins in squeezed, and the place of the software.
type tail struct{ from, place int32 }

// wordIndex finds the software that has a word.
type wordIndex struct {
	words   []string // sorted
	letters []uint64 // which letters each word has, see [lettersOf]
	text    string   // all words, each ended by a line break
	starts  []int32  // where each word begins in text
	at      []int32  // where the places of each word begin in places, and where the last ends
	places  []int32
}

// newList prepares software for searching. It takes about 10 µs for each.
func newList(software []api.Software) *list {
	l := &list{
		software: slices.Clone(software), odd: map[string]int32{},
		byID: make([]int32, len(software)), starts: make([]int32, 0, len(software)+1), names: make([]int32, 0, len(software)),
	}
	slices.SortFunc(l.software, func(a, b api.Software) int {
		return cmp.Or(cmp.Compare(b.ExposedMachines, a.ExposedMachines), strings.Compare(a.ID, b.ID))
	})
	words, initials := map[string][]int32{}, map[string][]int32{}
	var squeezed strings.Builder
	for i, s := range l.software {
		at := int32(i) //nolint:gosec // a list has fewer entries than memory has bytes
		l.byID[i] = at
		for _, w := range entryWords(s) {
			words[w] = append(words[w], at)
		}
		if short := initialsOf(s.ID); short != "" {
			initials[short] = append(initials[short], at)
		}
		begins := squeezed.Len()
		for _, w := range wordsOf(s.ID) {
			l.tails = append(l.tails, tail{int32(squeezed.Len()), at}) //nolint:gosec // as above
			squeezed.WriteString(w)
		}
		whole, of := squeezed.String()[begins:], squeeze(name(s))
		if !strings.HasSuffix(whole, of) { // a character that reads in another way beside others
			of = ""
		}
		l.starts = append(l.starts, int32(begins))               //nolint:gosec // as above
		l.names = append(l.names, int32(squeezed.Len()-len(of))) //nolint:gosec // as above
		squeezed.WriteByte('\n')
		if key := loosely(s.ID); key != s.ID {
			l.odd[key] = at
		}
	}
	l.starts = append(l.starts, int32(squeezed.Len())) //nolint:gosec // as above
	l.squeezed, l.words, l.initials = squeezed.String(), newWordIndex(words), newWordIndex(initials)
	slices.SortFunc(l.byID, func(a, b int32) int { return strings.Compare(l.software[a].ID, l.software[b].ID) })
	slices.SortFunc(l.tails, func(a, b tail) int { return cmp.Or(strings.Compare(l.text(a), l.text(b)), cmp.Compare(a.from, b.from)) })
	return l
}

func newWordIndex(by map[string][]int32) wordIndex {
	x := wordIndex{words: make([]string, 0, len(by)), at: make([]int32, 0, len(by)+1)}
	for w := range by {
		x.words = append(x.words, w)
	}
	slices.Sort(x.words)
	x.text = strings.Join(append(x.words, ""), "\n")
	begins := 0
	for _, w := range x.words {
		x.starts = append(x.starts, int32(begins)) //nolint:gosec // as above
		begins += len(w) + 1
		x.letters = append(x.letters, lettersOf(w))
		x.at = append(x.at, int32(len(x.places))) //nolint:gosec // as above
		x.places = append(x.places, by[w]...)
	}
	x.at = append(x.at, int32(len(x.places))) //nolint:gosec // as above
	for i, w := range x.words {
		x.words[i] = x.text[x.starts[i]:][:len(w)] // keeps nothing else in memory that the word is a part of
	}
	return x
}

// holding yields the indexes of the words that a term is a part of.
func (x *wordIndex) holding(term string, found func(i int)) {
	for from := 0; ; {
		at := strings.Index(x.text[from:], term)
		if at < 0 {
			return
		}
		i, ok := slices.BinarySearch(x.starts, int32(from+at)) //nolint:gosec // as above
		if !ok {
			i--
		}
		found(i)
		from = int(x.starts[i]) + len(x.words[i])
	}
}

// having are the places of the word at an index.
func (x *wordIndex) having(i int) []int32 { return x.places[x.at[i]:x.at[i+1]] }

// name is the id of a software without the vendor.
func name(s api.Software) string {
	_, name, _ := strings.Cut(s.ID, cmdline.IDSeparator)
	return name
}

// entryWords are the words by which a software is found, each once: of its id, its name and its vendor, and of what people
// call it.
func entryWords(s api.Software) []string {
	words := wordsOf(s.ID + " " + s.Name + " " + s.Vendor + " " + product.Name(s.ID, s.Name))
	slices.Sort(words)
	return slices.Compact(words)
}

// initialsOf are the first letters of the words of a name; empty for fewer than two words. Years and versions are left out.
func initialsOf(id string) string {
	_, name, _ := strings.Cut(id, cmdline.IDSeparator)
	words := wordsOf(name)
	if len(words) < 2 {
		return ""
	}
	var b strings.Builder
	for _, w := range words {
		if r := []rune(w)[0]; unicode.IsLetter(r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// squeeze is a text without anything but letters and digits.
func squeeze(s string) string { return strings.Join(wordsOf(s), "") }

// whole is the squeezed id at a place, name the part of it behind the vendor.
func (l *list) whole(at int32) string { return l.squeezed[l.starts[at] : l.starts[at+1]-1] }
func (l *list) name(at int32) string  { return l.squeezed[l.names[at] : l.starts[at+1]-1] }

func (l *list) text(t tail) string { return l.squeezed[t.from : l.starts[t.place+1]-1] }

// beginning yields the places of ids in which a word, and what follows it, begins with a term; ofName says that it is the
// first word of the name.
func (l *list) beginning(term string, found func(at int32, ofName bool)) {
	first, _ := slices.BinarySearchFunc(l.tails, term, func(t tail, term string) int { return strings.Compare(l.text(t), term) })
	for _, t := range l.tails[first:] {
		if !strings.HasPrefix(l.squeezed[t.from:], term) {
			return
		}
		found(t.place, t.from == l.names[t.place])
	}
}

// byExactID is the place of an id.
func (l *list) byExactID(id string) (int32, bool) {
	i, ok := slices.BinarySearchFunc(l.byID, id, func(at int32, id string) int { return strings.Compare(l.software[at].ID, id) })
	if !ok {
		return 0, false
	}
	return l.byID[i], true
}

// spelled is the software of an id: that very id, or one that people write in the same way.
func (l *list) spelled(id string) (api.Software, bool) {
	at, ok := l.byExactID(id)
	if !ok {
		at, ok = l.byExactID(loosely(id))
	}
	if !ok {
		at, ok = l.odd[loosely(id)]
	}
	if !ok {
		return api.Software{}, false
	}
	return l.software[at], true
}

// lettersOf says which letters and digits a word has, as one bit for each. A typing error changes two bits at most.
func lettersOf(word string) uint64 {
	var set uint64
	for _, r := range word {
		set |= 1 << (uint32(r) % 64) //nolint:gosec // no letter is negative
	}
	return set
}
