package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// kbDecoder decodes pages of missing KBs. Their rows come by the thousands, which
// is why they are read by a reader of our own.
type kbDecoder struct {
	jsonReader
	rows    []MissingKB
	bad     badRows
	count   int                 // rows so far, bad ones too
	rowErr  error               // why the row that is read now cannot be; nil while it can
	counted bool                // it says how many devices lack the update
	seen    map[string]string   // strings that most rows share, by how they are written
	lists   map[string][]string // lists of names that most rows share, by their names with an end to each
	reading []string            // the list that is read now
	key     []byte              // its key
}

// shortRow is about how many bytes the shortest row has that makes sense, so that a body of braces takes no more memory
// than one of rows.
const shortRow = 100

// decodeKBPage decodes a page of missing KBs. A row that cannot be read is left out and counted.
func decodeKBPage(body []byte) (listPage[MissingKB], error) {
	body, err := object(body)
	if err != nil {
		return listPage[MissingKB]{}, err
	}
	d := kbDecoder{jsonReader: jsonReader{data: body}, seen: map[string]string{}, lists: map[string][]string{}}
	e, err := d.collection(d.begin, d.row)
	if err != nil {
		return listPage[MissingKB]{}, err
	}
	return listPage[MissingKB]{e, d.rows, d.bad}, nil
}

// begin allocates for the next rows.
func (d *kbDecoder) begin() {
	rest := d.data[d.at:]
	d.rows = make([]MissingKB, 0, min(bytes.Count(rest, []byte("{")), len(rest)/shortRow+1))
	d.bad, d.count = badRows{}, 0
}

func (d *kbDecoder) row() {
	d.count++
	d.rows = append(d.rows, MissingKB{ProductsNames: []string{}})
	kb := &d.rows[len(d.rows)-1]
	d.rowErr, d.counted = nil, false
	if d.peek() != '{' {
		d.wrong("it", "an object")
	} else {
		d.object(func(key []byte) { d.member(kb, key) })
	}
	switch {
	case d.err != nil:
		d.err = fmt.Errorf("row %d: %w", d.count, d.err)
		return
	case d.rowErr != nil:
	case kb.ID == "" && kb.Name == "":
		d.rowErr = errors.New("neither id nor name")
	case !d.counted: // whether anything is missing is not known
		d.rowErr = errors.New("machineMissedOn is not there")
	}
	if d.rowErr != nil {
		d.rows = d.rows[:len(d.rows)-1]
		d.bad.add(d.count, d.rowErr)
	}
}

func (d *kbDecoder) member(kb *MissingKB, key []byte) {
	switch name := kbMember(key); name {
	case "id":
		kb.ID = trimKB(d.number(name))
	case "name":
		kb.Name = d.shared(name)
	case "productsNames":
		kb.ProductsNames = d.names(name)
	case "url":
		kb.URL = d.text(name)
	case "osBuild":
		kb.OSBuild = d.build(name)
	case "machineMissedOn":
		kb.MachineMissedOn, d.counted = d.amount(name)
	case "cveAddressed":
		kb.CVEAddressed, _ = d.amount(name)
	default:
		d.raw()
	}
}

// kbMember returns which member of a row a raw key is, "" for any other.
// Defender's documentation spells some with a capital.
func kbMember(key []byte) string {
	names := [...]string{"id", "name", "productsNames", "url", "osBuild", "machineMissedOn", "cveAddressed"}
	for _, name := range names {
		if string(key[1:len(key)-1]) == name {
			return name
		}
	}
	k := unquote(key)
	for _, name := range names {
		if strings.EqualFold(k, name) {
			return name
		}
	}
	return ""
}

// wrong skips a value that is not what it should be, and gives its row up.
func (d *kbDecoder) wrong(name, want string) {
	if d.raw(); d.err == nil {
		d.giveUp(fmt.Errorf("%s is not %s", name, want))
	}
}

// giveUp notes why the row that is read now cannot be.
func (d *kbDecoder) giveUp(why error) {
	if d.rowErr == nil {
		d.rowErr = why
	}
}

// number reads the id of an update, which is a number in quotes and might as well come without.
func (d *kbDecoder) number(name string) string {
	if !isDigit(d.peek()) {
		return d.text(name)
	}
	raw := d.scalar()
	if strings.Trim(string(raw), "0123456789") != "" {
		d.giveUp(fmt.Errorf("%s is not a whole number", name))
		return ""
	}
	return string(raw)
}

// text reads a string; null is "".
func (d *kbDecoder) text(name string) string {
	switch d.peek() {
	case '"':
		if raw := d.quoted(); raw != nil {
			return unquote(raw)
		}
	case 'n':
		d.raw()
	default:
		d.wrong(name, "a string")
	}
	return ""
}

// shared reads a string that is likely to have come before.
func (d *kbDecoder) shared(name string) string {
	if d.peek() != '"' {
		return d.text(name)
	}
	raw := d.quoted()
	if s, ok := d.seen[string(raw)]; ok || raw == nil {
		return s
	}
	s := unquote(raw)
	d.seen[string(raw)] = s
	return s
}

// build reads an OS build, which comes as number or text. The digits of a number
// are kept as they are written: 22621.10 is another build than 22621.1.
func (d *kbDecoder) build(name string) string {
	if c := d.peek(); c == '-' || isDigit(c) {
		raw := d.scalar()
		s, ok := d.seen[string(raw)] // what is in quotes stands there with them
		if !ok && raw != nil {
			s = string(raw)
			d.seen[s] = s
		}
		return s
	}
	return strings.TrimSpace(d.shared(name))
}

// names reads a list of names; null is an empty list. Rows may share it: its capacity is its length.
func (d *kbDecoder) names(name string) []string {
	d.reading, d.key = d.reading[:0], d.key[:0]
	switch d.peek() {
	case '[':
		d.list(func() {
			if s := d.shared(name); s != "" {
				d.reading = append(d.reading, s)
				d.key = append(append(d.key, s...), 0)
			}
		})
	case 'n':
		d.raw()
	default:
		d.wrong(name, "a list")
	}
	names, ok := d.lists[string(d.key)]
	if !ok {
		names = append(make([]string, 0, len(d.reading)), d.reading...)
		d.lists[string(d.key)] = names
	}
	return names
}

// amount reads how many of something there are. A number in quotes is one, too; null says nothing.
func (d *kbDecoder) amount(name string) (n int, said bool) {
	raw := d.raw()
	if d.err != nil || isNull(raw) {
		return 0, false
	}
	if isString(raw) {
		raw = []byte(unquote(raw))
	}
	if !json.Valid(raw) || raw[0] != '-' && !isDigit(raw[0]) {
		d.giveUp(fmt.Errorf("%s is not a number", name))
		return 0, false
	}
	n, err := count(name, json.Number(raw))
	if err != nil {
		d.giveUp(err)
	}
	return n, true
}

// count reads how many of something there are, "" being none. Fractions are
// rounded; what is below zero is zero and what is absurdly large is cut, because
// one mad number must not hide the other rows.
func count(name string, n json.Number) (int, error) {
	if i, err := strconv.ParseInt(string(n), 10, 32); err == nil {
		return int(max(i, 0)), nil
	}
	f, err := number(name, n)
	return int(min(max(math.Round(f), 0), math.MaxInt32)), err
}
