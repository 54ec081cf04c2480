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
	KB       string // number as Defender reports it, without letters
	Software string // empty for all software
	Name     string // of the update, as Defender called it at the time
	Reason   string
	By       string // user who accepted it, or who requested it where two persons are needed
	At       time.Time
	Until    time.Time // it no longer holds from this time on

	// Rows are where the update was missing at the time, and Listed are its CVEs that CISA listed already. Later
	// readings are compared with both.
	Rows   []Row
	Listed []string

	State    State
	Approver string // the second person; empty where one was enough
	Ended    time.Time
	End      End
	Detail   string // of the end: the CVE, the numbers of devices, or the person
}

// Row is one place where the accepted update was missing.
type Row struct {
	Software string
	OSBuild  string // may be empty
	Devices  int
}

// State is how far an acceptance has come.
type State string

// The states.
const (
	Requested State = "requested" // waits for a second person and does not hold yet
	Accepted  State = "accepted"  // it holds
	Ended     State = "ended"
)

// End is the reason why an acceptance ended.
type End string

// The ends.
const (
	ByDate     End = "date"     // its date was reached
	ByKEV      End = "kev"      // CISA lists one of its CVEs
	ByGrowth   End = "devices"  // more devices miss it
	ByPerson   End = "person"   // a person ended it
	ByReplaced End = "replaced" // a newer acceptance replaced it
	ByExpiry   End = "expired"  // no second person approved the request
)

// RequestLife is how long a request waits for the approval of a second person.
const RequestLife = 7 * 24 * time.Hour

// Over reports whether an acceptance or a request has expired by now, when, and why.
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

// Devices returns how many devices missed the update when it was accepted. As in [patchgap.Update], the software with
// most devices counts.
func (a Acceptance) Devices() int {
	by := map[string]int{}
	most := 0
	for _, r := range a.Rows {
		by[r.Software] += r.Devices
		most = max(most, by[r.Software])
	}
	return most
}

// grown reports whether the number of devices has grown by at least a quarter.
func grown(then, now int) bool { return now > then && 4*now >= 5*then }

// LastDay formats the last day on which the acceptance holds, in UTC.
func (a Acceptance) LastDay() string { return a.Until.Add(-time.Nanosecond).UTC().Format("2 Jan 2006") }

// Subject names the update and software that are accepted.
func (a Acceptance) Subject() string {
	if a.Software == "" {
		return catalog.Label(a.KB)
	}
	return catalog.Label(a.KB) + " in " + a.Software
}

// Why returns a sentence on why an acceptance ended.
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

// concerns reports whether an acceptance covers a software.
func (a Acceptance) concerns(software string) bool { return a.Software == "" || a.Software == software }

// RowsOf returns where an update is missing, and its name. An empty software selects all software.
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

// grownWords returns the detail of an acceptance that ended [ByGrowth].
func grownWords(then, now int) string {
	return fmt.Sprintf("%s to %s", view.Thousands(then), view.Thousands(now))
}
