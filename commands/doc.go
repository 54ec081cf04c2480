// Package commands is what people can ask: a [Router] that reads a typed line and runs the [Command] it names, and one
// file per command. A command reads its arguments, fetches, and returns a [view.Page]; [Explain] turns its failure into
// a page too, and is the only place that chooses words for failures.
//
// Typed words, buttons and the terminal all enter through [Parse] and [Router.Run], so there is one set of handlers.
// The package knows Defender through package api. It does not know Slack: who may ask, where an answer goes and how it
// is drawn are decided elsewhere.
package commands
