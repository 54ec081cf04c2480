package api

import (
	"errors"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

var guid = regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}`)

// The table has each code once, and words for each fault: what is wrong, and who has to do what.
func TestFaultTable(t *testing.T) {
	t.Parallel()
	seen := map[string]Fault{}
	for _, f := range faults() {
		if other, twice := seen[string(f.fault)]; twice {
			t.Errorf("%s is there twice: %s", f.fault, other)
		}
		seen[string(f.fault)] = f.fault
		for _, code := range f.codes {
			if other, twice := seen[code]; twice {
				t.Errorf("%s is of %s and of %s", code, f.fault, other)
			}
			seen[code] = f.fault
		}
		told := f.fault.Advice()
		for _, sentence := range []string{told.What, told.Cure} {
			if !strings.HasSuffix(sentence, ".") || strings.ContainsAny(sentence, "\r\n") || guid.MatchString(sentence) || strings.Contains(sentence, "https://") {
				t.Errorf("%s: %q", f.fault, sentence)
			}
		}
		if f.kind == nil {
			t.Errorf("%s has no kind", f.fault)
		}
	}
	if (Fault("").Advice() != Advice{}) {
		t.Error("no fault has words")
	}
}

// Each documented code, as Entra sends it, through the real credential.
func TestDocumentedCodes(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]struct {
		fault Fault
		kind  error
	}{
		"AADSTS700016":  {AppUnknown, ErrCredential},
		"AADSTS700011":  {AppUnknown, ErrCredential},
		"AADSTS7000229": {AppNotInTenant, ErrCredential},
		"AADSTS7000112": {AppDisabled, ErrCredential},
		"AADSTS90002":   {TenantUnknown, ErrCredential},
		"AADSTS900023":  {TenantUnknown, ErrCredential},
		"AADSTS53003":   {PolicyBlocks, ErrCredential},
		"AADSTS530035":  {PolicyBlocks, ErrCredential},
		"AADSTS500021":  {TenantRestricted, ErrCredential},
		"AADSTS50196":   {LoginLoop, ErrUnavailable},
		"AADSTS90033":   {LoginBusy, ErrUnavailable},
		"AADSTS7000222": {SecretExpired, ErrCredential},
		"AADSTS7000215": {SecretWrong, ErrCredential},
		"AADSTS7000216": {CredentialAbsent, ErrCredential},
		"AADSTS700025":  {AppPublic, ErrCredential},
		"AADSTS700027":  {CertificateUnknown, ErrCredential},
		"AADSTS1000502": {CertificateExpired, ErrCredential},
		"AADSTS500011":  {ResourceUnknown, ErrLicence},
		"AADSTS650052":  {ResourceUnknown, ErrLicence},
		"AADSTS500014":  {ResourceDisabled, ErrLicence},
		"AADSTS65001":   {ConsentAbsent, ErrPermission},
		"AADSTS50105":   {AppUnassigned, ErrPermission},
		"AADSTS700024":  {AssertionTime, ErrCredential},
		"AADSTS700021":  {AssertionApp, ErrCredential},
		"AADSTS700023":  {AssertionAudience, ErrCredential},
		"AADSTS70021":   {FederationAbsent, ErrCredential},
		"AADSTS700211":  {FederationIssuer, ErrCredential},
		"AADSTS700212":  {FederationAudience, ErrCredential},
		"AADSTS700213":  {FederationSubject, ErrCredential},
		"AADSTS50027":   {AssertionBroken, ErrCredential},
		"AADSTS1002012": {ScopeWrong, ErrCredential},
		"AADSTS900382":  {CloudWrong, ErrCredential},
		"AADSTS1002016": {LoginTLS, ErrUnavailable},
		"AADSTS50076":   {PersonAgain, ErrCredential},
		"AADSTS50020":   {PersonUnknown, ErrCredential},
		"AADSTS50057":   {PersonDisabled, ErrCredential},
		"AADSTS123456":  {LoginDeclined, ErrCredential}, // one that is not known
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			e := newEntra(t)
			e.status, e.refuse = http.StatusBadRequest, code+": The words of Entra."
			o := e.credential()
			o.ClientSecret, o.Retry.MaxRetries = testSecret, -1
			cred, _, err := NewCredential(o)
			if err != nil {
				t.Fatal(err)
			}
			got := errorOf(t, e.asks(t, cred), want.kind)
			if got.Fault != want.fault || got.Code != code || got.Message != "The words of Entra." {
				t.Errorf("fault %q, code %q, message %q; want %q", got.Fault, got.Code, got.Message, want.fault)
			}
			if told := want.fault.Advice(); !strings.Contains(got.Error(), told.What+" "+told.Cure) || !strings.Contains(got.Error(), code) {
				t.Errorf("the log says %q, without who has to do what", got)
			}
		})
	}
}

// Where something else answers at the login host, that is told: nothing is wrong with the credential, and none of what
// was answered is repeated.
func TestSomethingElseAtTheLoginHost(t *testing.T) {
	t.Parallel()
	const page = "<html><body>hunter2: please sign in to the network</body></html>"
	for name, tc := range map[string]struct {
		status int
		body   string
		fault  Fault
	}{
		"200, html":            {200, page, LoginForeign},
		"200, other JSON":      {200, `{"blocked":"hunter2"`, LoginForeign},
		"302":                  {302, "", LoginForeign},
		"400, html":            {400, page, LoginForeign},
		"403, html":            {403, page, LoginForeign},
		"403, JSON":            {403, `{"status":"hunter2"}`, LoginForeign},
		"404, html":            {404, page, LoginForeign},
		"407, html":            {407, page, LoginForeign},
		"502, html":            {502, page, ""},
		"200, a token cut off": {200, `{"token_type":"Bearer","access_token":"` + secretToken, LoginForeign},
	} {
		for _, path := range []string{"/token", "/openid-configuration"} {
			t.Run(name+path, func(t *testing.T) {
				t.Parallel()
				e := newEntra(t)
				honest := e.Config.Handler
				e.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.HasSuffix(r.URL.Path, path) {
						w.WriteHeader(tc.status)
						say(w, tc.body)
						return
					}
					honest.ServeHTTP(w, r)
				})
				o := e.credential()
				o.ClientSecret, o.Retry.MaxRetries = testSecret, -1
				cred, _, err := NewCredential(o)
				if err != nil {
					t.Fatal(err)
				}
				got := errorOf(t, e.asks(t, cred), ErrUnavailable)
				if got.Fault != tc.fault {
					t.Errorf("fault %q, want %q: %v", got.Fault, tc.fault, got)
				}
				for _, word := range []string{"hunter2", secretToken, testSecret, "<html>"} {
					if strings.Contains(got.Error(), word) {
						t.Errorf("the error repeats %q: %v", word, got)
					}
				}
			})
		}
	}
}

