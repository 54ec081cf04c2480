package between

import (
	"cmp"
	"slices"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/month"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// Published answers what MSRC and CISA say about updates.
type Published interface {
	// Ready reports whether there is any data.
	Ready() bool
	// Exploited returns what is said about an exploited update; false for others.
	Exploited(kb string) (Exploit, bool)
	// Containing names the update that completely contains each of the updates, by [patchgap.Update.ID]: what to
	// install instead.
	Containing(updates []patchgap.Update) map[string]string
}

// Exploit tells who calls an update exploited.
type Exploit struct {
	By   string    // "CISA" or "MSRC"
	CVEs []string  // at least one
	Due  time.Time // CISA's due date for US agencies; may be zero
}

// Item is one update to report to a subscription.
type Item struct {
	KB       string
	Name     string
	Software []string
	Devices  int
	Shared   bool    // Devices is a lower bound
	Exploit  Exploit // zero for an out-of-band update without a known exploit
	In       string  // names the missing update that contains it; may be empty
}

// Alert is what is reported to a subscription at once. It travels as a job.
type Alert struct {
	ID           string // unique
	Subscription string
	At           time.Time
	Thread       string // message whose thread it is posted to; empty for none
	Items        []Item
}

// key returns the key of the alert's message.
func (a Alert) key() string { return "alert/" + a.ID }

// News returns the updates of a patch gap that may have to be reported to a subscription, largest first. base is what
// its last digest saw, is what is known to be missing now.
func News(s digest.Subscription, base, is patchgap.Snapshot, published Published) []Item {
	f := s.Filter
	f.Exploited = false // decided by what is published now, not by what was when the digest read
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

// rank sorts exploited updates first.
func rank(i Item) int {
	if len(i.Exploit.CVEs) > 0 {
		return 0
	}
	return 1
}

// settled is how long after Patch Tuesday Defender may take to list the updates of the month.
const settled = 3 * 24 * time.Hour

// outOfBand reports whether an update that the last digest did not see was released separately from its month's others:
// those were listed already when the digest read the same software.
func outOfBand(u patchgap.Update, base patchgap.Snapshot) bool {
	of, ok := month.Of(u.Name())
	if !ok || base.At.IsZero() || !base.At.After(patchTuesday(of).Add(settled)) || !base.At.Before(patchTuesday(of.AddDate(0, 1, 0))) {
		return false
	}
	return slices.ContainsFunc(u.Software(), base.WasRead)
}

// patchTuesday returns the second Tuesday of a month, at 10:00 in Redmond's time zone.
func patchTuesday(of time.Time) time.Time {
	first := time.Date(of.Year(), of.Month(), 1, 18, 0, 0, 0, time.UTC)
	toTuesday := (int(time.Tuesday) - int(first.Weekday()) + 7) % 7
	return first.AddDate(0, 0, toTuesday+7)
}
