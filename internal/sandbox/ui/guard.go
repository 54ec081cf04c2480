package ui

import (
	"net"
	"net/http"
)

// SlackOrigin is what Go's Slack client sends as Origin when it opens a socket.
const SlackOrigin = "https://api.slack.com"

const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Guard refuses all requests but those of programs and pages of this machine. A page
// of another site can make a browser call loopback addresses, directly or through a
// host name that resolves to one (DNS rebinding). The first shows in Origin and
// Sec-Fetch-Site, the second in Host. Slack's Go client may open sockets at socketPath.
func Guard(next http.Handler, socketPath string) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h := rw.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if !localHost(r.Host) || !ownOrigin(r, socketPath) {
			http.Error(rw, "the sandbox answers only its own page and programs of this machine", http.StatusForbidden)
			return
		}
		next.ServeHTTP(rw, r)
	})
}

func localHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	return IsLoopback(host)
}

func ownOrigin(r *http.Request, socketPath string) bool {
	origin := r.Header.Get("Origin")
	switch {
	case origin == "http://"+r.Host:
		return true
	case origin == SlackOrigin && r.URL.Path == socketPath:
		return true // useless without a ticket, which no page can get
	case origin != "":
		return false
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	}
	// A link from elsewhere to the page is harmless; anything else is not.
	return r.Method == http.MethodGet && r.URL.Path == "/" && r.Header.Get("Sec-Fetch-Mode") == "navigate"
}

// IsLoopback returns true for localhost and loopback addresses.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
