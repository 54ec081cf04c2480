package bot

import (
	"fmt"
	"runtime/debug"

	"github.com/missingkbs/missingkbs/commands"
)

// crashed is the error of a crash, with the stack. It is to be called where that was recovered.
func crashed(crash any) error {
	return fmt.Errorf("%w: %v\n%s", commands.ErrPanic, crash, debug.Stack())
}

// guarded does something, and returns its crash.
func guarded(do func()) (err error) {
	defer func() {
		if crash := recover(); crash != nil {
			err = crashed(crash)
		}
	}()
	do()
	return nil
}
