package app

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
)

// Credential signs in to Entra.
type Credential struct {
	azcore.TokenCredential
	kind     string // such as "client secret", for the log
	identity identity
}

// identity is everything that a credential is made of, including the content of its files. Equal identities have equal
// credentials.
type identity struct {
	tenant, client, authority     string
	secret, certificate, password string
	token                         string
	managed                       bool
}

// String implements [fmt.Stringer].
func (identity) String() string { return "(hidden)" }

// GoString implements [fmt.GoStringer].
func (identity) GoString() string { return "(hidden)" }

// NewCredential returns a credential. An error is a [config.UsageError].
func NewCredential(o api.CredentialOptions) (Credential, error) {
	id := identity{
		tenant: o.TenantID, client: o.ClientID, authority: o.Authority, secret: o.ClientSecret, password: o.CertificatePassword,
		certificate: readFile(o.CertificatePath), token: readFile(o.FederatedTokenFile), managed: o.Managed,
	}
	cred, kind, err := api.NewCredential(o)
	if err != nil {
		return Credential{}, config.UsageError{Err: fmt.Errorf("the credential for Defender cannot be used: %w", err)}
	}
	return Credential{cred, kind, id}, nil
}

// readFile returns the content of a file. It ignores errors, because [api.NewCredential] reports them.
func readFile(path string) string {
	if path == "" {
		return ""
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(raw)
}

// NewClient returns a client of Defender. An error is a [config.UsageError].
func NewClient(cred Credential, o api.Options, log *slog.Logger) (*api.Client, error) {
	o.Logger = log
	client, err := api.NewClient(cred.TokenCredential, &o)
	if err != nil {
		return nil, config.UsageError{Err: fmt.Errorf("DEFENDER_API_URL, DEFENDER_SCOPE: %w", err)}
	}
	log.Debug("using Defender", "host", client.Host(), "credential", cred.kind)
	return client, nil
}

// SharedBudget returns the quota that all processes with this database share. It returns nil if one process owns the
// database.
func SharedBudget(database *store.Store) api.Budget {
	if q := database.Quota(digest.DefaultTenant); q != nil {
		return q
	}
	return nil
}

// certExpiry returns a function that reads from the file when the certificate ends, or nil for a credential without one.
func certExpiry(o api.CredentialOptions) func() (time.Time, error) {
	if o.CertificatePath == "" {
		return nil
	}
	return func() (time.Time, error) { return api.CertificateExpiry(o.CertificatePath, o.CertificatePassword) }
}
