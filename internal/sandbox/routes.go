package sandbox

import (
	"net/http"

	"github.com/missingkbs/missingkbs/internal/sandbox/ui"
)

func (w *Workspace) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", w.serveAPI)
	mux.HandleFunc("GET "+socketPath, w.sockets.serve)
	mux.HandleFunc("POST /commands/", w.serveHook)
	mux.HandleFunc("POST /upload/v1/{key}", w.serveUpload)
	w.routeUI(mux)
	mux.Handle("/", http.FileServerFS(ui.Files()))
	return mux
}
