package main

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/internal/config"
)

// credential signs in to Entra.
type credential struct {
	azcore.TokenCredential
	kind   string
	signIn signIn
}

// signIn is all that a credential is made of, with what its files hold: if two are equal, one is as good as the other.
type signIn struct {
	tenant, client, authority     string
	secret, certificate, password string
	token                         string
	managed                       bool
}

// String is part of [fmt.Stringer].
func (signIn) String() string { return "(hidden)" }

// GoString is part of [fmt.GoStringer].
func (signIn) GoString() string { return "(hidden)" }

func newCredential(o api.CredentialOptions) (credential, error) {
	of := signIn{
		tenant: o.TenantID, client: o.ClientID, authority: o.Authority, secret: o.ClientSecret, password: o.CertificatePassword,
		certificate: contents(o.CertificatePath), token: contents(o.FederatedTokenFile), managed: o.Managed,
	}
	cred, kind, err := api.NewCredential(o)
	if err != nil {
		return credential{}, config.UsageError{Err: fmt.Errorf("the credential for Defender cannot be used: %w", err)}
	}
	return credential{cred, kind, of}, nil
}

// contents is what a file holds; one that cannot be read is told by who needs it.
func contents(path string) string {
	if path == "" {
		return ""
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(raw)
}

// newClient makes the client of Defender.
func newClient(cred azcore.TokenCredential, kind string, options api.Options, log *slog.Logger) (*api.Client, error) {
	options.Logger = log
	client, err := api.NewClient(cred, &options)
	if err != nil {
		return nil, config.UsageError{Err: fmt.Errorf("DEFENDER_API_URL, DEFENDER_SCOPE: %w", err)}
	}
	log.Debug("using Defender", "host", client.Host(), "credential", kind)
	return client, nil
}
