// Package health is the page for machines: it serves whether the program is alive, whether it is ready and if not why, its
// metrics, and on request its profiles.
//
// It knows HTTP and how to look without hanging. What is looked at is given to it as functions, by name; it knows neither
// Slack nor Defender nor the database. Everything it serves may be read by whoever reaches the address, so the reasons
// that checks give are for strangers, and their errors for the log.
//
// Browsers are strangers that a web page can send. A page of another site is refused outright, by what its browser says
// of it. One whose own name leads to this address (DNS rebinding) looks to its browser as if it were ours, and only the
// Host header tells: so browsers are answered by an IP address, by localhost, and by the configured host, and by no other
// name. Machines may use any name, because Prometheus and kubelets do, and because what they read, states and
// counts, is worth little; but profiles show what the program does and cost it time, so they are for these hosts alone,
// whoever asks.
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

// Options are what is served.
type Options struct {
	Alive    Look         // whether the program still does anything at all; nil for always
	Parts    *Parts       // what has to work before the program is ready
	Metrics  http.Handler // nil for none
	Profiles bool         // also serve /debug/pprof/
	Host     string       // the name in the configured address, if it holds one: browsers may use it, and profiles
	Log      *slog.Logger // nil discards
}

// Look looks at one thing. The reason is for whoever asks, and empty when all is well; the error is for the log. It must
// give up when its context ends.
type Look func(ctx context.Context) (reason string, err error)

// patience is how long a look may take. Orchestrators wait some seconds.
const patience = 2 * time.Second

// Handler serves /healthz, /readyz and /metrics to GET and HEAD.
func Handler(o Options) http.Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Parts == nil {
		o.Parts = &Parts{}
	}
	alive := &watched{name: "alive", look: o.Alive}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		alive.see(r.Context(), o.Log).write(w)
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		o.Parts.see(r.Context(), o.Log).write(w)
	})
	if o.Metrics != nil {
		mux.Handle("GET /metrics", o.Metrics)
	}
	if o.Profiles {
		profiles(mux)
	}
	return guarded(mux, o.Host)
}

// ErrTaken is the error of an address that another program listens on.
var ErrTaken = errors.New("another program listens there")

// Listen takes an address.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	var how net.ListenConfig
	l, err := how.Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, ErrTaken
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return nil, op.Err // without the address, which whoever reads it has just written
	}
	return l, err
}

// Serve serves until ctx ends.
func Serve(ctx context.Context, l net.Listener, o Options) error {
	slow := 30 * time.Second
	if o.Profiles {
		slow = 3 * time.Minute // a profile takes as long as was asked for
	}
	server := &http.Server{
		Handler:           Handler(o),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      slow,
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
		return fmt.Errorf("serve probes and metrics: %w", err)
	}
	return <-closed
}
