package health

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Options says what to serve.
type Options struct {
	Alive    Check        // the liveness check; nil always succeeds
	Parts    *Parts       // the readiness checks
	Metrics  http.Handler // nil for none
	Profiles bool         // also serve /debug/pprof/
	Host     string       // the host name in the configured address, if any: allowed for browsers and profiles
	Log      *slog.Logger // nil for no log
}

// Check checks one part. The returned reason is public, and empty if the part works; the error is for the log. A check
// must return when its context ends.
type Check func(ctx context.Context) (reason string, err error)

// checkTimeout bounds one check. Orchestrators wait some seconds.
const checkTimeout = 2 * time.Second

// Handler serves /healthz, /readyz and /metrics to GET and HEAD.
func Handler(o Options) http.Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Parts == nil {
		o.Parts = &Parts{}
	}
	alive := &part{name: "alive", check: o.Alive}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		alive.run(r.Context(), o.Log).write(w)
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		o.Parts.run(r.Context(), o.Log).write(w)
	})
	if o.Metrics != nil {
		mux.Handle("GET /metrics", o.Metrics)
	}
	if o.Profiles {
		profiles(mux)
	}
	return guarded(mux, o.Host)
}

// ErrTaken reports that another program listens on the address.
var ErrTaken = errors.New("another program listens there")

// Listen opens the listener for [Serve].
func Listen(ctx context.Context, address string) (net.Listener, error) {
	var how net.ListenConfig
	l, err := how.Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, ErrTaken
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return nil, op.Err // without the address, which the caller has just set
	}
	return l, err
}

// Serve serves until ctx ends. It closes the listener.
func Serve(ctx context.Context, l net.Listener, o Options) error {
	writeTimeout := 30 * time.Second
	if o.Profiles {
		writeTimeout = 3 * time.Minute // a profile takes as long as the request says
	}
	server := &http.Server{
		Handler:           Handler(o),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	if o.Log != nil {
		server.ErrorLog = slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug)
	}
	closed := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { closed <- server.Close() })
	err := server.Serve(l)
	if stop() || !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve health checks and metrics: %w", err)
	}
	return <-closed
}
