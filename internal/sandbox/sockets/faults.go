package sockets

// DisconnectOne asks the oldest connection that was not asked yet to end, for one of
// Slack's reasons. It returns false if there is none.
func (s *Server) DisconnectOne(reason string) bool {
	for _, c := range s.Open() {
		if !c.warned.Load() {
			c.disconnect(reason)
			return true
		}
	}
	return false
}

// DisconnectAll asks all connections to end, for one of Slack's reasons.
func (s *Server) DisconnectAll(reason string) {
	for _, c := range s.Open() {
		c.disconnect(reason)
	}
}

// DropOne cuts the oldest connection after what is queued on it. It returns false if
// there is none.
func (s *Server) DropOne() bool {
	open := s.Open()
	if len(open) == 0 {
		return false
	}
	c := open[0]
	s.remove(c)
	select {
	case c.out <- frame{cut: true}:
	default:
		c.end()
	}
	return true
}

// Stall makes all connections go dead without closing them.
func (s *Server) Stall() {
	for _, c := range s.Open() {
		c.stalled.Store(true)
	}
}

// StallOne makes the oldest connection that is not stalled go dead. It returns false if
// there is none.
func (s *Server) StallOne() bool {
	for _, c := range s.Open() {
		if !c.stalled.Swap(true) {
			return true
		}
	}
	return false
}

// DropStalled cuts the connections that went dead.
func (s *Server) DropStalled() {
	for _, c := range s.Open() {
		if c.stalled.Load() {
			c.end()
		}
	}
}

// Babble sends any text on the oldest connection. It returns false if none takes it.
func (s *Server) Babble(message string) bool {
	open := s.Open()
	return len(open) > 0 && open[0].queue("babble", frame{body: []byte(message)})
}
