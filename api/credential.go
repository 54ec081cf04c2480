package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// CredentialOptions configure who signs in to Entra, and where. Only the managed identity reads the environment, which
// Azure sets there.
type CredentialOptions struct {
	TenantID            string              // the tenant's id or one of its domains
	ClientID            string              // the app registration; with a managed identity, the user-assigned one to use
	ClientSecret        string              // its secret
	CertificatePath     string              // a PEM or PKCS#12 file with its certificate and private key
	CertificatePassword string              // of the PKCS#12 file
	FederatedTokenFile  string              // a Kubernetes service account token, for workload identity
	Managed             bool                // use the managed identity of the Azure machine when none of the above is set
	Authority           string              // login host, as URL or bare; login.microsoftonline.com unless set
	Transport           policy.Transporter  // what talks HTTP; azcore's own unless set
	Retry               policy.RetryOptions // of token requests; azcore's three retries unless set
	Tracing             tracing.Provider    // azcore's hook for spans
}

// The kinds of credential that [NewCredential] names.
const (
	kindCertificate = "certificate"
	kindSecret      = "client secret"
	kindWorkload    = "workload identity"
	kindManaged     = "managed identity"
)

// NewCredential returns the credential of an application and its kind: "certificate", "client secret", "workload
// identity" or "managed identity", the first for which something is set. It reads the certificate but makes no call. No
// error contains a secret.
func NewCredential(o CredentialOptions) (azcore.TokenCredential, string, error) {
	kind, err := o.kind()
	if err != nil {
		return nil, "", err
	}
	at, err := o.entra()
	if err != nil {
		return nil, "", err
	}
	cred := &renewable{make: func() (azcore.TokenCredential, error) { return at.credential(kind, o) }}
	if err := cred.renew(); err != nil {
		return nil, "", fmt.Errorf("%s credential: %w", kind, err)
	}
	return reachable{cred, tokenTime, kind, o.FederatedTokenFile}, kind, nil
}

// kind returns the kind of credential, or what is missing.
func (o CredentialOptions) kind() (string, error) {
	var kind string
	switch {
	case o.CertificatePath != "":
		kind = kindCertificate
	case o.ClientSecret != "":
		kind = kindSecret
	case o.FederatedTokenFile != "":
		kind = kindWorkload
	case o.Managed:
		return kindManaged, nil
	default:
		return "", errors.New("no credential: want a client secret, a certificate, a federated token file or a managed identity")
	}
	if o.TenantID == "" || o.ClientID == "" {
		return "", fmt.Errorf("a %s credential needs the tenant id and the client id", kind)
	}
	return kind, nil
}

const (
	// tokenTry bounds one request for a token.
	tokenTry = 10 * time.Second
	// tokenTime bounds all requests for a token: two that hang, within the time of a question.
	tokenTime = 25 * time.Second
)

// maxTokenAnswer bounds an answer of the login host; a token has a few kilobytes.
const maxTokenAnswer = 1 << 20

// entra is a login host and how to reach it.
type entra struct {
	options azcore.ClientOptions
	private bool // not one of Microsoft's: its metadata must not be looked up there
}

func (o CredentialOptions) entra() (entra, error) {
	authority, err := authorityURL(o.Authority)
	if err != nil {
		return entra{}, err
	}
	transport := o.Transport
	if transport == nil {
		transport = defaultTransport()
	}
	// If a host hangs, the next attempt uses a fresh connection: the same limits as for Defender.
	orDefault(&o.Retry.TryTimeout, tokenTry)
	transport, _ = switching(transport)
	return entra{
		private: !slices.Contains(microsoftLogins(), authority.Hostname()),
		options: azcore.ClientOptions{
			Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: authority.String()},
			// Go would send the secret again to the target of a redirect.
			Transport: tripRecorder{bodyLimit{transport, maxTokenAnswer}},
			Retry:     o.Retry,

			TracingProvider: o.Tracing,
		},
	}, nil
}

// microsoftLogins returns the login hosts whose metadata Microsoft publishes.
func microsoftLogins() []string {
	return []string{
		"login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net",
		"login.microsoftonline.us", "login.usgovcloudapi.net",
		"login.partner.microsoftonline.cn", "login.chinacloudapi.cn",
	}
}

// authorityURL accepts a login host with or without its scheme.
func authorityURL(s string) (*url.URL, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		s = loginPublic
	}
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("the authority must be a login host such as " + loginPublic)
	}
	if u.Scheme != "https" {
		return nil, errors.New("the authority must be https, because the secret is sent there")
	}
	u.Path = strings.TrimRight(u.Path, "/") + "/"
	u.Host = strings.ToLower(u.Host)
	return u, nil
}

func (at entra) credential(kind string, o CredentialOptions) (azcore.TokenCredential, error) {
	switch kind {
	case kindCertificate:
		return at.certificate(o)
	case kindSecret:
		return azidentity.NewClientSecretCredential(o.TenantID, o.ClientID, o.ClientSecret,
			&azidentity.ClientSecretCredentialOptions{ClientOptions: at.options, DisableInstanceDiscovery: at.private})
	case kindWorkload:
		return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
			ClientOptions: at.options, DisableInstanceDiscovery: at.private,
			TenantID: o.TenantID, ClientID: o.ClientID, TokenFilePath: o.FederatedTokenFile,
		})
	}
	managed := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: at.options}
	if o.Transport == nil {
		// On Service Fabric azidentity requires a transport that it can inspect.
		managed.Transport = nil
	}
	if o.ClientID != "" {
		managed.ID = azidentity.ClientID(o.ClientID)
	}
	return azidentity.NewManagedIdentityCredential(managed)
}

func (at entra) certificate(o CredentialOptions) (azcore.TokenCredential, error) {
	file, err := os.ReadFile(o.CertificatePath)
	if err != nil {
		return nil, err
	}
	certs, key, err := azidentity.ParseCertificates(file, []byte(o.CertificatePassword))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", o.CertificatePath, err)
	}
	return azidentity.NewClientCertificateCredential(o.TenantID, o.ClientID, certs, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: at.options, DisableInstanceDiscovery: at.private})
}

// renewable is a credential that can be recreated. azidentity keeps a token until it expires, and cannot drop one that
// Defender refuses: without this, an app whose tokens were revoked would be locked out for an hour after regaining
// access.
type renewable struct {
	make func() (azcore.TokenCredential, error)

	mu  sync.Mutex
	now azcore.TokenCredential
}

// renew drops all tokens. It reads certificate files again, so it may fail; then the old credential stays.
func (r *renewable) renew() error {
	cred, err := r.make()
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = cred
	return nil
}

// GetToken implements [azcore.TokenCredential].
func (r *renewable) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	r.mu.Lock()
	cred := r.now
	r.mu.Unlock()
	return cred.GetToken(ctx, o)
}

// refusedToken is the policy that drops the tokens of a credential when Defender refuses one; azcore's own policy drops
// what it keeps itself. The call still fails: later ones get a new token.
type refusedToken struct{ cred azcore.TokenCredential }

// Do implements [policy.Policy].
func (p refusedToken) Do(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	if err == nil && resp.StatusCode == http.StatusUnauthorized {
		if cred, ok := p.cred.(dropper); ok {
			cred.drop()
		}
	}
	return resp, err
}
