package app

import (
	"context"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/missingkbs/missingkbs/internal/filepages"
)

// cleanups is a stack of functions that close what was opened. The zero value is empty.
type cleanups []func()

// add puts a function on the stack.
func (c *cleanups) add(f func()) { *c = append(*c, f) }

// run calls the functions, last one first.
func (c *cleanups) run() {
	for _, f := range slices.Backward(*c) {
		f()
	}
	*c = nil
}

// background runs functions in goroutines. stop cancels their context and waits for them.
func background(list ...func(ctx context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range list {
		running.Go(func() { run(ctx) })
	}
	return func() { cancel(); running.Wait() }
}

// releaseStartupMemory frees about 20 MiB that the libraries for migrations keep pooled until the second collection.
// Otherwise the first collection happens at twice that heap. It also releases the pages of the program's file that only
// the start has used, about 8 MiB.
func releaseStartupMemory() {
	runtime.GC()
	debug.FreeOSMemory()
	_ = filepages.Drop() // only saves memory
}
