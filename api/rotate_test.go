package api_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
)

const nextSecret = "apitest~the-next-secret"

// rotation is a tenant and a client whose credential can be replaced.
type rotation struct {
	*apitest.Server
	cred   *api.Credential
	client *api.Client
}

func newRotation(t *testing.T, refused func(context.Context)) *rotation {
	t.Helper()
	server, err := apitest.Start(apitest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	r := &rotation{Server: server}
	r.cred = api.HoldCredential(r.secret(t, apitest.ClientSecret), refused)
	r.client, err = api.NewClient(r.cred, &api.Options{
		Cloud: api.Cloud{Endpoint: server.URL, Scope: server.Scope()}, Transport: server.Client(), PerMinute: -1, PerHour: -1, CacheTTL: -1,
		Retry: policy.RetryOptions{MaxRetries: -1},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.client.Close)
	return r
}

// secret is the credential of a client secret.
func (r *rotation) secret(t *testing.T, text string) azcore.TokenCredential {
	t.Helper()
	cred, _, err := api.NewCredential(api.CredentialOptions{
		TenantID: apitest.TenantID, ClientID: apitest.ClientID, ClientSecret: text, Authority: r.URL, Transport: r.Client(), Retry: policy.RetryOptions{MaxRetries: -1},
	})
	if err != nil {
		t.Fatal(err)
	}
	return cred
}

func (r *rotation) ask(t *testing.T) error {
	t.Helper()
	_, err := r.client.MissingKBs(t.Context(), "microsoft-_-edge")
	return err
}

// While the old token lives nothing changes for those who ask; the next token is asked for with the new secret.
func TestRotatedSecret(t *testing.T) {
	t.Parallel()
	r := newRotation(t, nil)
	if err := r.ask(t); err != nil {
		t.Fatal(err)
	}
	r.SetSecret(nextSecret) // the old one is gone in Entra
	if err := r.ask(t); err != nil {
		t.Errorf("between the two secrets: %v", err)
	}
	r.cred.Replace(r.secret(t, nextSecret))
	for range 3 {
		if err := r.ask(t); err != nil {
			t.Errorf("after the rotation: %v", err)
		}
	}
	if n := r.TokenCalls(); n != 1 {
		t.Errorf("%d tokens were asked for while the first one was good, want 1", n)
	}
	r.RevokeTokens()
	if err := r.ask(t); err != nil {
		t.Errorf("the token is refused, another secret is there: %v", err)
	}
	if n := r.TokenCalls(); n != 2 {
		t.Errorf("%d tokens were asked for, want 2", n)
	}
	// The new credential has been used: a refusal is a refusal, and not asked about twice.
	r.RevokeTokens()
	before := r.Count("/api/Software")
	if err := r.ask(t); !errors.Is(err, api.ErrCredential) {
		t.Errorf("got %v, want ErrCredential", err)
	}
	if n := r.Count("/api/Software") - before; n != 1 {
		t.Errorf("%d calls of Defender, want 1", n)
	}
}

// Questions that run while a secret is rotated and the tokens of the old one are revoked all get their answers.
func TestRotationUnderWay(t *testing.T) {
	t.Parallel()
	r := newRotation(t, nil)
	if err := r.ask(t); err != nil {
		t.Fatal(err)
	}
	r.cred.Replace(r.secret(t, nextSecret))
	r.SetSecret(nextSecret)
	r.RevokeTokens()
	var asking sync.WaitGroup
	for _, id := range []string{"microsoft-_-edge", "microsoft-_-windows_10", "microsoft-_-windows_11", "microsoft-_-office"} {
		asking.Go(func() {
			if _, err := r.client.MissingKBs(t.Context(), id); errors.Is(err, api.ErrCredential) {
				t.Errorf("%s: %v", id, err)
			}
		})
	}
	asking.Wait()
}

// Whoever holds the credential is asked for a better one when Entra refuses it, by as many as are refused.
func TestRefusedSecretIsLookedUp(t *testing.T) {
	t.Parallel()
	var r *rotation
	var asked atomic.Int32
	var once sync.Once
	r = newRotation(t, func(context.Context) {
		asked.Add(1)
		once.Do(func() { r.cred.Replace(r.secret(t, nextSecret)) })
	})
	r.SetSecret(nextSecret)
	if err := r.ask(t); err != nil {
		t.Errorf("a better secret was there: %v", err)
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("it was asked for %d times, want once", n)
	}
	// There is no better one now: the refusal is told.
	r.SetSecret("yet another")
	r.RevokeTokens()
	_ = r.ask(t) // drops the token
	if e := (*api.Error)(nil); !errors.As(r.ask(t), &e) || e.Code != "AADSTS7000215" {
		t.Errorf("got %+v, want Entra's refusal", e)
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("it was asked for %d times, want twice", n)
	}
}

// An outage of Entra is no reason to look for another secret.
func TestOutageIsNoRefusal(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	r := newRotation(t, func(context.Context) { asked.Add(1) })
	r.Inject(apitest.Fault{Path: apitest.EntraPath, Status: 503, Code: "temporarily_unavailable", Message: "later", Times: 10})
	if err := r.ask(t); !errors.Is(err, api.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("another secret was asked for %d times", n)
	}
}
