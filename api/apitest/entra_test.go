package apitest

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// clientOptions point azidentity at the server, without retries.
func clientOptions(s *Server) policy.ClientOptions {
	return policy.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: s.URL},
		Transport: s.Client(),
		Retry:     policy.RetryOptions{MaxRetries: -1},
	}
}

func secretCredential(t *testing.T, s *Server, tenant, client, secret string) azcore.TokenCredential {
	t.Helper()
	cred, err := azidentity.NewClientSecretCredential(tenant, client, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: clientOptions(s), DisableInstanceDiscovery: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return cred
}

// askThrough asks through azcore's own pipeline, token and all.
func askThrough(t *testing.T, s *Server, cred azcore.TokenCredential) (*http.Response, error) {
	t.Helper()
	options := clientOptions(s)
	p := runtime.NewPipeline("apitest", "v0.0.0", runtime.PipelineOptions{
		PerRetry: []policy.Policy{runtime.NewBearerTokenPolicy(cred, []string{s.Scope()}, nil)},
	}, &options)
	r, err := runtime.NewRequest(t.Context(), http.MethodGet, s.URL+edgeKBs)
	if err != nil {
		t.Fatal(err)
	}
	return p.Do(r)
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	for name, credential := range map[string]func(*testing.T, *Server) azcore.TokenCredential{
		"secret": func(t *testing.T, s *Server) azcore.TokenCredential {
			t.Helper()
			return secretCredential(t, s, TenantID, ClientID, ClientSecret)
		},
		"certificate": certificateCredential,
		"workload":    workloadCredential,
		"device code": deviceCredential,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, Options{})
			cred := credential(t, s)
			for range 3 {
				resp, err := askThrough(t, s, cred)
				if err != nil {
					t.Fatal(err)
				}
				body, err := runtime.Payload(resp)
				if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "4540673") {
					t.Fatalf("%d %s, %v", resp.StatusCode, body, err)
				}
			}
			if n := s.TokenCalls(); n == 0 || n > 2 {
				t.Errorf("%d calls for tokens, want them kept", n)
			}
		})
	}
}

func certificateCredential(t *testing.T, s *Server) azcore.TokenCredential {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := certificate("apitest client")
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	cred, err := azidentity.NewClientCertificateCredential(TenantID, ClientID, []*x509.Certificate{cert}, crypto.PrivateKey(private),
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: clientOptions(s), DisableInstanceDiscovery: true})
	if err != nil {
		t.Fatal(err)
	}
	return cred
}

func workloadCredential(t *testing.T, s *Server) azcore.TokenCredential {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	token := jwt(map[string]any{
		"iss": "https://issuer.test", "sub": "system:serviceaccount:missingkbs:bot", "aud": workloadAudience, "exp": time.Now().Add(time.Hour).Unix(),
	})
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	cred, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		ClientOptions: clientOptions(s), DisableInstanceDiscovery: true, TenantID: TenantID, ClientID: ClientID, TokenFilePath: file,
	})
	if err != nil {
		t.Fatal(err)
	}
	return cred
}

func jwt(claims map[string]any) string {
	return segment(map[string]string{"alg": "RS256"}) + "." + segment(claims) + ".c2lnbmVk"
}

func deviceCredential(t *testing.T, s *Server) azcore.TokenCredential {
	t.Helper()
	cred, err := azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
		ClientOptions: clientOptions(s), DisableInstanceDiscovery: true, TenantID: TenantID, ClientID: ClientID,
		UserPrompt: func(_ context.Context, m azidentity.DeviceCodeMessage) error {
			if !strings.Contains(m.Message, m.UserCode) || !strings.Contains(m.Message, s.URL) {
				t.Errorf("prompt %+v", m)
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return cred
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, tenant, client, secret, want string }{
		{"wrong secret", TenantID, ClientID, "wrong", "AADSTS7000215: Invalid client secret provided."},
		{"unknown tenant", "99999999-2222-4333-8444-555555555555", ClientID, ClientSecret, "AADSTS90002: Tenant '99999999-2222-4333-8444-555555555555' not found."},
		{"unknown client", TenantID, "99999999-bbbb-4ccc-8ddd-eeeeeeeeeeee", ClientSecret, "AADSTS700016: Application with identifier '99999999-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, Options{})
			resp, err := askThrough(t, s, secretCredential(t, s, c.tenant, c.client, c.secret))
			if err == nil {
				t.Fatalf("got %d, want %s", resp.StatusCode, c.want)
			}
			if !strings.Contains(err.Error(), c.want) || s.Count("") != 0 {
				t.Errorf("%d calls, %v, want %s", s.Count(""), err, c.want)
			}
		})
	}
}

