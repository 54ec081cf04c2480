package apitest

import (
	"cmp"
	"strings"
	"time"
)

// expr is a parsed $filter: comparisons (eq ne gt ge lt le), startswith,
// endswith and contains, joined by and, or, not and parentheses. Strings are
// compared letter by letter.
// See https://learn.microsoft.com/defender-endpoint/api/exposed-apis-odata-samples.
type expr struct{ node node }

// node is a part of a filter.
type node interface {
	eval(field func(name string) any) bool
}

type (
	andNode struct{ left, right node }
	orNode  struct{ left, right node }
	notNode struct{ of node }
	compare struct {
		field, op string
		value     any
	}
	function struct{ name, field, text string }
)

func (n andNode) eval(f func(string) any) bool { return n.left.eval(f) && n.right.eval(f) }
func (n orNode) eval(f func(string) any) bool  { return n.left.eval(f) || n.right.eval(f) }
func (n notNode) eval(f func(string) any) bool { return !n.of.eval(f) }

func (n function) eval(f func(string) any) bool {
	s, isText := f(n.field).(string)
	switch {
	case !isText:
		return false
	case n.name == "startswith":
		return strings.HasPrefix(s, n.text)
	case n.name == "endswith":
		return strings.HasSuffix(s, n.text)
	}
	return strings.Contains(s, n.text)
}

func (n compare) eval(f func(string) any) bool {
	have := f(n.field)
	if n.op == "eq" || n.op == "ne" {
		order, fits := orderOf(have, n.value)
		equal := fits && order == 0
		return equal == (n.op == "eq")
	}
	order, fits := orderOf(have, n.value)
	if !fits {
		return false
	}
	switch n.op {
	case "gt":
		return order > 0
	case "ge":
		return order >= 0
	case "lt":
		return order < 0
	}
	return order <= 0
}

// orderOf compares two values of one type; a time may be given as text.
func orderOf(have, want any) (order int, fits bool) {
	switch h := have.(type) {
	case nil:
		return 0, want == nil
	case string:
		if w, same := want.(string); same {
			return strings.Compare(h, w), true
		}
		if w, same := want.(time.Time); same {
			t, err := time.Parse(time.RFC3339, h)
			return t.Compare(w), err == nil
		}
	case float64:
		if w, same := want.(float64); same {
			return cmp.Compare(h, w), true
		}
	case time.Time:
		if w, same := want.(time.Time); same {
			return h.Compare(w), true
		}
	}
	return 0, false
}

// only tells whether the filter can only hold for one value of the field.
func (e expr) only(field string) (value string, only bool) {
	switch n := e.node.(type) {
	case andNode:
		if value, only = (expr{n.left}).only(field); only {
			return value, true
		}
		return (expr{n.right}).only(field)
	case compare:
		value, only = n.value.(string)
		return value, only && n.field == field && n.op == "eq"
	}
	return "", false
}
