package advisory

import (
	"encoding/json"
	"fmt"
)

// object reads an object. It calls member with each key, to read the value.
func object(d *json.Decoder, member func(key string) error) error {
	if err := expect(d, '{'); err != nil {
		return err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		if err := member(name); err != nil {
			return err
		}
	}
	return expect(d, '}')
}

// list reads a list. It calls element for each value; null is an empty list.
func list(d *json.Decoder, element func() error) error {
	t, err := d.Token()
	if err != nil || t == nil {
		return err
	}
	if t != json.Delim('[') {
		return fmt.Errorf("%v where a list should be", t)
	}
	for d.More() {
		if err := element(); err != nil {
			return err
		}
	}
	return expect(d, ']')
}

// expect reads one delimiter.
func expect(d *json.Decoder, want json.Delim) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != want {
		return fmt.Errorf("unexpected %v, want %v", t, want)
	}
	return nil
}

// skip skips a value token by token, so that a large one takes no memory.
func skip(d *json.Decoder) error {
	depth := 0
	for {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}
