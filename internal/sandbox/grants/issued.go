package grants

import (
	"slices"
	"sync"
)

// maxIssued bounds how many secrets are remembered, so that the memory of a workspace that runs for days does not grow.
const maxIssued = 20_000

// Issued remembers the secrets that the workspace has given out.
type Issued struct {
	mu   sync.Mutex
	list []string
}

// Add remembers a secret and returns it.
func (i *Issued) Add(secret string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.list) == maxIssued {
		i.list = slices.Delete(i.list, 0, maxIssued/2)
	}
	i.list = append(i.list, secret)
	return secret
}

// All returns the secrets that are remembered, the newest last.
func (i *Issued) All() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.list)
}
