// Package access has the values of access control: the right that a request needs, and the channels that an
// administrator has allowed although other organisations read them. It decides nothing, asks Slack nothing and stores
// nothing: the gate of the Slack edge decides, and package store keeps allowances.
package access

// Right is what a request requires of the user who makes it.
type Right string

// The rights. Each includes asking, and the last one includes all.
const (
	Ask        Right = "ask"        // read what is missing
	Change     Right = "digests"    // add, change, run and remove digests
	Accept     Right = "accept"     // accept a missing update, approve that, and end it
	Administer Right = "administer" // allow what others are refused
)
