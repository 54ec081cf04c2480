package digest

import (
	"time"

	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// DefaultTenant is the tenant of the first release, which has one; every stored row names it.
const DefaultTenant = "default"

// Subscription asks for digests of a patch gap in a channel, on a schedule.
type Subscription struct {
	ID       string   // short, unique in the store; people type it
	Tenant   string   // DefaultTenant
	Channel  string   // the channel's id in the chat system
	Owner    string   // who subscribed, and is told when it no longer works
	Watch    []string // software ids, patterns such as "microsoft-_-*", or All
	Filter   patchgap.Filter
	Schedule schedule.Schedule
	Quiet    Quiet
	Report   bool      // the digest says how patching goes, in place of what is missing
	Alert    AlertKind // what is told between two digests
	Origin   Origin    // where the subscription was written down

	Created     time.Time
	NextRun     time.Time // the next due time; zero while paused without an end
	Paused      bool
	PausedUntil time.Time // zero: until someone resumes it
	PauseReason string    // for people; set when the program paused it
	Failures    int       // deliveries in a row that its channel refused
}

// ReportUnfiltered says why a subscription with a filter cannot report.
const ReportUnfiltered = "a report counts all updates, so it takes no filter: leave out min-devices and min-cves"

// All in Watch stands for every software of Microsoft's that has weaknesses.
const All = "all"

// Quiet says what a digest does when nothing has changed.
type Quiet string

// The ways to be quiet.
const (
	Silent    Quiet = "silent"    // post nothing
	Heartbeat Quiet = "heartbeat" // post one line
	Always    Quiet = "always"    // post the whole digest
)

// AlertKind says what a subscription is told between two digests.
type AlertKind string

// The kinds of alerts.
const (
	NoAlert        AlertKind = ""
	AlertExploited AlertKind = "exploited" // an update that is missing becomes exploited, or an out-of-band one appears
)

// Origin says where a subscription was written down, and so who may change it.
type Origin string

// The origins.
const (
	FromChat Origin = "chat"
	FromFile Origin = "file" // the file of subscriptions; chat may pause but not change it
)

// Delivery is a digest that was sent, or decided not to be.
type Delivery struct {
	Key          string // unique for a subscription and due time; travels with the message
	Subscription string
	Tenant       string
	Due          time.Time
	Channel      string // where it went; empty when nothing was posted
	Message      string // the message's id in the chat system; empty when nothing was posted
	Kind         Kind
	At           time.Time // when it was sent
	Read         time.Time // when the oldest part of what it says was read; zero where nothing was, or not known
	Thread       Thread
	Totals       patchgap.Totals
	Event        Event // what other systems are told; only for [Records.Record], and never read back
}

// Event tells other systems what a digest found. Its ID is the same whenever it is sent. Without a Body there is nothing
// to tell.
type Event struct {
	ID   string
	Body string // as it is sent
}

// Reused reports whether what a delivery says was read before it was due, for another digest.
func (d Delivery) Reused() bool {
	return !d.Read.IsZero() && d.Read.Before(d.Due.Truncate(time.Minute)) // a run by hand is due some seconds after or before it
}

// Kind is what a delivery was.
type Kind string

// The kinds of deliveries.
const (
	First   Kind = "first"   // the first digest of a subscription: nothing to compare with
	Changed Kind = "changed" // a whole digest
	Same    Kind = "same"    // nothing had changed; posted or not as Quiet says
	Failed  Kind = "failed"  // nothing could be read
)

// DeliveryKey names the digest of a subscription for a due time. It travels with the message.
func DeliveryKey(subscription string, due time.Time) string {
	return "digest/" + subscription + "/" + due.UTC().Format(time.RFC3339)
}

// failureKey names the message that says that a digest could not be made. The digest itself may still follow.
func failureKey(subscription string, due time.Time) string {
	return DeliveryKey(subscription, due) + "/failed"
}
