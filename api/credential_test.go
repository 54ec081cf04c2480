package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// asks makes a client with a credential and asks it one question.
func (e *fakeEntra) asks(t *testing.T, cred azcore.TokenCredential) error {
	t.Helper()
	c, err := NewClient(cred, &Options{Cloud: Cloud{Endpoint: e.URL}, Transport: e.Client()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	_, err = c.MissingKBs(t.Context(), "microsoft-_-edge")
	return err
}

// Each kind of credential signs in at a real login host over TLS.
func TestCredentials(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		set   func(*testing.T, *CredentialOptions)
		kind  string
		check func(*testing.T, *fakeEntra, map[string]string)
	}{
		"secret": {
			func(_ *testing.T, o *CredentialOptions) { o.ClientSecret = testSecret },
			"client secret",
			func(t *testing.T, _ *fakeEntra, form map[string]string) {
				t.Helper()
				if form["client_secret"] != testSecret {
					t.Errorf("client_secret = %q", form["client_secret"])
				}
			},
		},
		"certificate": {
			func(t *testing.T, o *CredentialOptions) {
				t.Helper()
				o.CertificatePath = certificate(t)
			},
			"certificate",
			func(t *testing.T, e *fakeEntra, form map[string]string) {
				t.Helper()
				c := claims(t, form["client_assertion"])
				if c["iss"] != testClient || c["sub"] != testClient || !strings.HasPrefix(c["aud"].(string), e.URL) {
					t.Errorf("assertion says %v", c)
				}
			},
		},
		"federated token": {
			func(t *testing.T, o *CredentialOptions) {
				t.Helper()
				o.FederatedTokenFile = write(t, "token", unsigned(map[string]string{"sub": "system:serviceaccount:bots:missingkbs"}))
			},
			"workload identity",
			func(t *testing.T, _ *fakeEntra, form map[string]string) {
				t.Helper()
				if c := claims(t, form["client_assertion"]); c["sub"] != "system:serviceaccount:bots:missingkbs" {
					t.Errorf("assertion says %v", c)
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEntra(t)
			o := e.credential()
			tc.set(t, &o)
			cred, kind, err := NewCredential(o)
			if err != nil {
				t.Fatal(err)
			}
			if kind != tc.kind {
				t.Errorf("kind = %q, want %q", kind, tc.kind)
			}
			if err := e.asks(t, cred); err != nil {
				t.Fatal(err)
			}
			form := map[string]string{}
			for k, v := range e.lastForm(t) {
				form[k] = v[0]
			}
			if form["client_id"] != testClient || form["grant_type"] != "client_credentials" || !strings.Contains(form["scope"], PublicCloud().Scope) {
				t.Errorf("form = %v", form)
			}
			tc.check(t, e, form)
			for _, r := range e.asked() {
				if strings.Contains(r.URL.Path, "discovery/instance") {
					t.Errorf("asked %s: instance discovery is on", r.URL)
				}
			}
		})
	}
}

func TestCredentialPrecedence(t *testing.T) {
	t.Parallel()
	cert, token := certificate(t), write(t, "token", "jwt")
	all := CredentialOptions{TenantID: testTenant, ClientID: testClient, CertificatePath: cert, ClientSecret: "s", FederatedTokenFile: token, Managed: true}
	var got []string
	for _, drop := range []func(){
		func() {}, func() { all.CertificatePath = "" }, func() { all.ClientSecret = "" }, func() { all.FederatedTokenFile = "" },
	} {
		drop()
		_, kind, err := NewCredential(all)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, kind)
	}
	if diff := cmp.Diff([]string{"certificate", "client secret", "workload identity", "managed identity"}, got); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	if _, kind, err := NewCredential(CredentialOptions{Managed: true}); err != nil || kind != "managed identity" {
		t.Errorf("a managed identity without any id: %q, %v", kind, err)
	}
}

func TestCredentialRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		o    CredentialOptions
		says string
	}{
		"nothing":             {CredentialOptions{TenantID: testTenant, ClientID: testClient}, "want a client secret, a certificate"},
		"no tenant":           {CredentialOptions{ClientID: testClient, ClientSecret: testSecret}, "tenant id"},
		"no client":           {CredentialOptions{TenantID: testTenant, ClientSecret: testSecret}, "client id"},
		"plain http":          {CredentialOptions{TenantID: testTenant, ClientID: testClient, ClientSecret: testSecret, Authority: "http://login.example"}, "https"},
		"no host":             {CredentialOptions{TenantID: testTenant, ClientID: testClient, ClientSecret: testSecret, Authority: "https://"}, "login host"},
		"user in host":        {CredentialOptions{TenantID: testTenant, ClientID: testClient, ClientSecret: testSecret, Authority: "https://a:" + testSecret + "@x"}, "login host"},
		"bad tenant":          {CredentialOptions{TenantID: "a b", ClientID: testClient, ClientSecret: testSecret}, "client secret credential"},
		"no such certificate": {CredentialOptions{TenantID: testTenant, ClientID: testClient, CertificatePath: "/no/such/file"}, "/no/such/file"},
		"no certificate":      {CredentialOptions{TenantID: testTenant, ClientID: testClient, CertificatePath: write(t, "x.pem", testSecret)}, "x.pem"},
	} {
		cred, kind, err := NewCredential(tc.o)
		if err == nil || cred != nil || kind != "" {
			t.Errorf("%s: %v, %q, %v; want an error", name, cred, kind, err)
			continue
		}
		if !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), testSecret) {
			t.Errorf("%s: error %q, want it to say %q and no secret", name, err, tc.says)
		}
	}
}

