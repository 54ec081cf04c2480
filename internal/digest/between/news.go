package between

import (
	"cmp"
	"slices"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/month"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// Published is what MSRC and CISA say.
type Published interface {
	// Ready reports whether there is data at all.
	Ready() bool
	// Exploited returns what is said of an update that fixes a vulnerability under attack; false for others.
	Exploited(kb string) (Exploit, bool)
	// Containing names what contains each of some updates wholly, by [patchgap.Update.ID]: what to install in its place.
	Containing(updates []patchgap.Update) map[string]string
}

// Exploit says by whose word an update fixes a vulnerability under attack.
type Exploit struct {
	By   string    // "CISA" or "MSRC"
	CVEs []string  // at least one
	Due  time.Time // CISA's date for US agencies; zero where there is none
}

// Item is one update that a subscription is told of.
type Item struct {
	KB       string
	Name     string
	Software []string
	Devices  int
	Shared   bool    // at least so many devices
	Exploit  Exploit // zero for an out-of-band update that is not known to be exploited
	In       string  // names the missing update that contains it; empty where none does
}

// Alert is what a subscription is told at once. It travels as a job.
type Alert struct {
	ID           string // unique
	Subscription string
	At           time.Time
	Thread       string // the message below which it is posted; empty for none
	Items        []Item
}

// key names the alert's message.
func (a Alert) key() string { return "alert/" + a.ID }

// News are the updates of a patch gap that a subscription may have to be told of, the largest first. base is what its last
// digest saw, is what is known to be missing now.
func News(s digest.Subscription, base, is patchgap.Snapshot, published Published) []Item {
	f := s.Filter
	f.Exploited = false // what is published now decides that, not what was when the digest read
	gap := is.Missing().Only(s.Watches).Gap(f)
	had := map[string]bool{}
	for _, u := range base.Updates() {
		had[u.ID()] = true
	}
	var items []Item
	in := published.Containing(gap.Shown)
	for _, u := range gap.Shown {
		exploit, exploited := published.Exploited(u.KB())
		if u.KB() == "" || !exploited && (s.Filter.Exploited || had[u.ID()] || !outOfBand(u, base)) {
			continue
		}
		items = append(items, Item{KB: u.KB(), Name: u.Name(), Software: u.Software(), Devices: u.Devices, Shared: u.Shared(), Exploit: exploit, In: in[u.ID()]})
	}
	slices.SortStableFunc(items, func(a, b Item) int { return cmp.Or(rank(a)-rank(b), b.Devices-a.Devices) })
	return items
}

// rank puts what is exploited first.
func rank(i Item) int {
	if len(i.Exploit.CVEs) > 0 {
		return 0
	}
	return 1
}

// settled is how long after Patch Tuesday Defender may take to list the updates of the month.
const settled = 3 * 24 * time.Hour

// outOfBand reports whether an update that the last digest did not see was released apart from its month's others: it is of
// a month whose updates were listed already when the digest read the same software.
func outOfBand(u patchgap.Update, base patchgap.Snapshot) bool {
	of, ok := month.Of(u.Name())
	if !ok || base.At.IsZero() || !base.At.After(patchTuesday(of).Add(settled)) || !base.At.Before(patchTuesday(of.AddDate(0, 1, 0))) {
		return false
	}
	return slices.ContainsFunc(u.Software(), base.WasRead)
}

// patchTuesday is the second Tuesday of a month, at 10:00 on the clocks of Redmond.
func patchTuesday(of time.Time) time.Time {
	first := time.Date(of.Year(), of.Month(), 1, 18, 0, 0, 0, time.UTC)
	toTuesday := (int(time.Tuesday) - int(first.Weekday()) + 7) % 7
	return first.AddDate(0, 0, toTuesday+7)
}
