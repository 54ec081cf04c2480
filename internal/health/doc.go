// Package health serves health checks, readiness, metrics and, on request, profiles over HTTP.
//
// It knows HTTP, and how to run a check that hangs. The checks are functions with a name; the package knows neither Slack
// nor Defender nor the database. Every client that reaches the address can read what is served. Therefore the reasons that
// checks return are public, and their errors are only logged.
//
// Web pages can make a browser send requests. Requests that a page of another site causes are refused, by the headers of
// the browser. A page whose own name resolves to this address (DNS rebinding) looks like one of ours, and only the Host
// header shows the difference. Therefore browsers must use an IP address, localhost or the configured host. Other clients
// may use any name, because Prometheus and kubelets do, and states and counts are worth little to an attacker. Profiles show
// what the program does and cost CPU, so every client must use one of these hosts for them.
package health
