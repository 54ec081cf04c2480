package digest

import (
	"time"

	"github.com/missingkbs/missingkbs/internal/digest/schedule"
)

// DefaultTenant is the tenant of the first release, which has one; every stored row names it.
const DefaultTenant = "default"

// Subscription is a channel's wish to be told of a patch gap at certain times.
type Subscription struct {
	ID       string   // short, unique in the store; people type it
	Tenant   string   // DefaultTenant
	Channel  string   // the channel's id in the chat system
	Owner    string   // who subscribed, and is told when it no longer works
	Watch    []string // software ids, patterns such as "microsoft-_-*", or All
	Filter   Filter
	Schedule schedule.Schedule
	Quiet    Quiet
	Origin   Origin // where the subscription was written down

	Created     time.Time
	NextRun     time.Time // the next due time; zero while paused without an end
	Paused      bool
	PausedUntil time.Time // zero: until someone resumes it
	PauseReason string    // for people; set when the program paused it
	Failures    int       // deliveries in a row that its channel refused
}

// All in Watch stands for every software of Microsoft's that has weaknesses.
const All = "all"

// Filter leaves out what is too small to tell.
type Filter struct {
	MinDevices int
	MinCVEs    int
}

// Quiet says what a digest does when nothing has changed.
type Quiet string

// The ways to be quiet.
const (
	Silent    Quiet = "silent"    // post nothing
	Heartbeat Quiet = "heartbeat" // post one line
	Always    Quiet = "always"    // post the whole digest
)

// Origin says where a subscription was written down, and so who may change it.
type Origin string

// The origins.
const (
	FromChat Origin = "chat"
	FromFile Origin = "file" // the file of subscriptions; chat may pause but not change it
)

// Key names a row of a patch gap through time.
type Key struct {
	Software string
	KB       string
	OSBuild  string // may be empty
}

// Row is one missing update of one software.
type Row struct {
	Key
	Name     string
	Products string // that it is for, their names with [ProductsBetween] between them; empty in what was read before they were kept
	URL      string // as Defender gave it; may be empty or foreign
	Devices  int    // that lack it
	CVEs     int    // that it fixes
}

// Snapshot is a patch gap at one moment.
type Snapshot struct {
	Tenant   string
	At       time.Time // when the oldest part of it was fetched
	Through  time.Time // when the newest was; zero where that is not known, as of a stored one
	Software []string  // what was read, sorted; a software without rows lacks nothing
	Rows     []Row     // sorted by Key
	Unread   []Unread  // what could not be read; nothing of it is in Rows
	Partial  []Partial // what could be read but for some rows; the others are in Rows

	// Told are the devices that the channel was told last of an update, by KB, where Rows say otherwise: counts that
	// move a little are not told each time.
	Told map[string]int
}

// Partial is a software of which some rows could not be read. Which updates these are about is not known, so that none
// of the software's can be told to be gone.
type Partial struct {
	Software string
	Rows     int // that could not be read
}

// Unread is a software whose patch gap could not be read.
type Unread struct {
	Software string
	Reason   string // for people
}

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
	Totals       Totals
}

// Reused reports whether what a delivery says was read before it was due, for another digest.
func (d Delivery) Reused() bool {
	return !d.Read.IsZero() && d.Read.Before(d.Due.Truncate(time.Minute)) // a person's wish is due some seconds after or before it
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

// Totals are the sums of the updates that a digest's filter lets pass, for progress and chart.
type Totals struct {
	KBs     int // updates
	Worst   int // devices that lack the most widely missing update
	Missing int // open installs: the devices of all updates
	CVEs    int // sum over all updates; an upper bound, since updates share CVEs

	// Rows is set in what was recorded when each row counted by itself: how many rows there were. Of several software
	// ids that share updates the sums are too high then.
	Rows int
}
