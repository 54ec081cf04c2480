//go:build unix

package pgtest

import (
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Wire is what lies between a program and the server: a test can cut it or have it hang, for one database alone.
type Wire struct {
	URL    string // of the database, by way of the wire
	server string

	mu      sync.Mutex
	cond    sync.Cond
	cut     bool
	hanging bool
	ends    map[net.Conn]bool
}

// NewWire lays a wire to a database of [Database]. It is there until the test ends.
func NewWire(tb testing.TB, databaseURL string) *Wire {
	tb.Helper()
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		tb.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "wire") //nolint:usetesting // a path that is short enough for a socket
	if err != nil {
		tb.Fatal(err)
	}
	const socket = ".s.PGSQL.5432"
	w := &Wire{URL: url(folder, config.Database), server: filepath.Join(config.Host, socket), ends: map[net.Conn]bool{}}
	w.cond.L = &w.mu
	listener, err := (&net.ListenConfig{}).Listen(tb.Context(), "unix", filepath.Join(folder, socket))
	if err != nil {
		tb.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			end, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { w.serve(end) })
		}
	})
	tb.Cleanup(func() {
		_ = listener.Close()
		w.Cut()
		serving.Wait()
		_ = os.RemoveAll(folder)
	})
	return w
}

// Cut ends all connections, and all that are made until [Wire.Mend].
func (w *Wire) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut, w.hanging = true, false
	w.cond.Broadcast()
	for end := range w.ends {
		_ = end.Close()
	}
}

// Hang lets nothing through until [Wire.Mend], without a word.
func (w *Wire) Hang() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hanging = true
}

// Mend has the wire work again; what hung arrives.
func (w *Wire) Mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut, w.hanging = false, false
	w.cond.Broadcast()
}

func (w *Wire) serve(client net.Conn) {
	defer w.hold(client)()
	server, err := net.Dial("unix", w.server) //nolint:noctx // for tests
	if err != nil {
		return
	}
	defer w.hold(server)()
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		go func() { w.carry(way[0], way[1]); done <- struct{}{} }()
	}
	<-done
	_, _ = client.Close(), server.Close()
	<-done
}

// hold keeps a connection where it can be cut.
func (w *Wire) hold(end net.Conn) (drop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ends[end] = true
	if w.cut {
		_ = end.Close()
	}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.ends, end)
		_ = end.Close()
	}
}

func (w *Wire) carry(from, to net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		w.mu.Lock()
		for w.hanging {
			w.cond.Wait()
		}
		w.mu.Unlock()
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
