package deadline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Class selects the deadline of an update.
type Class string

// The classes. An update falls in the class of its severity, or in Other; an exploited one is in Exploited too.
const (
	Exploited Class = "exploited" // fixes a vulnerability under attack
	Critical  Class = "critical"
	Important Class = "important"
	Other     Class = "other" // of lower severity, or of unknown severity
)

// Classes returns all classes, most urgent first.
func Classes() []Class { return []Class{Exploited, Critical, Important, Other} }

// MaxDays is the longest deadline.
const MaxDays = 3650

// Policy holds the deadline of each class in days. The zero value is off: no update is ever overdue.
type Policy struct{ days map[Class]int }

// Off is the policy text that switches deadlines off, as the empty text does.
const Off = "off"

// Example shows the format of a policy.
const Example = "exploited:3,critical:14,important:30,other:60"

// Parse reads a policy in the format of [Example]. A class that is left out has no deadline. The error lists all
// mistakes.
func Parse(text string) (Policy, error) {
	if text = strings.TrimSpace(text); text == "" || strings.EqualFold(text, Off) {
		return Policy{}, nil
	}
	p := Policy{days: map[Class]int{}}
	var wrong []string
	for part := range strings.SplitSeq(text, ",") {
		if fault := p.read(strings.TrimSpace(part)); fault != "" {
			wrong = append(wrong, fault)
		}
	}
	if len(wrong) > 0 {
		return Policy{}, fmt.Errorf("%s; write it as %s", strings.Join(wrong, "; "), Example)
	}
	return p, nil
}

// read reads one class with its days. It returns what is wrong with the text, or "".
func (p Policy) read(part string) (fault string) {
	name, value, found := strings.Cut(part, ":")
	class := Class(strings.ToLower(strings.TrimSpace(name)))
	n, err := strconv.Atoi(strings.TrimSpace(value))
	switch _, twice := p.days[class]; {
	case part == "":
		return "a comma has no class behind or before it"
	case !slices.Contains(Classes(), class):
		return fmt.Sprintf("there is no class %q", name)
	case !found || err != nil || n < 0 || n > MaxDays:
		return fmt.Sprintf("%s takes whole days from 0 to %d", class, MaxDays)
	case twice:
		return fmt.Sprintf("%s is there twice", class)
	}
	p.days[class] = n
	return ""
}

// On reports whether any class has a deadline.
func (p Policy) On() bool { return len(p.days) > 0 }

// String formats the policy so that [Parse] can read it.
func (p Policy) String() string {
	if !p.On() {
		return Off
	}
	var parts []string
	for _, c := range Classes() {
		if n, ok := p.days[c]; ok {
			parts = append(parts, fmt.Sprintf("%s:%d", c, n))
		}
	}
	return strings.Join(parts, ",")
}

// Words formats the policy for people: "exploited within 3 days, critical 14, others 60".
func (p Policy) Words() string {
	var parts []string
	for _, c := range Classes() {
		n, ok := p.days[c]
		switch {
		case !ok:
		case len(parts) == 0:
			parts = append(parts, fmt.Sprintf("%s within %s", c, days(n)))
		default:
			parts = append(parts, fmt.Sprintf("%s %d", c, n))
		}
	}
	return strings.Join(parts, ", ")
}

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}
