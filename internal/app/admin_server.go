package app

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

// startAdminServer serves health checks, metrics and profiles to operators until stop is called.
func startAdminServer(ctx context.Context, a config.AdminAddress, m *monitor.Monitor, log *slog.Logger) (stop func(), err error) {
	if a.Addr == "" {
		return func() {}, nil
	}
	l, err := health.Listen(ctx, a.Addr)
	if err != nil {
		return nil, adminServerError(a.Addr, err)
	}
	log.Info("serving probes and metrics", "address", l.Addr().String(), "profiles", a.Profiles)
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	host, _, _ := net.SplitHostPort(a.Addr) // the setting was validated
	var served sync.WaitGroup
	served.Go(func() {
		err := health.Serve(serving, l, health.Options{
			Alive: m.Alive, Parts: &m.Parts, Metrics: m.Metrics.Handler(log), Profiles: a.Profiles, Host: host, Log: log,
		})
		if err != nil {
			log.Error("probes and metrics are no longer served", "error", err)
		}
	})
	return func() { cancel(); served.Wait() }, nil
}

// adminServerError says what to do about an address that cannot be served.
func adminServerError(addr string, err error) error {
	if errors.Is(err, health.ErrTaken) {
		err = errors.New("another program listens there, perhaps another missingkbs; choose another port, or leave it empty to serve nothing")
	}
	err = fmt.Errorf("HTTP_ADDR cannot be served: %s: %w", addr, err)
	if errors.Is(err, fs.ErrPermission) {
		return config.UsageError{Err: err} // other errors may pass: a program ends, an address becomes available
	}
	return err
}
