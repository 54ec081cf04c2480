package apitest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Bounds of a filter; the service has such bounds too.
const (
	maxFilter = 8192 // bytes
	maxDepth  = 100
)

// filterParser reads a filter by recursive descent.
type filterParser struct {
	rest  string
	known func(name string) bool
	depth int
}

func parseFilter(text string, known func(name string) bool) (expr, error) {
	if len(text) > maxFilter {
		return expr{}, errors.New("the filter is too long")
	}
	p := &filterParser{rest: text, known: known}
	n, err := p.or()
	if err != nil {
		return expr{}, err
	}
	if p.skip(); p.rest != "" {
		return expr{}, fmt.Errorf("syntax error at position %d in '%s'", len(text)-len(p.rest), text)
	}
	return expr{n}, nil
}

func (p *filterParser) skip() { p.rest = strings.TrimLeft(p.rest, " \t") }

// word takes the next run of letters, digits, dots, dashes and the like.
func (p *filterParser) word() string {
	p.skip()
	end := strings.IndexAny(p.rest, " \t(),'")
	if end < 0 {
		end = len(p.rest)
	}
	w := p.rest[:end]
	p.rest = p.rest[end:]
	return w
}

// accept takes the word if it is next.
func (p *filterParser) accept(word string) bool {
	before := p.rest
	if p.word() == word {
		return true
	}
	p.rest = before
	return false
}

// sign takes the character, which must be next.
func (p *filterParser) sign(c string) error {
	p.skip()
	after, found := strings.CutPrefix(p.rest, c)
	if !found {
		return fmt.Errorf("'%s' expected before '%s'", c, p.rest)
	}
	p.rest = after
	return nil
}

func (p *filterParser) or() (node, error) {
	left, err := p.and()
	for err == nil && p.accept("or") {
		var right node
		right, err = p.and()
		left = orNode{left, right}
	}
	return left, err
}

func (p *filterParser) and() (node, error) {
	left, err := p.term()
	for err == nil && p.accept("and") {
		var right node
		right, err = p.term()
		left = andNode{left, right}
	}
	return left, err
}

func (p *filterParser) term() (node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, errors.New("the filter is too deep")
	}
	defer func() { p.depth-- }()
	if p.accept("not") {
		of, err := p.term()
		return notNode{of}, err
	}
	if p.sign("(") == nil {
		inner, err := p.or()
		if err != nil {
			return nil, err
		}
		return inner, p.sign(")")
	}
	return p.condition()
}

// condition is a comparison or a function.
func (p *filterParser) condition() (node, error) {
	switch name := p.word(); name {
	case "":
		return nil, fmt.Errorf("expression expected before '%s'", p.rest)
	case "startswith", "endswith", "contains":
		return p.function(name)
	default:
		if !p.known(name) {
			return nil, fmt.Errorf("could not find a property named '%s'", name)
		}
		return p.comparison(name)
	}
}

func (p *filterParser) function(name string) (node, error) {
	if err := p.sign("("); err != nil {
		return nil, err
	}
	field := p.word()
	if !p.known(field) {
		return nil, fmt.Errorf("could not find a property named '%s'", field)
	}
	if err := p.sign(","); err != nil {
		return nil, err
	}
	text, err := p.text()
	if err != nil {
		return nil, err
	}
	return function{name, field, text}, p.sign(")")
}

func (p *filterParser) comparison(field string) (node, error) {
	op := p.word()
	switch op {
	case "eq", "ne", "gt", "ge", "lt", "le":
	default:
		return nil, fmt.Errorf("unknown operator '%s'", op)
	}
	value, err := p.literal()
	return compare{field, op, value}, err
}

// literal is a text in quotes, a number, a time, or null.
func (p *filterParser) literal() (any, error) {
	if p.skip(); strings.HasPrefix(p.rest, "'") {
		return p.text()
	}
	w := p.word()
	if w == "null" {
		return nil, nil
	}
	if n, err := strconv.ParseFloat(w, 64); err == nil {
		return n, nil
	}
	if t, err := time.Parse(time.RFC3339, w); err == nil {
		return t, nil
	}
	return nil, fmt.Errorf("unrecognized literal '%s'", w)
}

// text is a literal in single quotes; a quote in it is doubled.
func (p *filterParser) text() (string, error) {
	if err := p.sign("'"); err != nil {
		return "", err
	}
	var b strings.Builder
	for {
		part, rest, closed := strings.Cut(p.rest, "'")
		if !closed {
			return "", errors.New("unterminated string literal")
		}
		b.WriteString(part)
		p.rest = rest
		if !strings.HasPrefix(rest, "'") {
			return b.String(), nil
		}
		b.WriteByte('\'')
		p.rest = rest[1:]
	}
}
