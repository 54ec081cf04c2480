package demo

import (
	"fmt"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
)

// StartTenant starts a tenant in memory behind HTTPS and makes a client of it. The caller must close both.
func StartTenant() (*apitest.Server, *api.Client, error) {
	server, err := apitest.Start(apitest.Options{})
	if err != nil {
		return nil, nil, fmt.Errorf("start the tenant: %w", err)
	}
	client, err := NewClient(server)
	if err != nil {
		server.Close()
		return nil, nil, err
	}
	return server, client, nil
}

// NewClient makes a client of a tenant, by the same steps as for a real one. The caller must close it.
func NewClient(server *apitest.Server) (*api.Client, error) {
	cred, _, err := api.NewCredential(api.CredentialOptions{
		TenantID:     apitest.TenantID,
		ClientID:     apitest.ClientID,
		ClientSecret: apitest.ClientSecret,
		Authority:    server.URL,
		Transport:    server.Client(),
	})
	if err != nil {
		return nil, fmt.Errorf("sign in to the tenant: %w", err)
	}
	client, err := api.NewClient(cred, &api.Options{
		Cloud:     api.Cloud{Name: "sandbox", Endpoint: server.URL, Scope: server.Scope(), Authority: server.URL},
		Transport: server.Client(),
		Now:       server.Now, // the tenant's clock, so that moving it ages what is cached
		StaleFor:  staleFor,
		// Weeks pass in seconds there, so more calls do in a minute than a real tenant takes.
		PerMinute: 2000, PerHour: 60_000,
	})
	if err != nil {
		return nil, fmt.Errorf("reach the tenant: %w", err)
	}
	return client, nil
}
