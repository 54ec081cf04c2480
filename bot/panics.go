package bot

import (
	"fmt"
	"runtime/debug"

	"github.com/missingkbs/missingkbs/commands"
)

// guarded calls do, and returns a panic of its as an error.
func guarded(do func()) (err error) {
	defer func() {
		if recovered := recover(); recovered != nil {
			err = panicError(recovered)
		}
	}()
	do()
	return nil
}

// panicError is the error of a panic, with its stack. The deferred function that recovered the panic calls it.
func panicError(recovered any) error {
	return fmt.Errorf("%w: %v\n%s", commands.ErrPanic, recovered, debug.Stack())
}
