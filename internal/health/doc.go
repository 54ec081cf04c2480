// Package health serves health checks, readiness, metrics and, on request, profiles over HTTP. It knows HTTP, and how to run a
// check that hangs. The checks are functions with a name; the package knows neither Slack nor Defender nor the database. Every
// client that reaches the address can read what is served. Therefore the reasons that checks return are public, and their
// errors are only logged.
package health
