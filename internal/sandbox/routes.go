package sandbox

import (
	"embed"
	"io/fs"
	"net/http"
)

// pageFiles is the built web page; its source is beside it.
//
//go:embed all:page/dist
var pageFiles embed.FS

func (w *Workspace) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", w.serveAPI)
	mux.HandleFunc("GET "+socketPath, w.sockets.serve)
	mux.HandleFunc("POST /commands/", w.serveHook)
	mux.HandleFunc("POST /upload/v1/{key}", w.serveUpload)
	w.routeUI(mux)
	dist, err := fs.Sub(pageFiles, "page/dist")
	if err != nil {
		panic(err) // the name is a constant
	}
	mux.Handle("/", http.FileServerFS(dist))
	return mux
}
