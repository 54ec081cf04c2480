package api

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testTenant = "11111111-2222-3333-4444-555555555555"
	testClient = "66666666-7777-8888-9999-000000000000"
	testSecret = "s3cr3t~of.the-app"
)

// fakeEntra is a login host that knows one tenant, one app and its secret, and
// Defender on the same server for whoever has the token.
type fakeEntra struct {
	*service
	mu     sync.Mutex
	forms  []url.Values
	refuse string // AADSTS text to answer with
	status int
}

func newEntra(t *testing.T) *fakeEntra {
	t.Helper()
	e := &fakeEntra{status: http.StatusUnauthorized}
	e.service = serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
			base := e.URL + "/" + testTenant
			fmt.Fprintf(w, `{"issuer":%q,"token_endpoint":%q,"authorization_endpoint":%q,"device_authorization_endpoint":%q}`,
				base+"/v2.0", base+"/oauth2/v2.0/token", base+"/oauth2/v2.0/authorize", base+"/oauth2/v2.0/devicecode")
		case strings.HasSuffix(r.URL.Path, "/devicecode"):
			say(w, `{"device_code":"dc","user_code":"ABC123","verification_uri":"https://microsoft.com/devicelogin","expires_in":900,"interval":1,"message":"To sign in, enter ABC123"}`)
		case strings.HasSuffix(r.URL.Path, "/token"):
			e.token(w, r)
		case r.Header.Get("Authorization") != "Bearer "+secretToken:
			fail(401, "Unauthorized", "who is it?")(w, r)
		default:
			say(w, edge)
		}
	})
	return e
}

func (e *fakeEntra) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	e.mu.Lock()
	e.forms = append(e.forms, r.PostForm)
	refuse := e.refuse
	e.mu.Unlock()
	if got := r.PostForm.Get("client_secret"); refuse == "" && got != "" && got != testSecret {
		refuse = "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '" + testClient + "'."
	}
	if refuse != "" {
		w.WriteHeader(e.status)
		fmt.Fprintf(w, `{"error":"invalid_client","error_description":%q,"error_codes":[1],"trace_id":"t"}`,
			refuse+" Trace ID: 0f0f0f0f-0000 Correlation ID: 1 Timestamp: 2026-11-23 09:00:00Z")
		return
	}
	fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":%q,"id_token":%q,"client_info":%q}`,
		secretToken, unsigned(map[string]any{"tid": testTenant, "oid": "me", "sub": "me"}), base64.RawURLEncoding.EncodeToString([]byte(`{"uid":"me","utid":"`+testTenant+`"}`)))
}

func (e *fakeEntra) lastForm(t *testing.T) url.Values {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.forms) == 0 {
		t.Fatal("no token was asked for")
	}
	return e.forms[len(e.forms)-1]
}

func (e *fakeEntra) credential() CredentialOptions {
	return CredentialOptions{TenantID: testTenant, ClientID: testClient, Authority: e.URL, Transport: e.Client()}
}

// unsigned makes a JWT without a signature.
func unsigned(claims any) string {
	body, _ := json.Marshal(claims)
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(body) + "."
}

// claims reads those of a JWT without checking it.
func claims(t *testing.T, jwt string) map[string]any {
	t.Helper()
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", jwt)
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(body, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// certificate writes a PEM file with a new certificate and its key.
func certificate(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "missingkbs test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, "app.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))+
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})))
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
