package digest

import (
	"time"

	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// DefaultTenant is the only tenant so far; every stored row names it.
const DefaultTenant = "default"

// Subscription asks for digests of a patch gap in a channel, on a schedule.
type Subscription struct {
	ID       string   // short, unique in the store; people type it
	Tenant   string   // DefaultTenant
	Channel  string   // the channel's id in the chat system
	Owner    string   // user who subscribed, and is told when it no longer works
	Watch    []string // software ids, patterns such as "microsoft-_-*", or All
	Filter   patchgap.Filter
	Schedule schedule.Schedule
	Quiet    Quiet
	Report   bool      // digests report how patching goes instead of what is missing
	Alert    AlertKind // what is reported between two digests
	Origin   Origin    // where the subscription was defined

	Created     time.Time
	NextRun     time.Time // next due time; zero while paused indefinitely
	Paused      bool
	PausedUntil time.Time // zero for an indefinite pause
	PauseReason string    // for people; set if the program paused it
	Failures    int       // consecutive deliveries that its channel refused
}

// ReportUnfiltered explains why a subscription with a filter cannot have Report.
const ReportUnfiltered = "a report counts all updates, so it takes no filter: leave out min-devices and min-cves"

// All in Watch covers all of Microsoft's software with weaknesses.
const All = "all"

// Quiet is what a digest does when nothing has changed.
type Quiet string

// The values of Quiet.
const (
	Silent    Quiet = "silent"    // post nothing
	Heartbeat Quiet = "heartbeat" // post one line
	Always    Quiet = "always"    // post the whole digest
)

// AlertKind is what a subscription reports between two digests.
type AlertKind string

// The kinds of alerts.
const (
	NoAlert        AlertKind = ""
	AlertExploited AlertKind = "exploited" // an update that is missing becomes exploited, or an out-of-band one appears
)

// Origin is where a subscription was defined, and so who may change it.
type Origin string

// The origins.
const (
	FromChat Origin = "chat"
	FromFile Origin = "file" // the digest file; in chat it can be paused but not changed
)

// Delivery is a digest that was posted, or deliberately not posted.
type Delivery struct {
	Key          string // unique by subscription and due time; travels with the message
	Subscription string
	Tenant       string
	Due          time.Time
	Channel      string // empty if nothing was posted
	Message      string // the message's ID in the chat system; empty if nothing was posted
	Kind         Kind
	At           time.Time // when it was delivered
	Read         time.Time // when the oldest part of its data was read; zero if nothing was or it is unknown
	Thread       Thread
	Totals       patchgap.Totals
	Event        Event // for other systems; only written by [Records.Record], never read back
}

// Event reports a digest to other systems. A repeated event has the same ID. Without a Body there is nothing to send.
type Event struct {
	ID   string
	Body string // request body, sent unchanged
}

// Reused reports whether a delivery's data was read before it was due, for another digest.
func (d Delivery) Reused() bool {
	return !d.Read.IsZero() && d.Read.Before(d.Due.Truncate(time.Minute)) // a manual run is due some seconds before or after
}

// Kind is the kind of a delivery.
type Kind string

// The kinds of deliveries.
const (
	First   Kind = "first"   // the first digest of a subscription, without a comparison
	Changed Kind = "changed" // a complete digest
	Same    Kind = "same"    // nothing had changed; posted or not, as Quiet says
	Failed  Kind = "failed"  // nothing could be read
)

// DeliveryKey returns the key of a subscription's digest for a due time. It travels with the message.
func DeliveryKey(subscription string, due time.Time) string {
	return "digest/" + subscription + "/" + due.UTC().Format(time.RFC3339)
}

// failureKey returns the key of the message that a digest could not be made. The digest itself may still follow.
func failureKey(subscription string, due time.Time) string {
	return DeliveryKey(subscription, due) + "/failed"
}
