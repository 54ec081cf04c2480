package patchgap

import "time"

// Key identifies a row of a patch gap across readings.
type Key struct {
	Software string
	KB       string
	OSBuild  string // may be empty
}

// Row is one missing update of one software.
type Row struct {
	Key
	Name     string
	Products string // their names, joined with [ProductsBetween]; empty in snapshots of versions that did not keep them
	URL      string // as Defender gave it; may be empty or foreign
	Devices  int    // how many miss it
	CVEs     int    // how many it fixes
}

// Snapshot is a patch gap at one time.
type Snapshot struct {
	Tenant   string
	At       time.Time // when its oldest part was fetched
	Through  time.Time // when its newest part was fetched; zero if unknown, as for a stored snapshot
	Software []string  // ids that were read, sorted; software without rows misses nothing
	Rows     []Row     // sorted by Key
	Unread   []Unread  // software that could not be read; it has no Rows
	Partial  []Partial // software of which some rows could not be read; the others are in Rows

	// Told has the device counts that the channel saw last, by KB, where they differ from Rows, because digests leave
	// out small changes.
	Told map[string]int

	// Exploited tells by [Update.ID] whether an update is exploited, for those where it is known; nil if nothing is
	// known at all.
	Exploited map[string]bool
}

// Partial is software with unreadable rows. It is unknown which updates these are about, so none of the software's
// updates counts as gone.
type Partial struct {
	Software string
	Rows     int // number of unreadable rows
}

// Unread is a software whose patch gap could not be read.
type Unread struct {
	Software string
	Reason   string // for people
}

// Filter hides small updates. The zero value hides none.
type Filter struct {
	MinDevices int
	MinCVEs    int
	Exploited  bool // only updates known to be exploited
}

// Totals are sums over the updates that pass a digest's filter, for progress and chart.
type Totals struct {
	KBs     int // updates
	Worst   int // devices of the most widely missing update
	Missing int // open installs: the devices of all updates
	CVEs    int // sum over all updates; an upper bound, since updates share CVEs

	// Rows is the number of rows, set only by versions that counted each row by itself. Their sums are too high for
	// software ids that share updates.
	Rows int
}

// Seen is when an update was first seen missing.
type Seen struct {
	First  time.Time
	Before time.Time // the software's last reading without it; zero if there was none
}

// maxUnseen is the longest pause between readings after which a new update still has a certain date: a week and a day,
// because digests are weekly.
const maxUnseen = 8 * 24 * time.Hour

// Lower reports whether the update may be much older than First: it was missing at the first reading of its software,
// or at the first one after a long pause.
func (s Seen) Lower() bool { return s.Before.IsZero() || s.First.Sub(s.Before) > maxUnseen }
