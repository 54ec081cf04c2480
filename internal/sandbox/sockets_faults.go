package sandbox

// disconnectOne asks the oldest connection that was not asked yet to end, for one of
// Slack's reasons. It returns false if there is none.
func (s *sockets) disconnectOne(reason string) bool {
	for _, c := range s.open() {
		if !c.warned.Load() {
			c.disconnect(reason)
			return true
		}
	}
	return false
}

// disconnectAll asks all connections to end, for one of Slack's reasons.
func (s *sockets) disconnectAll(reason string) {
	for _, c := range s.open() {
		c.disconnect(reason)
	}
}

// dropOne cuts the oldest connection after what is queued on it. It returns false if
// there is none.
func (s *sockets) dropOne() bool {
	open := s.open()
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

// stall makes all connections go dead without closing them.
func (s *sockets) stall() {
	for _, c := range s.open() {
		c.stalled.Store(true)
	}
}

// stallOne makes the oldest connection that is not stalled go dead. It returns false if
// there is none.
func (s *sockets) stallOne() bool {
	for _, c := range s.open() {
		if !c.stalled.Swap(true) {
			return true
		}
	}
	return false
}

// dropStalled cuts the connections that went dead.
func (s *sockets) dropStalled() {
	for _, c := range s.open() {
		if c.stalled.Load() {
			c.end()
		}
	}
}

// babble sends any text on the oldest connection. It returns false if none takes it.
func (s *sockets) babble(message string) bool {
	open := s.open()
	return len(open) > 0 && open[0].queue("babble", frame{body: []byte(message)})
}