func TestAuthority(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]struct {
		url     string
		private bool
	}{
		"":                                  {"https://login.microsoftonline.com/", false},
		"login.microsoftonline.us":          {"https://login.microsoftonline.us/", false},
		"https://login.microsoftonline.us/": {"https://login.microsoftonline.us/", false},
		"https://LOGIN.microsoftonline.com": {"https://login.microsoftonline.com/", false},
		"login.partner.microsoftonline.cn":  {"https://login.partner.microsoftonline.cn/", false},
		"https://127.0.0.1:8443":            {"https://127.0.0.1:8443/", true},
		"login.microsoftonline.com.evil.ex": {"https://login.microsoftonline.com.evil.ex/", true},
	} {
		at, err := CredentialOptions{Authority: in}.entra()
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		if got := at.options.Cloud.ActiveDirectoryAuthorityHost; got != want.url || at.private != want.private {
			t.Errorf("%q: %q, private %v; want %+v", in, got, at.private, want)
		}
	}
}

// What Entra says when it refuses, with its live wordings.
func TestEntraRefusals(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status  int
		text    string
		kind    error
		code    string
		message string
	}{
		"wrong secret": {
			401, "", ErrCredential, "AADSTS7000215", // the fake's own answer to another secret
			"Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '" + testClient + "'.",
		},
		"secret expired": {401, "AADSTS7000222: The provided client secret keys for app are expired.", ErrCredential, "AADSTS7000222", "The provided client secret keys for app are expired."},
		"unknown client": {400, "AADSTS700016: Application with identifier 'x' was not found in the directory 'y'.", ErrCredential, "AADSTS700016", "Application with identifier 'x' was not found in the directory 'y'."},
		"unknown tenant": {400, "AADSTS90002: Tenant 'x' not found.", ErrCredential, "AADSTS90002", "Tenant 'x' not found."},
		"no Defender":    {400, "AADSTS500011: The resource principal named https://api.securitycenter.microsoft.com was not found in the tenant.", ErrLicence, "AADSTS500011", "The resource principal named https://api.securitycenter.microsoft.com was not found in the tenant."},
		"no consent":     {400, "AADSTS65001: The user or administrator has not consented to use the application.", ErrPermission, "AADSTS65001", "The user or administrator has not consented to use the application."},
		"entra is down":  {503, "AADSTS90033: A transient error has occurred. Please try again.", ErrUnavailable, "AADSTS90033", "A transient error has occurred. Please try again."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEntra(t)
			e.status, e.refuse = tc.status, tc.text
			o := e.credential()
			o.ClientSecret, o.Retry.MaxRetries = testSecret, -1
			if tc.text == "" {
				o.ClientSecret = "another-" + testSecret
			}
			cred, _, err := NewCredential(o)
			if err != nil {
				t.Fatal(err)
			}
			got := errorOf(t, e.asks(t, cred), tc.kind)
			known, _ := faultOf(tc.code)
			want := Error{Fault: known.fault, Kind: tc.kind, Call: "GET /api/Software/microsoft-_-edge/getmissingkbs", Status: tc.status, Code: tc.code, Message: tc.message}
			if diff := cmp.Diff(want, *got, cmpopts.EquateErrors()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if n := len(e.asked()); n != 2 { // metadata, token
				t.Errorf("%d requests, want no retry and no call of Defender", n)
			}
		})
	}
}

