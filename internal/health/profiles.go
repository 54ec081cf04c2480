package health

import (
	"net/http"
	"net/http/pprof"
)

// profilesPath is where profiles are.
const profilesPath = "/debug/pprof/"

// profiles serves Go's profiles, but for the command line, which may hold secrets as flags.
func profiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.Handle("GET /debug/pprof/cmdline", http.NotFoundHandler())
}
