package slacktest

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// pipes is an in-memory network. It follows the clock of a synctest bubble.
type pipes struct {
	conns chan net.Conn
	gone  chan struct{}
	once  sync.Once
	pumps sync.WaitGroup
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.gone:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.gone) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{} }

// Dial connects two buffered ends, one for each side.
func (p *pipes) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	a, b := net.Pipe()
	ours, theirs := p.buffer(a), p.buffer(b)
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.gone:
		_ = ours.Close()
		_ = theirs.Close()
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		_ = ours.Close()
		_ = theirs.Close()
		return nil, ctx.Err()
	}
}

// buffered is one end of a pipe that accepts writes before the other end reads, as TCP does.
type buffered struct {
	net.Conn
	mu     sync.Mutex
	out    [][]byte
	closed bool
	more   chan struct{}
}

func (p *pipes) buffer(c net.Conn) *buffered {
	b := &buffered{Conn: c, more: make(chan struct{}, 1)}
	p.pumps.Go(b.pump)
	return b
}

func (b *buffered) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, net.ErrClosed
	}
	b.out = append(b.out, append([]byte(nil), p...))
	b.wakeLocked()
	return len(p), nil
}

func (b *buffered) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.wakeLocked()
	_ = b.Conn.SetWriteDeadline(time.Now().Add(time.Second)) // for what the other end has not read yet
	return b.Conn.SetReadDeadline(time.Now())
}

func (b *buffered) wakeLocked() {
	select {
	case b.more <- struct{}{}:
	default:
	}
}

// pump writes what is buffered, and closes the pipe after it.
func (b *buffered) pump() {
	defer b.Conn.Close()
	for range b.more {
		b.mu.Lock()
		out, closed := b.out, b.closed
		b.out = nil
		b.mu.Unlock()
		for _, p := range out {
			if _, err := b.Conn.Write(p); err != nil {
				_ = b.Close()
				return
			}
		}
		if closed {
			return
		}
	}
}

func (b *buffered) SetReadDeadline(t time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return net.ErrClosed
	}
	return b.Conn.SetReadDeadline(t)
}

func (b *buffered) SetDeadline(t time.Time) error { return b.SetReadDeadline(t) }

func (b *buffered) SetWriteDeadline(time.Time) error { return nil }
