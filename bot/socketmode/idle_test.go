package socketmode

import (
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// A read fails when no byte came for the time of silence, counted from the last byte and not from the first.
func TestSilenceCountsFromTheLastByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const silence = 33 * time.Second
		near, far := net.Pipe()
		defer far.Close()
		c := &idleTimeoutConn{Conn: near, silence: silence}
		defer c.Close()
		c.enforced.Store(true)
		go func() {
			for range 20 {
				time.Sleep(10 * time.Second)
				_, _ = far.Write([]byte("x"))
			}
		}()
		began := time.Now()
		var err error
		read := 0
		for err == nil {
			var n int
			n, err = c.Read(make([]byte, 1))
			read += n
		}
		if took := time.Since(began); read != 20 || !errors.Is(err, os.ErrDeadlineExceeded) || took != 200*time.Second+silence {
			t.Errorf("read %d bytes, and failed after %v with %v", read, took, err)
		}
	})
}
