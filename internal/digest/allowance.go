package digest

import "time"

// Allowance says that an administrator lets things be posted into a channel that people of other organisations read.
type Allowance struct {
	Tenant  string
	Channel string
	Teams   []string // the organisations that read it then, as far as they were known: one that joins later is not meant
	By      string
	At      time.Time
}
