package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/demo"
)

// sandboxCmd runs everything on this machine: a Defender tenant, a Slack workspace with a page, and the bot between
// them, which is the one that serve runs.
type sandboxCmd struct {
	Addr     string     `default:"127.0.0.1:7070" help:"Address of the page, on this machine only (${default})."`
	Open     bool       `help:"Open the page in a browser."`
	Headless string     `placeholder:"WORDS" help:"Ask one question as if typed after /missingkbs, print the answer, and exit."`
	Services string     `placeholder:"FOLDER" help:"Run only the simulated services, without the bot, and write the settings for using them with serve, ask and doctor to FOLDER."`
	Fault    []string   `placeholder:"NAME" sep:"," help:"Start with a fault switched on, such as defender_failing; an unknown name lists them all."`
	Log      config.Log `embed:"" group:"Log"`

	Deadline config.Deadlines `embed:"" group:"Digests"`
}

// Run starts the sandbox and keeps it running until the process is told to stop.
func (c sandboxCmd) Run(ctx context.Context, s streams) error {
	var m config.Errors
	c.Log.Level = cmp.Or(c.Log.Level, "warn") // what people want to see here is on the page
	log := c.Log.Logger(&m, s.err)
	c.Deadline.SLA = cmp.Or(c.Deadline.SLA, deadline.Example) // so that some updates are overdue
	deadlines := c.Deadline.Read(&m)
	c.checkAddr(&m)
	if err := m.Err(); err != nil {
		return err
	}
	if c.Services != "" && c.Headless != "" {
		return config.UsageError{Err: errors.New("--headless needs the bot, which --services leaves out")}
	}
	addr := c.Addr
	if c.Headless != "" {
		addr = "127.0.0.1:0"
	}
	o := demo.Options{Addr: addr, Faults: c.Fault, Deadlines: deadlines, Log: log}
	if c.Services != "" {
		o.Clock = time.Now
	}
	d, err := demo.Start(ctx, o)
	if err != nil {
		return err
	}
	defer d.Close()
	if c.Services != "" {
		return c.serveOnly(ctx, d, s)
	}

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var g errgroup.Group
	g.Go(func() error {
		defer stop()
		return d.Run(ctx)
	})
	g.Go(func() error {
		if c.Headless != "" {
			defer stop()
		}
		return c.attend(ctx, d, s)
	})
	return g.Wait()
}

// checkAddr checks the form of --addr.
func (c sandboxCmd) checkAddr(errs *config.Errors) {
	host, port, err := net.SplitHostPort(c.Addr)
	_, notPort := strconv.ParseUint(port, 10, 16)
	if ip := net.ParseIP(host); err != nil || notPort != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		errs.Add("--addr", "takes an address of this machine and a port, such as 127.0.0.1:7070, or 127.0.0.1:0 for a free port; the sandbox listens nowhere else")
	}
}

// serveOnly keeps the workspace and the tenant running for a bot of the person's own.
func (c sandboxCmd) serveOnly(ctx context.Context, d *demo.Demo, s streams) error {
	path, err := d.WriteSettings(c.Services)
	if err != nil {
		return config.UsageError{Err: fmt.Errorf("--services: %w; name a folder that you may write", err)}
	}
	fmt.Fprintf(s.out, `Slack's page is at %s, with invented data, on this machine only. No bot runs there yet. In another terminal:

  set -a; . %s; set +a
  missingkbs doctor
  missingkbs serve

Ctrl-C ends it.
`, d.URL(), shellWord(path))
	if c.Open {
		openBrowser(ctx, d.URL(), s.err)
	}
	<-ctx.Done()
	return nil
}

// shellWord quotes a path as a POSIX shell reads it.
func shellWord(path string) string {
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// attend asks the question of --headless, or says where the page is.
func (c sandboxCmd) attend(ctx context.Context, d *demo.Demo, s streams) error {
	if c.Headless != "" {
		answer, err := d.Ask(ctx, c.Headless)
		if ctx.Err() != nil {
			return nil // the app says why
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(s.out, answer)
		return err
	}
	if err := d.WaitConnected(ctx); err != nil {
		return nil // the bot says why
	}
	greet(s.out, d.URL())
	if c.Open {
		openBrowser(ctx, d.URL(), s.err)
	}
	return nil
}

// greet says where the page is and what to try.
func greet(w io.Writer, url string) {
	fmt.Fprintf(w, `The sandbox is at %s

It simulates Slack and Defender for the bot, with invented data, on this machine only. It is not meant for production.
Open it and try, in #general:

  /missingkbs microsoft-_-windows_11                 the missing KBs of one software product
  /missingkbs windows 10                             finds software by name, typos included
  /missingkbs digest add microsoft-_-windows_11      then +1 week, twice: Under the hood > Time & faults

Ctrl-C ends it.
`, url)
}

// openBrowser opens a page with what the system has for that. Failing is no harm: the address was printed.
func openBrowser(ctx context.Context, url string, w io.Writer) {
	name, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	if err := exec.CommandContext(ctx, name, args...).Start(); err != nil {
		fmt.Fprintln(w, "could not open a browser:", err)
	}
}
