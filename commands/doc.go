// Package commands answers what people can ask. A [Router] parses a typed line and runs the [Command] that it names;
// simple commands have a file here, larger ones a package below. A command reads its arguments, fetches data and
// returns a [view.Page]. [Explain] turns an error into a page and is the only place that words errors. Typed words,
// buttons and the terminal all enter through [Parse] or [ParseOffered] and [Router.Run]. The package reads Defender
// through package api. It does not know Slack: who may ask, where an answer goes and how it looks are decided
// elsewhere.
package commands
