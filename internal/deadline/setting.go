package deadline

import "sync/atomic"

// Setting holds a policy that may change while the program runs. It is safe for concurrent use. The zero value and nil are off.
type Setting struct{ policy atomic.Pointer[Policy] }

// Set changes the policy.
func (s *Setting) Set(p Policy) { s.policy.Store(&p) }

// Policy returns the policy as it is now.
func (s *Setting) Policy() Policy {
	if s == nil {
		return Policy{}
	}
	if p := s.policy.Load(); p != nil {
		return *p
	}
	return Policy{}
}
