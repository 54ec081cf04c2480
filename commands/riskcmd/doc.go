// Package riskcmd is the command accept: it accepts that an update stays missing until a date, lists accepted risks,
// and ends them. It parses lines, asks where the update is missing, and draws pages. It does not know when an
// acceptance ends by itself or what it covers, which package risk decides, nor who may accept, which the caller
// decides.
package riskcmd
