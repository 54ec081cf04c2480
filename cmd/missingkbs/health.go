package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/httpclient"
)

// healthTimeout is how long a running process may take to say how it is: less than the timeout of usual health checks.
const healthTimeout = 4 * time.Second

// maxHealthAnswer is far more than a process says of itself.
const maxHealthAnswer = 64 << 10

// healthCmd asks a process that runs on this machine how it is. A container without a shell can check itself with it.
type healthCmd struct {
	Server config.AdminServer `embed:""`
	Ready  bool               `help:"Check whether it is ready to answer questions (/readyz), not only whether it is alive (/healthz)."`
}

// Run prints what the process says. A process that is not well or does not answer is an error.
func (c healthCmd) Run(ctx context.Context, s streams) error {
	var errs config.Errors
	at := c.Server.Read(&errs)
	if err := errs.Err(); err != nil {
		return err
	}
	if at.Addr == "" {
		return config.UsageError{Err: errors.New("HTTP_ADDR is empty: the process serves no health check that could be asked")}
	}
	path := "/healthz"
	if c.Ready {
		path = "/readyz"
	}
	status, said, err := askHealth(ctx, "http://"+reachable(at.Addr)+path)
	if err != nil {
		return fmt.Errorf("no answer from %s at %s: %w; is `missingkbs serve` running here, with the same HTTP_ADDR?", path, at.Addr, err)
	}
	if status != http.StatusOK {
		return fmt.Errorf("%s answers with status %d: %s", path, status, said)
	}
	_, err = fmt.Fprintln(s.out, said)
	return err
}

// askHealth asks a health address of this machine once.
func askHealth(ctx context.Context, address string) (status int, said string, err error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	// A proxy of the environment is left out: the address is one of this machine.
	client := httpclient.NoRedirects(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}})
	res, err := client.Do(req)
	if err != nil {
		return 0, "", httpclient.WithoutURL(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxHealthAnswer))
	return res.StatusCode, strings.TrimSpace(string(body)), err
}

// reachable turns an address to listen at into one to connect to: all addresses of a machine include loopback.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	switch ip := net.ParseIP(host); {
	case host == "", ip != nil && ip.IsUnspecified() && ip.To4() != nil:
		host = "127.0.0.1"
	case ip != nil && ip.IsUnspecified():
		host = "::1"
	}
	return net.JoinHostPort(host, port)
}
