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

// list is a tenant's software prepared for searching. A software is identified by its index, ordered by exposed
// devices: of equally good matches the lower index is the better one. A list is immutable.
type list struct {
	software []api.Software
	byID     []int32          // indexes, sorted by ID
	odd      map[string]int32 // indexes of ids that differ from how [loosely] writes them, by that spelling
	words    wordIndex        // words of ids, names and vendors
	initials wordIndex        // initials of names with two words or more, such as "ie"
	squeezed string           // letters and digits of all ids, each followed by a line break, so that "7zip" matches "7-zip"
	starts   []int32          // start of each ID in squeezed, and the end of the last
	names    []int32          // start of each name in squeezed, after the vendor
	tails    []tail           // words of ids, sorted by the text from the word to the end of the ID
}

// tail is a word of an ID and the rest of that ID: its start in squeezed and the index of its software.
type tail struct{ from, place int32 }

// wordIndex finds the software that has a word.
type wordIndex struct {
	words   []string // sorted
	letters []uint64 // letters of each word; see [lettersOf]
	text    string   // all words, each followed by a line break
	starts  []int32  // start of each word in text
	at      []int32  // start of each word's indexes in places, and the end of the last
	places  []int32
}

// newList prepares software for searching. It takes about 10 µs for each entry.
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
		if !strings.HasSuffix(whole, of) { // a character that reads differently beside others
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

// newWordIndex builds the index of words, given the software of each.
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
		x.words[i] = x.text[x.starts[i]:][:len(w)] // keeps only text in memory, not the string the word came from
	}
	return x
}

// holding yields the indexes of the words that contain a term.
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

// having returns the software of the word at an index.
func (x *wordIndex) having(i int) []int32 { return x.places[x.at[i]:x.at[i+1]] }

// name returns the ID of a software without its vendor.
func name(s api.Software) string {
	_, name, _ := strings.Cut(s.ID, cmdline.IDSeparator)
	return name
}

// entryWords returns the words that a software is found by, without repeats: of its ID, name, vendor and aliases.
func entryWords(s api.Software) []string {
	words := wordsOf(s.ID + " " + s.Name + " " + s.Vendor + " " + product.Name(s.ID, s.Name))
	slices.Sort(words)
	return slices.Compact(words)
}

// initialsOf returns the initials of a name; empty for fewer than two words. Years and versions are left out.
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

// squeeze drops everything but letters and digits.
func squeeze(s string) string { return strings.Join(wordsOf(s), "") }

// whole returns the squeezed ID at an index; name returns its part after the vendor.
func (l *list) whole(at int32) string { return l.squeezed[l.starts[at] : l.starts[at+1]-1] }
func (l *list) name(at int32) string  { return l.squeezed[l.names[at] : l.starts[at+1]-1] }

func (l *list) text(t tail) string { return l.squeezed[t.from : l.starts[t.place+1]-1] }

// beginning yields software whose ID has a word that starts with a term, including what follows that word. ofName is
// true if it is the first word of the name.
func (l *list) beginning(term string, found func(at int32, ofName bool)) {
	first, _ := slices.BinarySearchFunc(l.tails, term, func(t tail, term string) int { return strings.Compare(l.text(t), term) })
	for _, t := range l.tails[first:] {
		if !strings.HasPrefix(l.squeezed[t.from:], term) {
			return
		}
		found(t.place, t.from == l.names[t.place])
	}
}

// byExactID returns the index of an ID.
func (l *list) byExactID(id string) (int32, bool) {
	i, ok := slices.BinarySearchFunc(l.byID, id, func(at int32, id string) int { return strings.Compare(l.software[at].ID, id) })
	if !ok {
		return 0, false
	}
	return l.byID[i], true
}

// spelled returns the software of an ID, allowing for the differences that [loosely] ignores.
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

// lettersOf returns the letters and digits of a word as a bit set. A typing error changes at most two bits.
func lettersOf(word string) uint64 {
	var set uint64
	for _, r := range word {
		set |= 1 << (uint32(r) % 64) //nolint:gosec // letters are never negative
	}
	return set
}
