package health

import (
	"net/http"
	"net/http/pprof"
)

// profilesPath is the prefix of the paths of profiles.
const profilesPath = "/debug/pprof/"

// profiles serves Go's profiles, except the command line, whose flags may hold secrets.
func profiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.Handle("GET /debug/pprof/cmdline", http.NotFoundHandler())
}
