package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"go.uber.org/goleak"
)

// soakProcess makes the test binary be the program, and afterwards look for goroutines that the program has left behind.
const soakProcess = "MISSINGKBS_TEST_SOAK"

// exitLeaked is the exit code of a program that has ended well, but for goroutines that still run.
const exitLeaked = 9

// runSoaked is [main] with that look behind it. It returns the exit code.
func runSoaked() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	before := goleak.IgnoreCurrent()
	code := run(ctx, os.Args[1:], os.LookupEnv, streams{out: os.Stdout, err: os.Stderr})
	// Connections that clients keep for the next call end with the process; nobody leaks them.
	left := goleak.Find(before,
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreAnyFunction("net/http.(*http2ClientConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http/internal/http2.(*ClientConn).readLoop"),
	)
	if left != nil && code == exitDone {
		fmt.Fprintln(os.Stderr, "goroutines are left behind:", left)
		return exitLeaked
	}
	return code
}
