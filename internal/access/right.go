// Package access has the values of access control: which right a request needs, and which channels an administrator has
// allowed although people of other organisations read them. It decides nothing, asks Slack nothing and stores nothing:
// the gate of the Slack edge decides, and package store keeps allowances.
package access

// Right is what a request requires of the user who makes it.
type Right string

// The rights. Each includes asking, and the last one includes all.
const (
	Ask        Right = "ask"        // read what is missing
	Change     Right = "digests"    // add, change, run and remove digests
	Accept     Right = "accept"     // accept that an update is missing, approve and end that
	Administer Right = "administer" // allow what is refused to others
)
