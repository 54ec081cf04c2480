package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// hangUps says what SIGHUP means to serve, from the start on: where nobody listens, it ends the process. To a daemon it
// means that its settings are to be read again, and told gets it. On a terminal it means that the terminal was closed:
// a bot that nobody sees any more, but that Slack gives questions to, is nothing anybody wanted, so ctx ends and the
// program stops as by SIGTERM. Whoever wants it to go on starts it by nohup or a service manager, which give it no
// terminal.
func hangUps(ctx context.Context, terminal bool) (until context.Context, told <-chan os.Signal, stop func()) {
	if terminal {
		until, stop = signal.NotifyContext(ctx, syscall.SIGHUP)
		return until, nil, stop
	}
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return ctx, c, func() { signal.Stop(c) }
}
