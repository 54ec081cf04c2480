package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"sync"

	"github.com/missingkbs/missingkbs/internal/app/monitor"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/health"
)

// serveAdmin serves health checks and metrics until the returned function is called.
func serveAdmin(ctx context.Context, a config.AdminAddress, watch *monitor.Monitor, log *slog.Logger) (stop func(), err error) {
	if a.Addr == "" {
		return func() {}, nil
	}
	l, err := health.Listen(ctx, a.Addr)
	if errors.Is(err, health.ErrTaken) {
		err = errors.New("another program listens there, perhaps another missingkbs; choose another port, or leave it empty to serve nothing")
	}
	if err != nil {
		err = fmt.Errorf("HTTP_ADDR cannot be served: %s: %w", a.Addr, err)
		if errors.Is(err, fs.ErrPermission) {
			err = config.UsageError{Err: err} // all else may pass: a program ends, an address of this machine comes up
		}
		return nil, err
	}
	log.Info("serving probes and metrics", "address", l.Addr().String(), "profiles", a.Profiles)
	serving, end := context.WithCancel(context.WithoutCancel(ctx))
	host, _, _ := net.SplitHostPort(a.Addr) // read before
	var served sync.WaitGroup
	served.Go(func() {
		err := health.Serve(serving, l, health.Options{
			Alive: watch.Alive, Parts: &watch.Parts, Metrics: watch.Metrics.Handler(log), Profiles: a.Profiles, Host: host, Log: log,
		})
		if err != nil {
			log.Error("probes and metrics are no longer served", "error", err)
		}
	})
	return func() { end(); served.Wait() }, nil
}
