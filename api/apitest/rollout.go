package apitest

import (
	"math"
	"time"
)

const (
	// steepness of the roll-out's S-curve: the higher, the more devices take an
	// update near their group's median day.
	steepness = 2.4
	// maxDays is when even the slowest device has it.
	maxDays = 150
)

// installsAt is when the device takes the update, were there no later one.
// Over a group these times are log-logistic: slow to begin, quick around the
// median, with a tail. A device that is slow once is likely to be so again.
func (d *device) installsAt(u *update, line uint64) time.Time {
	q := .65*d.pace + .35*unit(d.key, line, u.seq)
	q = min(max(q, .004), .996)
	days := min(maxDays, d.median*math.Pow(q/(1-q), 1/steepness))
	return u.released.Add(time.Duration(days * float64(24*time.Hour)))
}

// lacks gives, for each update, the places of the devices that lack it now.
// Updates of one line must stand together, oldest first.
func (b *builtIn) lacks(updates []update, now time.Time) [][]int32 {
	out := make([][]int32, len(updates))
	for from := 0; from < len(updates); {
		to := from
		for to < len(updates) && updates[to].line == updates[from].line {
			to++
		}
		for place, d := range b.devices {
			if d.counted(now) && b.serves(updates[from].line, d) {
				lackOf(updates[from:to], out[from:to], place, d, now)
			}
		}
		from = to
	}
	return out
}

// serves tells whether the line's updates can be for the device: its Windows,
// or a product that it has.
func (b *builtIn) serves(line int, d *device) bool {
	if l := b.lines[line]; len(l.builds) > 0 {
		return l.on&d.on != 0
	}
	return d.has(b.owners[line])
}

// lackOf adds the device to what it lacks of one line. Each update brings the
// earlier ones, so the walk goes back in time to the first that is installed.
func lackOf(updates []update, out [][]int32, place int, d *device, now time.Time) {
	line := uint64(updates[0].line)
	for i := len(updates) - 1; i >= 0; i-- {
		u := &updates[i]
		if u.build != 0 && u.build != d.OSBuild {
			continue
		}
		if d.took(u, line, now) {
			return
		}
		if u.superseded.IsZero() {
			out[i] = append(out[i], int32(place))
		}
	}
}

// took tells whether the device has installed the update by now. One that
// fell silent takes nothing more.
func (d *device) took(u *update, line uint64, now time.Time) bool {
	at := d.installsAt(u, line)
	return !at.After(now) && (d.goneAt.IsZero() || at.Before(d.goneAt))
}
