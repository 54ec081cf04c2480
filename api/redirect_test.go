package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// A redirect of the login host is not followed: Go would send the form again, with the secret in it, to wherever it
// leads. Nor is an answer without end read.
func TestSecretsFollowNoRedirect(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(w http.ResponseWriter, r *http.Request, to string){
		"redirect": func(w http.ResponseWriter, r *http.Request, to string) {
			http.Redirect(w, r, to, http.StatusTemporaryRedirect)
		},
		"without end": func(w http.ResponseWriter, _ *http.Request, _ string) {
			for range maxTokenAnswer>>20 + 2 {
				say(w, strings.Repeat(" ", 1<<20))
			}
			say(w, `{"token_type":"Bearer","expires_in":3599,"access_token":"`+secretToken+`"}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEntra(t)
			var stolen atomic.Int32
			thief := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				stolen.Add(1)
				say(w, `{"token_type":"Bearer","expires_in":3599,"access_token":"`+secretToken+`"}`)
			}))
			thief.TLS = e.TLS
			thief.StartTLS()
			t.Cleanup(thief.Close)
			honest := e.Config.Handler
			e.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/token") {
					answer(w, r, thief.URL)
					return
				}
				honest.ServeHTTP(w, r)
			})
			o := e.credential()
			o.ClientSecret, o.Retry = testSecret, policy.RetryOptions{MaxRetries: -1}
			cred, _, err := NewCredential(o)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.asks(t, cred); err == nil {
				t.Error("it was taken for a token")
			}
			if n := stolen.Load(); n != 0 {
				t.Errorf("the secret went on to another host %d times", n)
			}
		})
	}
}
