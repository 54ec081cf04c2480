package api

import (
	"context"
	"net/http"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// Credential is a credential that can be replaced while a [Client] uses it, as
// when a secret is rotated. Tokens that were handed out serve until they expire
// or are refused, so nothing fails in between; the next one is asked for with the
// new credential. It is safe for concurrent use.
type Credential struct {
	refused func(context.Context)

	mu       sync.Mutex
	now      azcore.TokenCredential
	replaced int // how often it was
	used     int // the count when the last token was handed out
}

// HoldCredential returns a credential that can be replaced. When Entra refuses it,
// refused is called before any caller gets the error; if it replaces the credential,
// the new one is tried. It may be called by several calls at once, and may be nil.
func HoldCredential(cred azcore.TokenCredential, refused func(context.Context)) *Credential {
	return &Credential{now: cred, refused: refused}
}

// Replace replaces the credential in use.
func (c *Credential) Replace(cred azcore.TokenCredential) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = cred
	c.replaced++
}

// GetToken implements [azcore.TokenCredential].
func (c *Credential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	tok, count, err := c.ask(ctx, o)
	if err == nil || c.refused == nil || ctx.Err() != nil || !refusedByEntra(err) {
		return tok, err
	}
	c.refused(ctx)
	if !c.newerThan(count) {
		return tok, err
	}
	tok, _, err = c.ask(ctx, o)
	return tok, err
}

// ask asks the present credential, and says which one that was.
func (c *Credential) ask(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, int, error) {
	c.mu.Lock()
	cred, count := c.now, c.replaced
	c.mu.Unlock()
	tok, err := cred.GetToken(ctx, o)
	if err == nil {
		c.mu.Lock()
		c.used = max(c.used, count)
		c.mu.Unlock()
	}
	return tok, count, err
}

// newerThan reports whether the credential was replaced since it had that count.
func (c *Credential) newerThan(count int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.replaced > count
}

// lastUsed is the count of the credential that the last token is from.
func (c *Credential) lastUsed() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used
}

// drop implements [dropper].
func (c *Credential) drop() {
	c.mu.Lock()
	cred, _ := c.now.(dropper)
	c.mu.Unlock()
	if cred != nil {
		cred.drop()
	}
}

// refusedByEntra tells a refusal of who we say we are from an outage, and from a
// permission that is missing: another secret would mend neither.
func refusedByEntra(err error) bool {
	e := signInFailed(err)
	return e.Is(ErrCredential) && e.Status >= http.StatusBadRequest && e.Status < http.StatusInternalServerError
}

// secondToken is the policy that makes a call again, once, when Defender refuses a
// token of a credential that has been replaced meanwhile. It stands in front of the
// policy that gets tokens.
type secondToken struct{ cred azcore.TokenCredential }

// Do implements [policy.Policy].
func (p secondToken) Do(req *policy.Request) (*http.Response, error) {
	cred, ok := p.cred.(*Credential)
	if !ok {
		return req.Next()
	}
	count := cred.lastUsed()
	resp, err := req.Next()
	if err != nil || resp.StatusCode != http.StatusUnauthorized || !cred.newerThan(count) {
		return resp, err
	}
	if req.RewindBody() != nil {
		return resp, nil // the refusal is the answer
	}
	runtime.Drain(resp)
	return req.Next()
}
