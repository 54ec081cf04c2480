package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"strconv"
	"sync"

	"github.com/missingkbs/missingkbs/internal/app/monitor"
	"github.com/missingkbs/missingkbs/internal/probe"
)

// operatorSettings are how whoever runs the program looks into it.
type operatorSettings struct {
	Addr     string `name:"http-addr" env:"HTTP_ADDR" default:"127.0.0.1:8080" blank:"off" placeholder:"ADDRESS" help:"Where /healthz, /readyz and /metrics are served; empty for nowhere (${default})."`
	Profiles string `name:"pprof" env:"MISSINGKBS_PPROF" default:"false" placeholder:"BOOL" help:"Also serve Go's profiles there, under /debug/pprof/ (${default})."`
}

// lookout is what is served to whoever runs the program.
type lookout struct {
	addr     string // empty for none
	profiles bool
}

func (s operatorSettings) read(m *mistakes) lookout {
	p := lookout{addr: s.Addr, profiles: m.oneOf("MISSINGKBS_PPROF", s.Profiles, "true", "false") == "true"}
	if p.addr == "" {
		return p
	}
	host, port, err := net.SplitHostPort(p.addr)
	n, notNumber := strconv.ParseUint(port, 10, 16)
	if err != nil || notNumber != nil {
		m.add("HTTP_ADDR", "takes a host and a port, such as 127.0.0.1:8080, or :8080 for all addresses of this machine; empty switches it off")
	}
	p.addr = net.JoinHostPort(host, strconv.FormatUint(n, 10))
	return p
}

// serve serves it until the function that it returns is called.
func (p lookout) serve(ctx context.Context, watch *monitor.Monitor, log *slog.Logger) (stop func(), err error) {
	if p.addr == "" {
		return func() {}, nil
	}
	l, err := probe.Listen(ctx, p.addr)
	if errors.Is(err, probe.ErrTaken) {
		err = errors.New("another program listens there, perhaps another missingkbs; choose another port, or leave it empty to serve nothing")
	}
	if err != nil {
		err = fmt.Errorf("HTTP_ADDR cannot be served: %s: %w", p.addr, err)
		if errors.Is(err, fs.ErrPermission) {
			err = usageError{err} // all else may pass: a program ends, an address of this machine comes up
		}
		return nil, err
	}
	log.Info("serving probes and metrics", "address", l.Addr().String(), "profiles", p.profiles)
	serving, end := context.WithCancel(context.WithoutCancel(ctx))
	host, _, _ := net.SplitHostPort(p.addr) // read before
	var served sync.WaitGroup
	served.Go(func() {
		err := probe.Serve(serving, l, probe.Options{
			Alive: watch.Alive, Parts: &watch.Parts, Metrics: watch.Metrics.Handler(log), Profiles: p.profiles, Host: host, Log: log,
		})
		if err != nil {
			log.Error("probes and metrics are no longer served", "error", err)
		}
	})
	return func() { end(); served.Wait() }, nil
}
