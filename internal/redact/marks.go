package redact

// Marks other than words, for the forms that no word announces.
const (
	twoNumbers = "two long numbers with a dot between them"
	longRun    = "a long run of letters and digits"
)

// The least length of each half of a trigger ID, and of a random word.
const (
	longNumber = 9
	longWord   = 32
)

// table is a list of forms with an index of their marks: a single pass over a text finds which forms it may contain.
// Every log line takes that pass, and almost none needs more.
type table struct {
	forms   []form
	letters [256]set    // forms announced by a single letter
	starts  [1024]set   // whether marks start with two letters: a bit for each pair
	words   [256][]mark // longer marks, by first letter
	numbers set         // forms that need twoNumbers
	runs    set         // forms that need longRun
}

// set is a set of forms, by their index in the table.
type set uint64

// mark is a lower-case word with the forms that it announces.
type mark struct {
	word  string
	forms set
}

func newTable(forms ...form) *table {
	t := &table{forms: forms}
	for i, f := range forms {
		for _, word := range f.marks {
			switch is := set(1) << i; word {
			case twoNumbers:
				t.numbers |= is
			case longRun:
				t.runs |= is
			default:
				t.add(word, is)
			}
		}
	}
	return t
}

func (t *table) add(word string, is set) {
	small := make([]byte, len(word))
	for i := range small {
		small[i] = lower(word[i])
	}
	first := small[0]
	if len(small) == 1 {
		t.letters[first] |= is
		return
	}
	at, bit := pair(first, small[1])
	t.starts[at] |= bit
	for i := range t.words[first] {
		if m := &t.words[first][i]; m.word == string(small) {
			m.forms |= is
			return
		}
	}
	t.words[first] = append(t.words[first], mark{string(small), is})
}

// announced returns the forms whose marks occur in a text.
func (t *table) announced(text []byte) (found set) {
	var last byte
	var run, digits, before int
	for i, c := range text {
		c = lower(c)
		found |= t.letters[c]
		if at, bit := pair(last, c); t.starts[at]&bit != 0 {
			found |= t.wordsAt(text[i-1:])
		}
		last = c
		switch {
		case c >= 'a' && c <= 'z', c == '_', c == '-', c == '~', c == '+':
			run++
			digits, before = 0, 0
		case c >= '0' && c <= '9':
			run++
			if digits++; digits >= longNumber && before >= longNumber {
				found |= t.numbers
			}
		case c == '.':
			run, digits, before = 0, 0, digits
		default:
			run, digits, before = 0, 0, 0
		}
		if run == longWord {
			found |= t.runs
		}
	}
	return found
}

// wordsAt returns the forms of the marks that a text starts with.
func (t *table) wordsAt(text []byte) (found set) {
	for _, m := range t.words[lower(text[0])] {
		if hasPrefix(text, m.word) {
			found |= m.forms
		}
	}
	return found
}

// hasPrefix reports whether a text starts with a lower-case word, ignoring case.
func hasPrefix(text []byte, small string) bool {
	if len(text) < len(small) {
		return false
	}
	for i := range len(small) {
		if lower(text[i]) != small[i] {
			return false
		}
	}
	return true
}

// pair returns the position of two letters in table.starts.
func pair(a, b byte) (at int, bit set) {
	both := int(a)<<8 | int(b)
	return both >> 6, 1 << (both & 63)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
