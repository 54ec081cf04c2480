package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"
)

// adminServer checks the address of health checks and metrics. It is free, or a running bot serves there and says whether it
// is ready.
func (c *Checker) adminServer(ctx context.Context) []Finding {
	switch {
	case c.hasError("HTTP_ADDR"):
		return skip("HTTP_ADDR is wrong")
	case c.values.Admin.Addr == "":
		return pass("HTTP_ADDR is empty: probes and metrics are switched off")
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", c.values.Admin.Addr)
	if err == nil {
		_ = l.Close()
		return pass(c.values.Admin.Addr + " is free; no bot serves probes there now")
	}
	ready, reasons, answer := askReady(ctx, c.adminURL()+"/readyz")
	switch {
	case answer != nil && errors.Is(err, syscall.EADDRINUSE):
		return fail(c.values.Admin.Addr+" is used by another program", "choose another port in HTTP_ADDR, or leave it empty to switch probes and metrics off")
	case answer != nil:
		return fail(c.values.Admin.Addr+" cannot be served: "+listenReason(err), "HTTP_ADDR takes an address of this machine and a port that is allowed, such as 127.0.0.1:8080")
	case !ready:
		return warn("the bot at "+c.values.Admin.Addr+" is not ready: "+reasons, "see its log; the other findings here may say why")
	}
	return pass("a bot runs at " + c.values.Admin.Addr + " and is ready")
}

// adminURL is where a bot on this machine serves health checks and metrics.
func (c *Checker) adminURL() string {
	host, port, _ := net.SplitHostPort(c.values.Admin.Addr)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// maxMetrics bounds the figures of a bot.
const maxMetrics = 4 << 20

// Metrics returns the figures of the bot that runs on this machine, nil if there is none.
func (c *Checker) Metrics(ctx context.Context) []byte {
	if c.values.Admin.Addr == "" || c.hasError("HTTP_ADDR") {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.adminURL()+"/metrics", http.NoBody)
	if err != nil {
		return nil
	}
	resp, err := newHTTPClient().Do(r)
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxMetrics))
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil
	}
	return body
}

func listenReason(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err.Error()
	}
	return err.Error()
}

// askReady asks a running bot whether it is ready. An error means that no bot answers there.
func askReady(ctx context.Context, address string) (ready bool, reasons string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return false, "", err
	}
	resp, err := newHTTPClient().Do(r)
	if err != nil {
		return false, "", err
	}
	defer resp.Body.Close()
	var body struct {
		Ready *bool `json:"ready"`
		Parts map[string]struct {
			Ready  bool   `json:"ready"`
			Reason string `json:"reason"`
		} `json:"parts"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxBody)).Decode(&body); err != nil || body.Ready == nil {
		return false, "", errors.New("no answer of ours")
	}
	var why []string
	for name, part := range body.Parts {
		if !part.Ready {
			why = append(why, name+": "+part.Reason)
		}
	}
	slices.Sort(why)
	return *body.Ready, strings.Join(why, "; "), nil
}
