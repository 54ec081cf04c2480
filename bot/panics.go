package bot

import (
	"fmt"
	"runtime/debug"

	"github.com/missingkbs/missingkbs/commands"
)

// guarded calls do and returns a panic as an error.
func guarded(do func()) (err error) {
	defer func() {
		if recovered := recover(); recovered != nil {
			err = panicError(recovered)
		}
	}()
	do()
	return nil
}

// panicError returns the error for a recovered panic, with its stack. Call it in the deferred function that recovers.
func panicError(recovered any) error {
	return fmt.Errorf("%w: %v\n%s", commands.ErrPanic, recovered, debug.Stack())
}
