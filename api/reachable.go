package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/missingkbs/missingkbs/internal/httpclient"
)

// dropper is a credential that can drop the tokens it keeps.
type dropper interface{ drop() }

// reachable distinguishes a login host that cannot be reached from one that refuses: azidentity reports both as
// "authentication failed" and keeps no cause. The transport leaves its last error in the context of the token request.
type reachable struct {
	azcore.TokenCredential
	time time.Duration // limit for getting a token; 0 for a person: no limit
	kind string        // "" for a person
	file string        // of the federated token
}

// drop drops the tokens, if the credential supports it.
func (r reachable) drop() {
	if cred, ok := r.TokenCredential.(*renewable); ok {
		_ = cred.renew() // on failure the old credential stays, and reports its own error
	}
}

type tripKey struct{}

// GetToken implements [azcore.TokenCredential].
func (r reachable) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	var trip error
	limited := context.WithValue(ctx, tripKey{}, &trip)
	if r.time > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(limited, r.time)
		defer cancel()
	}
	tok, err := r.TokenCredential.GetToken(limited, o)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return tok, r.unavailable(fmt.Sprintf("the login host did not answer within %s", r.time), nil)
	}
	if err != nil && trip != nil && ctx.Err() == nil {
		return tok, r.unavailable("the login host cannot be reached", httpclient.WithoutURL(trip))
	}
	if err != nil {
		return tok, &credentialError{r.kind, r.file, err}
	}
	return tok, nil
}

// unavailable returns the failure of a login host, or of the host of managed identities.
func (r reachable) unavailable(message string, cause error) *Error {
	e := &Error{Kind: ErrUnavailable, Message: message, Err: cause}
	if r.kind == kindManaged {
		e.Fault = IdentityAway
	}
	return e
}

// tripRecorder notes in the context how the last round trip ended.
type tripRecorder struct{ policy.Transporter }

// Do implements [policy.Transporter].
func (t tripRecorder) Do(req *http.Request) (*http.Response, error) {
	resp, err := t.Transporter.Do(req)
	if trip, ok := req.Context().Value(tripKey{}).(*error); ok {
		*trip = err
	}
	return resp, err
}
