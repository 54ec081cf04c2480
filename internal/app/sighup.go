package app

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// NotifySIGHUP handles SIGHUP from now on. Without a handler the signal ends the process.
//
// For a service it means a reload: the signal is sent to reload. On a terminal it means that the terminal was closed. A
// bot without a terminal would keep answering although its user believes it has ended, so until ends, and the program
// stops as after SIGTERM. A user who wants it to continue starts it with nohup or a service manager, which give it no
// terminal.
func NotifySIGHUP(ctx context.Context, terminal bool) (until context.Context, reload <-chan os.Signal, stop func()) {
	if terminal {
		until, stop = signal.NotifyContext(ctx, syscall.SIGHUP)
		return until, nil, stop
	}
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return ctx, c, func() { signal.Stop(c) }
}