// A managed identity gets its token from the machine, whose refusals have no codes.
func TestManagedIdentityFaults(t *testing.T) {
	t.Parallel()
	answer := func(status int, body string) func(*http.Request) (*http.Response, error) {
		return func(r *http.Request) (*http.Response, error) {
			return reply(r, status, body, "Content-Type", "application/json"), nil
		}
	}
	for name, tc := range map[string]struct {
		client string
		answer func(*http.Request) (*http.Response, error)
		kind   error
		fault  Fault
	}{
		"not assigned":       {testClient, answer(400, `{"error":"invalid_request","error_description":"Identity not found"}`), ErrCredential, IdentityUnassigned},
		"none of the system": {"", answer(400, `{"error":"invalid_request","error_description":"Identity not found"}`), ErrCredential, IdentityUnassigned},
		"another web server": {"", answer(404, "<html></html>"), ErrUnavailable, IdentityAway},
		"docker's proxy":     {"", answer(403, "connecting to 169.254.169.254:80: dial tcp: a socket operation was attempted to an unreachable network"), ErrUnavailable, IdentityAway},
		"html":               {"", answer(200, "<html>hunter2</html>"), ErrUnavailable, IdentityAway},
		"busy":               {"", answer(500, `{"error":"server_error"}`), ErrUnavailable, ""},
		"not there": {"", func(*http.Request) (*http.Response, error) {
			return nil, errors.New("dial tcp 169.254.169.254:80: connect: no route to host")
		}, ErrUnavailable, IdentityAway},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cred, _, err := NewCredential(CredentialOptions{
				ClientID: tc.client, Managed: true, Transport: inMemory(tc.answer), Retry: policy.RetryOptions{MaxRetries: -1, RetryDelay: time.Millisecond},
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = InspectToken(t.Context(), cred, PublicCloud().Scope)
			if got := errorOf(t, err, tc.kind); got.Fault != tc.fault || strings.Contains(got.Error(), "hunter2") {
				t.Errorf("fault %q, want %q: %v", got.Fault, tc.fault, got)
			}
		})
	}
}

// The transport of the program itself is not watched: Azure's own has to be used for managed identities.
func TestManagedIdentityIsNotThere(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Fault{
		`ManagedIdentityCredential: Get "http://169.254.169.254/metadata": dial tcp 169.254.169.254:80: connect: no route to host`: IdentityAway,
		"ManagedIdentityCredential: failed to authenticate a system assigned identity. The endpoint responded with {}":             IdentityUnassigned,
	} {
		got := signInFailed(&credentialError{kindManaged, "", errors.New(text)})
		if got.Fault != want {
			t.Errorf("%s: %q, want %q", text, got.Fault, want)
		}
	}
}

// A token file that is not there is told with its name; one that is there is not blamed.
func TestTokenFileFaults(t *testing.T) {
	t.Parallel()
	e := newEntra(t)
	o := e.credential()
	o.FederatedTokenFile = filepath.Join(t.TempDir(), "token")
	cred, _, err := NewCredential(o)
	if err != nil {
		t.Fatal(err)
	}
	if got := errorOf(t, e.asks(t, cred), ErrCredential); got.Fault != TokenFileAbsent {
		t.Errorf("fault %q: %v", got.Fault, got)
	}
}

// Those who watch sign-ins get the same words.
func TestSignedInIsToldTheFault(t *testing.T) {
	t.Parallel()
	e := newEntra(t)
	e.status, e.refuse = http.StatusUnauthorized, "AADSTS7000222: expired."
	o := e.credential()
	o.ClientSecret = testSecret
	cred, _, err := NewCredential(o)
	if err != nil {
		t.Fatal(err)
	}
	var told error
	c, err := NewClient(cred, &Options{Cloud: Cloud{Endpoint: e.URL}, Transport: e.Client(), SignedIn: func(err error) { told = err }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SignIn(t.Context())
	if got := errorOf(t, told, ErrCredential); got.Fault != SecretExpired {
		t.Errorf("told %v", told)
	}
}
