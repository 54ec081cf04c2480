package view

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Count formats a number with its noun: "1 device", "240 devices", "12,000 devices". The plural is formed with an s.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Thousands(n) + " " + noun + "s"
}

// UpperFirst returns text with its first letter in upper case. The text must begin with an ASCII letter or be empty.
func UpperFirst(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// JoinSentences joins sentences, without empty ones.
func JoinSentences(all ...string) string {
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "" }), " ")
}

// Join joins words as in a sentence: "a, b and c".
func Join(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// Thousands formats n with commas between thousands.
func Thousands(n int) string {
	if n < 0 {
		return "-" + Thousands(-n)
	}
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Age formats a duration in its largest unit: "40 s", "5 min", "3 h", "2 d".
func Age(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d d", int(d.Hours()/24))
	}
}

// String says when the data was fetched, in UTC; "" for a page without data.
func (a AsOf) String() string {
	if a.Time.IsZero() {
		return ""
	}
	return a.Describe(a.Time.UTC().Format("2006-01-02 15:04 UTC"))
}

// Describe is [AsOf.String] with a time formatted by the caller, for media that know the reader's time zone.
func (a AsOf) Describe(moment string) string {
	if a.Age < time.Second {
		return "As of " + moment + ", fetched just now"
	}
	return "As of " + moment + ", cached " + Age(a.Age) + " ago"
}

// Notice warns on one line that the data is stale, and why; "" if it is not.
func (a AsOf) Notice() string {
	return a.DescribeStale(a.Time.UTC().Format("2006-01-02 15:04 UTC"), a.Again.UTC().Format("15:04 UTC"))
}

// DescribeStale is [AsOf.Notice] with times formatted by the caller: that of the data, and when to ask again.
func (a AsOf) DescribeStale(moment, again string) string {
	var why string
	switch a.Stale {
	case NotStale:
		return ""
	case UsedUp:
		why = "Defender's quota is used up"
	case TooSlow:
		why = "Defender did not answer in time"
	default:
		why = "Defender cannot be reached"
	}
	next := "Try again in a few minutes for a fresh one."
	if !a.Again.IsZero() {
		next = "A fresh one can be had from about " + again + "."
	}
	return why + ": this is the stored answer of " + moment + ", " + Age(a.Age) + " ago. " + next
}

// OneLine makes foreign text safe to print on one line: control characters, line breaks and invisible characters that
// reverse or hide text become spaces, and runs of spaces become one.
func OneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar
	}), " ")
}
