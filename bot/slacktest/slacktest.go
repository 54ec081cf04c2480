// Package slacktest has what the tests of the Slack edge share. It replaces the network, and knows nothing of what the
// bot does with it.
package slacktest

import "net/http"

// RoundTrip is a network made of one function.
type RoundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements [http.RoundTripper].
func (f RoundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