// A login host that is not there is an outage, not a wrong secret.
func TestEntraUnreachable(t *testing.T) {
	t.Parallel()
	gone := httptest.NewTLSServer(nil)
	gone.Close()
	e := newEntra(t)
	o := e.credential()
	o.ClientSecret, o.Authority, o.Retry = testSecret, gone.URL, policy.RetryOptions{RetryDelay: time.Millisecond}
	cred, _, err := NewCredential(o)
	if err != nil {
		t.Fatal(err)
	}
	if got := errorOf(t, e.asks(t, cred), ErrUnavailable); !strings.Contains(got.Message, "login host") || got.Call == "" {
		t.Errorf("error = %v", got)
	}
}

// A missing token file is the credential's fault.
func TestFederatedTokenFileMissing(t *testing.T) {
	t.Parallel()
	e := newEntra(t)
	o := e.credential()
	o.FederatedTokenFile = "/no/such/token"
	cred, _, err := NewCredential(o)
	if err != nil {
		t.Fatal(err)
	}
	if got := errorOf(t, e.asks(t, cred), ErrCredential); !strings.Contains(got.Message, "/no/such/token") {
		t.Errorf("error = %v", got)
	}
}

// Asking Entra costs nothing of the limit, and the token is asked for once.
func TestTokenRequestsAreNotCounted(t *testing.T) {
	t.Parallel()
	e := newEntra(t)
	o := e.credential()
	o.ClientSecret = testSecret
	cred, _, err := NewCredential(o)
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewClient(cred, &Options{Cloud: Cloud{Endpoint: e.URL}, Transport: e.Client(), PerMinute: 2, PerHour: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.MissingKBs(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err = c.MissingKBs(ctx, "b")
	wantKind(t, err, ErrThrottled)
	if n := len(e.forms); n != 1 {
		t.Errorf("%d tokens were asked for, want 1", n)
	}
}

func TestSignInWithDeviceCode(t *testing.T) {
	t.Parallel()
	e := newEntra(t)
	said := ""
	cred, err := SignIn("device-code", e.credential(), func(m string) { said = m })
	if err != nil {
		t.Fatal(err)
	}
	if err := e.asks(t, cred); err != nil {
		t.Fatal(err)
	}
	if said != "To sign in, enter ABC123" {
		t.Errorf("the person was told %q", said)
	}
	if form := e.lastForm(t); form.Get("device_code") != "dc" || !strings.Contains(form.Get("scope"), PublicCloud().Scope) {
		t.Errorf("form = %v", form)
	}
}

func TestSignInMethods(t *testing.T) {
	t.Parallel()
	o := CredentialOptions{TenantID: testTenant, ClientID: testClient, Transport: http.DefaultClient}
	for _, method := range []string{"device-code", "browser", "azure-cli"} {
		if cred, err := SignIn(method, o, nil); err != nil || cred == nil {
			t.Errorf("SignIn(%q) = %v, %v", method, cred, err)
		}
	}
	o.ClientID = ""
	if _, err := SignIn("browser", o, nil); err == nil || !strings.Contains(err.Error(), "client id") {
		t.Errorf("SignIn without a client id: %v", err)
	}
	if _, err := SignIn("azure-cli", o, nil); err != nil {
		t.Errorf("SignIn with the CLI needs no client id: %v", err)
	}
	o.ClientID = testClient
	if _, err := SignIn("password", o, nil); err == nil || !strings.Contains(err.Error(), "device-code") {
		t.Errorf("SignIn(password): %v, want the names of the methods", err)
	}
}

// The stub that tests use is a credential like any other: whatever error one has.
func TestAnyCredentialError(t *testing.T) {
	t.Parallel()
	s := serve(t, respond(edge))
	c, err := NewClient(&stubCredential{err: &azCLIError{}}, &Options{Cloud: Cloud{Endpoint: s.URL}, Transport: s.Client()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.MissingKBs(t.Context(), "a")
	if e := errorOf(t, err, ErrCredential); e.Message != "please run az login, AADSTS50076" || e.Code != "AADSTS50076" {
		t.Errorf("error = %+v", e)
	}
	if n := len(s.asked()); n != 0 {
		t.Errorf("%d calls without a token", n)
	}
}

type azCLIError struct{}

func (*azCLIError) Error() string { return "please run\naz login, AADSTS50076" }

func TestCertificateExpiry(t *testing.T) {
	t.Parallel()
	end, err := CertificateExpiry(certificate(t), "")
	if left := time.Until(end); err != nil || left < 50*time.Minute || left > time.Hour {
		t.Errorf("ends in %v, %v", left, err)
	}
	if _, err := CertificateExpiry(write(t, "x.pem", "nonsense"), ""); err == nil {
		t.Error("read nonsense")
	}
	if _, err := CertificateExpiry("/no/such.pem", ""); err == nil {
		t.Error("read nothing")
	}
}
