package sockets

import (
	"bufio"
	"encoding/binary"
	"net"
	"net/http"
)

// scanner follows the frames of a client's byte stream (RFC 6455, section 5.2).
// The WebSocket library joins fragments without telling; Slack does not join them,
// so the sandbox has to know. It is used by the reading goroutine only.
type scanner struct {
	header []byte // of the frame that is coming in
	skip   uint64 // bytes of payload still to come
	open   bool   // inside a message of several frames
	done   []bool // for each whole message: was it fragmented
}

// fragmented returns true if the next message came in several frames.
func (s *scanner) fragmented() bool {
	if len(s.done) == 0 {
		return false
	}
	first := s.done[0]
	s.done = s.done[1:]
	return first
}

func (s *scanner) scan(p []byte) {
	for len(p) > 0 {
		if s.skip > 0 {
			n := min(s.skip, uint64(len(p)))
			s.skip -= n
			p = p[n:]
			continue
		}
		s.header = append(s.header, p[0])
		p = p[1:]
		if length, whole := frameLength(s.header); whole {
			s.frame(s.header[0])
			s.header, s.skip = s.header[:0], length
		}
	}
}

// frame notes one frame by its first byte.
func (s *scanner) frame(first byte) {
	final, opcode := first&0x80 != 0, first&0x0f
	switch {
	case opcode >= 8: // control frames may stand between fragments
	case !final:
		s.open = true
	default:
		s.done = append(s.done, s.open)
		s.open = false
	}
}

// frameLength reads the payload length once the header is whole.
func frameLength(h []byte) (length uint64, whole bool) {
	if len(h) < 2 {
		return 0, false
	}
	size, length := 2, uint64(h[1]&0x7f)
	switch length {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if h[1]&0x80 != 0 {
		size += 4 // the mask
	}
	if len(h) < size {
		return 0, false
	}
	switch length {
	case 126:
		length = uint64(binary.BigEndian.Uint16(h[2:]))
	case 127:
		length = binary.BigEndian.Uint64(h[2:])
	}
	return length, true
}

// scanned is a response writer whose hijacked connection passes the scanner.
type scanned struct {
	http.ResponseWriter
	frames *scanner
}

// Hijack implements [http.Hijacker].
func (s scanned) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(s.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	return scannedConn{conn, s.frames}, buffered, nil
}

type scannedConn struct {
	net.Conn
	frames *scanner
}

// Read implements [net.Conn].
func (c scannedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.frames.scan(p[:n])
	return n, err
}