func TestSecretIsChanged(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	s.SetSecret("the next one")
	if _, err := askThrough(t, s, secretCredential(t, s, TenantID, ClientID, ClientSecret)); err == nil || !strings.Contains(err.Error(), "AADSTS7000215") {
		t.Errorf("the old secret: %v", err)
	}
	if _, err := askThrough(t, s, secretCredential(t, s, TenantID, ClientID, "the next one")); err != nil {
		t.Errorf("the new secret: %v", err)
	}
}

// post sends a form to a path of the login host.
func post(t *testing.T, s *Server, path string, form map[string]string) (status int, answer map[string]any) {
	t.Helper()
	values := url.Values{}
	for name, value := range form {
		values.Set(name, value)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(values.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatalf("%s: %s: %v", path, body, err)
	}
	return resp.StatusCode, answer
}

const tokenPath = "/" + TenantID + "/oauth2/v2.0/token"

func TestTokenRequests(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	now := time.Now().Unix()
	workload := map[string]any{"iss": "i", "sub": "s", "aud": workloadAudience, "exp": now + 60}
	certificate := map[string]any{"iss": ClientID, "sub": ClientID, "aud": s.URL + tokenPath, "nbf": now, "exp": now + 60}
	with := func(base map[string]any, name string, value any) string {
		out := maps.Clone(base)
		out[name] = value
		return jwt(out)
	}
	for _, c := range []struct {
		name   string
		form   map[string]string // over the good one
		status int
		code   string
	}{
		{"good", nil, 200, ""},
		{"no grant", map[string]string{"grant_type": ""}, 400, "AADSTS900144"},
		{"another grant", map[string]string{"grant_type": "password"}, 400, "AADSTS70003"},
		{"no client", map[string]string{"client_id": ""}, 400, "AADSTS700016"},
		{"no secret", map[string]string{"client_secret": ""}, 401, "AADSTS7000216"},
		{"no scope", map[string]string{"scope": ""}, 400, "AADSTS1002012"},
		{"a word as scope", map[string]string{"scope": "openid"}, 400, "AADSTS1002012"},
		{"unknown resource", map[string]string{"scope": "https://elsewhere.test/.default"}, 400, "AADSTS500011"},
		{"another of Microsoft's", map[string]string{"scope": "https://graph.microsoft.com/.default"}, 200, ""},
		{"older scope", map[string]string{"scope": "https://securitycenter.onmicrosoft.com/windowsatpservice/.default"}, 200, ""},
		{"workload", map[string]string{"client_assertion": with(workload, "x", 1)}, 200, ""},
		{"certificate", map[string]string{"client_assertion": with(certificate, "x", 1)}, 200, ""},
		{"no JWT", map[string]string{"client_assertion": "x.y.z"}, 401, "AADSTS50027"},
		{"not base64", map[string]string{"client_assertion": "a.!.c"}, 401, "AADSTS50027"},
		{"no issuer", map[string]string{"client_assertion": with(workload, "iss", "")}, 401, "AADSTS50027"},
		{"another client's", map[string]string{"client_assertion": with(certificate, "sub", "x")}, 401, "AADSTS700021"},
		{"for another host", map[string]string{"client_assertion": with(certificate, "aud", "https://elsewhere.test/token")}, 401, "AADSTS700023"},
		{"expired", map[string]string{"client_assertion": with(certificate, "exp", now-3600)}, 401, "AADSTS700024"},
		{"of tomorrow", map[string]string{"client_assertion": with(certificate, "nbf", now+3600)}, 401, "AADSTS700024"},
		{"of another type", map[string]string{"client_assertion": with(workload, "x", 1), "client_assertion_type": "saml"}, 401, "AADSTS50027"},
		{"device code unknown", map[string]string{"grant_type": "device_code", "device_code": "x"}, 400, "AADSTS70000"},
		{"refresh token unknown", map[string]string{"grant_type": "refresh_token", "refresh_token": "x"}, 400, "AADSTS70000"},
		{"access token as refresh token", map[string]string{"grant_type": "refresh_token", "refresh_token": s.Token()}, 400, "AADSTS70000"},
	} {
		form := map[string]string{
			"grant_type": "client_credentials", "client_id": ClientID, "client_secret": ClientSecret, "scope": s.Scope(), "client_assertion_type": assertionType,
		}
		maps.Copy(form, c.form)
		status, answer := post(t, s, tokenPath, form)
		description, _ := answer["error_description"].(string)
		if status != c.status || !strings.HasPrefix(description, c.code) || (c.status == 200) != (answer["access_token"] != nil) {
			t.Errorf("%s: %d %v, want %d %s", c.name, status, answer, c.status, c.code)
		}
	}
}

func TestTokenAnswer(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	_, answer := post(t, s, tokenPath, map[string]string{"grant_type": "client_credentials", "client_id": ClientID, "client_secret": ClientSecret, "scope": s.Scope()})
	if answer["token_type"] != "Bearer" || answer["expires_in"] != 3599.0 || len(answer) != 4 {
		t.Errorf("%v", answer)
	}
	token, _ := answer["access_token"].(string)
	if w := askAs(t, s.Tenant, edgeKBs, "Bearer "+token); w.Code != http.StatusOK {
		t.Errorf("with the token: %d %s", w.Code, w.Body)
	}
}

func TestDeviceCode(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	status, begun := post(t, s, "/organizations/oauth2/v2.0/devicecode", map[string]string{"client_id": ClientID, "scope": Resource + "/Software.Read offline_access"})
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, begun)
	}
	form := map[string]string{"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": ClientID, "device_code": begun["device_code"].(string)}
	if status, answer := post(t, s, tokenPath, form); status != 400 || answer["error"] != "authorization_pending" {
		t.Errorf("first poll: %d %v", status, answer)
	}
	status, answer := post(t, s, tokenPath, form)
	if status != 200 {
		t.Fatalf("second poll: %d %v", status, answer)
	}
	if status, _ := post(t, s, tokenPath, form); status != 400 {
		t.Errorf("a code used twice: %d", status)
	}
	status, answer = post(t, s, tokenPath, map[string]string{
		"grant_type": "refresh_token", "client_id": ClientID, "refresh_token": answer["refresh_token"].(string), "scope": s.Scope(),
	})
	if w := askAs(t, s.Tenant, edgeKBs, "Bearer "+answer["access_token"].(string)); status != 200 || w.Code != 200 {
		t.Errorf("refreshed: %d, then %d %s", status, w.Code, w.Body)
	}
}

func TestEntraFaults(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	s.Inject(Fault{Path: EntraPath, Times: 1, Status: 401, Code: "invalid_client", Message: "AADSTS7000222: The provided client secret keys for app are expired."})
	if _, err := askThrough(t, s, secretCredential(t, s, TenantID, ClientID, ClientSecret)); err == nil || !strings.Contains(err.Error(), "AADSTS7000222") {
		t.Errorf("expired secret: %v", err)
	}
	s.Inject(Fault{Path: EntraPath, Times: 1, Body: "<html>", ContentType: "text/html"})
	if _, err := askThrough(t, s, secretCredential(t, s, TenantID, ClientID, ClientSecret)); err == nil {
		t.Error("a lying login host: no error")
	}
	if _, err := askThrough(t, s, secretCredential(t, s, TenantID, ClientID, ClientSecret)); err != nil || s.TokenCalls() != 3 {
		t.Errorf("%d calls for tokens, %v", s.TokenCalls(), err)
	}
}

func TestNoOtherPaths(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	for _, path := range []string{"/", "/common/oauth2/v2.0/authorize", "/apis/Software"} {
		resp, _, err := get(t, s, path)
		if err != nil || resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %v, %v", path, resp, err)
		}
	}
}
