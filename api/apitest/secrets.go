package apitest

import (
	"slices"
	"sync"
)

// maxSeen bounds how many secrets are remembered.
const maxSeen = 20_000

// seen remembers the secrets that Entra gave out or was shown.
type seen struct {
	mu   sync.Mutex
	list []string
}

// add remembers a secret and returns it.
func (s *seen) add(secret string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if secret == "" || slices.Contains(s.list, secret) {
		return secret
	}
	if len(s.list) == maxSeen {
		s.list = slices.Delete(s.list, 0, maxSeen/2)
	}
	s.list = append(s.list, secret)
	return secret
}

// Secrets returns what must not be shown anywhere: the tokens that were given out, and the
// client secrets and assertions, right or wrong, that were shown, oldest first.
func (t *Tenant) Secrets() []string {
	t.app.seen.mu.Lock()
	defer t.app.seen.mu.Unlock()
	return slices.Clone(t.app.seen.list)
}
