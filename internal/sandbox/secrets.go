package sandbox

import (
	"slices"
	"sync"
)

// maxIssued bounds how many secrets are remembered, so that a workspace which runs for days does not grow.
const maxIssued = 20_000

// issued remembers the secrets that the workspace has given out.
type issued struct {
	mu   sync.Mutex
	list []string
}

// add remembers a secret and returns it.
func (i *issued) add(secret string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.list) == maxIssued {
		i.list = slices.Delete(i.list, 0, maxIssued/2)
	}
	i.list = append(i.list, secret)
	return secret
}

// Secrets returns what must stay secret of what the app was given: its tokens, and
// the newest trigger ids, response URLs (their paths) and socket tickets.
func (w *Workspace) Secrets() []string {
	all := []string{w.appToken, w.botToken, w.configToken, w.verification}
	w.tokens.mu.Lock()
	for token := range w.tokens.more {
		all = append(all, token)
	}
	w.tokens.mu.Unlock()
	w.issued.mu.Lock()
	defer w.issued.mu.Unlock()
	return append(all, w.issued.list...)
}
