package patchgap

import "time"

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
	Products string // their names, joined with [ProductsBetween]; empty in snapshots of versions that did not keep them
	URL      string // as Defender gave it; may be empty or foreign
	Devices  int    // how many lack it
	CVEs     int    // how many it fixes
}

// Snapshot is a patch gap at one time.
type Snapshot struct {
	Tenant   string
	At       time.Time // when the oldest part of it was fetched
	Through  time.Time // when the newest part was fetched; zero if unknown, as for a stored snapshot
	Software []string  // what was read, sorted; a software without rows lacks nothing
	Rows     []Row     // sorted by Key
	Unread   []Unread  // software that could not be read; it has no Rows
	Partial  []Partial // software of which some rows could not be read; the others are in Rows

	// Told has the device counts that the channel saw last, by KB, where they differ from Rows: digests leave out small
	// changes.
	Told map[string]int

	// Exploited has the updates of which it is known whether they fix a vulnerability under attack, by [Update.ID]; nil if
	// nothing was known of attacks at all.
	Exploited map[string]bool
}

// Partial is software with rows that could not be read. Nothing tells which updates these are about, so none of the
// software's updates counts as gone.
type Partial struct {
	Software string
	Rows     int // how many could not be read
}

// Unread is a software whose patch gap could not be read.
type Unread struct {
	Software string
	Reason   string // for people
}

// Filter leaves out small updates. The zero value leaves out none.
type Filter struct {
	MinDevices int
	MinCVEs    int
	Exploited  bool // only updates that are known to fix a vulnerability under attack
}

// Totals are the sums of the updates that a digest's filter lets pass, for progress and chart.
type Totals struct {
	KBs     int // updates
	Worst   int // devices that lack the most widely missing update
	Missing int // open installs: the devices of all updates
	CVEs    int // sum over all updates; an upper bound, since updates share CVEs

	// Rows is the number of rows, set only by versions that counted each row by itself. Their sums are too high for
	// software ids that share updates.
	Rows int
}

// Seen is when an update was first seen missing.
type Seen struct {
	First  time.Time
	Before time.Time // when its software was read before, without it; zero if it never was
}

// maxUnseen is how long a software may be unread before the next reading dates nothing: a week and a day, for digests are weekly.
const maxUnseen = 8 * 24 * time.Hour

// Lower reports whether the update may be much older than First: it was there when its software was first read, or when reading
// went on after a pause.
func (s Seen) Lower() bool { return s.Before.IsZero() || s.First.Sub(s.Before) > maxUnseen }
