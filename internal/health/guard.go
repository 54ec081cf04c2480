package health

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// guarded refuses requests that web pages cause, and all that are not GET or HEAD. Host is the name in the configured
// address.
//
// Web pages can make a browser send requests. Requests that a page of another site causes are refused, by the headers of the
// browser. A page whose own name resolves to this address (DNS rebinding) looks like one of ours, and only the Host header
// shows the difference. Therefore browsers must use an IP address, localhost or the configured host. Other clients may use any
// name, because Prometheus and kubelets do, and states and counts are worth little to an attacker. Profiles show what the
// program does and cost CPU, so every client must use one of these hosts for them.
func guarded(next http.Handler, host string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		profile := strings.HasPrefix(r.URL.Path, profilesPath)
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
			return
		case fromElsewhere(r):
			http.Error(w, "not for pages of another site; type the address in yourself", http.StatusForbidden)
			return
		case (profile || isBrowser(r)) && !isOwn(r.Host, host):
			http.Error(w, "not by this name; use the IP address, localhost, or the host in HTTP_ADDR", http.StatusForbidden)
			return
		}
		r.Body = http.NoBody
		next.ServeHTTP(w, r)
	})
}

// fromElsewhere returns true if the browser says that a page of another site caused the request.
func fromElsewhere(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || u.Host != r.Host
}

// isBrowser reports whether a browser sent the request. To an origin without TLS it sends no Sec-Fetch-Site, but a page
// cannot remove the headers that describe the browser and its user.
func isBrowser(r *http.Request) bool {
	for _, name := range []string{"Accept-Language", "Cookie", "Origin", "Referer", "Sec-Fetch-Mode", "Upgrade-Insecure-Requests"} {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return strings.HasPrefix(r.UserAgent(), "Mozilla/")
}

// isOwn reports whether the host is an IP address, localhost or the configured host. Any other name may resolve to this
// address because an attacker says so.
func isOwn(header, configured string) bool {
	host := header
	if name, _, err := net.SplitHostPort(header); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return strings.EqualFold(host, "localhost") || configured != "" && strings.EqualFold(host, configured)
}
