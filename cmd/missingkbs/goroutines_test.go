package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// leakCheck makes the test binary be the program, and afterwards look for goroutines that the program has left behind. The
// soak test of internal/e2e runs it so.
const leakCheck = "MISSINGKBS_TEST_LEAKS"

// exitLeaked is the exit code of a program that has ended well, but for goroutines that still run.
const exitLeaked = 9

func TestMain(m *testing.M) {
	if os.Getenv(leakCheck) != "" {
		os.Exit(runLeakChecked())
	}
	os.Exit(m.Run())
}

// runLeakChecked is [main] with that check behind it. It returns the exit code.
func runLeakChecked() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	before := goleak.IgnoreCurrent()
	code := run(ctx, os.Args[1:], os.LookupEnv, streams{out: os.Stdout, err: os.Stderr})
	// Connections that clients keep for the next call end with the process; they are no leak.
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
