// Package riskcmd is the command accept: it accepts that an update stays missing until a date, lists what is accepted, and
// ends it. It reads lines, asks where the update is missing and makes pages. When an acceptance ends by itself, and what it
// covers, package risk decides; who may accept, the caller.
package riskcmd
