package risk

import (
	"fmt"
	"time"

	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Acceptance is the decision to leave an update missing until a date.
type Acceptance struct {
	ID       string // short, unique in the store
	Tenant   string
	KB       string // as Defender gives it, without letters
	Software string // empty for all software
	Name     string // of the update, as Defender called it then
	Reason   string
	By       string // who accepted it, or asked for it where two persons are needed
	At       time.Time
	Until    time.Time // from then on it no longer holds

	// Rows are where the update was missing then, and Listed are its CVEs that CISA listed already. Both are what later
	// readings are compared with.
	Rows   []Row
	Listed []string

	State    State
	Approver string // the second person; empty where one was enough
	Ended    time.Time
	End      End
	Detail   string // of its end: the CVE, the devices, or the person
}

// Row is one place where an accepted update was missing.
type Row struct {
	Software string
	OSBuild  string // may be empty
	Devices  int
}

// State is how far an acceptance has come.
type State string

// The states.
const (
	Requested State = "requested" // a second person has to approve it; it does not hold yet
	Accepted  State = "accepted"  // it holds
	Ended     State = "ended"
)

// End says why an acceptance ended.
type End string

// The ends.
const (
	ByDate     End = "date"     // its date has come
	ByKEV      End = "kev"      // CISA lists one of its CVEs
	ByGrowth   End = "devices"  // more devices lack it
	ByPerson   End = "person"   // a person ended it
	ByReplaced End = "replaced" // it was accepted again
	ByExpiry   End = "expired"  // no second person approved the request
)

// RequestLife is how long a request waits for a second person.
const RequestLife = 7 * 24 * time.Hour

// Over reports whether the time of an acceptance, or of a request, is up.
func (a Acceptance) Over(now time.Time) (end End, at time.Time, over bool) {
	expires := a.At.Add(RequestLife)
	switch {
	case a.State == Ended:
		return a.End, a.Ended, true
	case a.State == Requested && !now.Before(expires) && expires.Before(a.Until):
		return ByExpiry, expires, true
	case !now.Before(a.Until):
		return ByDate, a.Until, true
	}
	return "", time.Time{}, false
}

// Devices is how many devices lacked the update when it was accepted. Like for a [patchgap.Update] the software with most
// devices counts.
func (a Acceptance) Devices() int {
	by := map[string]int{}
	most := 0
	for _, r := range a.Rows {
		by[r.Software] += r.Devices
		most = max(most, by[r.Software])
	}
	return most
}

// grown reports whether a number of devices is a quarter more than another.
func grown(then, now int) bool { return now > then && 4*now >= 5*then }

// LastDay is the last day on which the acceptance holds, in UTC.
func (a Acceptance) LastDay() string { return a.Until.Add(-time.Nanosecond).UTC().Format("2 Jan 2006") }

// Subject names what is accepted.
func (a Acceptance) Subject() string {
	if a.Software == "" {
		return catalog.Label(a.KB)
	}
	return catalog.Label(a.KB) + " in " + a.Software
}

// Why says in a sentence why an acceptance ended.
func (a Acceptance) Why() string {
	switch a.End {
	case ByDate:
		return "its date has passed"
	case ByKEV:
		return "CISA lists " + a.Detail + " as exploited"
	case ByGrowth:
		return "the devices that lack it have grown from " + a.Detail
	case ByPerson:
		return "a person ended it"
	case ByReplaced:
		return "it was accepted again"
	case ByExpiry:
		return "no second person approved it within " + view.Count(int(RequestLife.Hours()/24), "day")
	}
	return ""
}

// concerns reports whether an acceptance is about a software.
func (a Acceptance) concerns(software string) bool { return a.Software == "" || a.Software == software }

// RowsOf returns where an update is missing, for an acceptance that is about a software, or about all if that is empty.
func RowsOf(rows []patchgap.Row, kb, software string) (places []Row, name string) {
	for _, r := range rows {
		if r.KB != kb || software != "" && r.Software != software {
			continue
		}
		places = append(places, Row{Software: r.Software, OSBuild: r.OSBuild, Devices: r.Devices})
		if name == "" {
			name = r.Name
		}
	}
	return places, name
}

// grownWords is the detail of an end [ByGrowth].
func grownWords(then, now int) string {
	return fmt.Sprintf("%s to %s", view.Thousands(then), view.Thousands(now))
}
