package config

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// number reads a whole number of at least 0. After an error it returns 0.
func (e *Errors) number(setting, value string) int {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		e.Add(setting, "must be a whole number, 0 or more, such as 50")
		return 0
	}
	return n
}

// Duration reads a duration of at least least.
func (e *Errors) Duration(setting, value string, least time.Duration) time.Duration {
	if value == "0" {
		value = "0s"
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < least {
		e.Add(setting, "takes a time from %v on, such as 30s or 5m", least)
	}
	return d
}

// MaxDays is the longest period that can be set, a hundred years.
const MaxDays = 36_500

// days reads a number of days. 0 means forever; the store takes a negative duration for that.
func (e *Errors) days(setting, value string) time.Duration {
	n := e.number(setting, value)
	if n > MaxDays {
		e.Add(setting, "takes at most %d; 0 keeps it for ever", MaxDays)
	}
	if n == 0 {
		return -1
	}
	return time.Duration(n) * 24 * time.Hour
}

// address reads a base URL. Plain http is allowed to this machine only, if at all.
func (e *Errors) address(setting, value string, httpOnLoopback bool) string {
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		e.Add(setting, "takes an address such as https://host.example/")
	case u.Scheme == "https":
	case u.Scheme == "http" && httpOnLoopback && loopback(u.Hostname()):
	case httpOnLoopback:
		e.Add(setting, "takes an https:// address; http:// is for this machine only, such as http://127.0.0.1:7070/api/")
	default:
		e.Add(setting, "takes an https:// address: tokens travel there")
	}
	return value
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// OneOf reads one of the allowed words, in any case.
func (e *Errors) OneOf(setting, value string, allowed ...string) string {
	for _, a := range allowed {
		if strings.EqualFold(value, a) {
			return a
		}
	}
	e.Add(setting, "takes one of %s", strings.Join(allowed, ", "))
	return value
}

// boolean reads true or false.
func (e *Errors) boolean(setting, value string) bool {
	on, err := strconv.ParseBool(strings.ToLower(value))
	if err != nil {
		e.Add(setting, "takes true or false")
	}
	return on
}

// ids reads a list of Slack IDs. Their first letter tells the kind of object.
func (e *Errors) ids(setting, value, letters, kind string) []string {
	var ids []string
	for id := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		if !IsSlackID(id, letters) {
			e.Add(setting, "takes %s; several are separated by commas", kind)
			return nil
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// IsSlackID returns true for an ID as Slack writes it, whose first letter is one of letters: the kind of object.
func IsSlackID(id, letters string) bool {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	return len(id) >= 6 && strings.Contains(letters, id[:1]) && strings.Trim(id, alphabet) == ""
}
