package api_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
)

// A question to a tenant in memory, behind real TLS and with a real sign-in.
// Against Defender, leave out Authority, Endpoint and both Transports.
func Example() {
	tenant, err := apitest.Start(apitest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenant.Close()

	cred, kind, err := api.NewCredential(api.CredentialOptions{
		TenantID: apitest.TenantID, ClientID: apitest.ClientID, ClientSecret: apitest.ClientSecret,
		Authority: tenant.URL, Transport: tenant.Client(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := api.NewClient(cred, &api.Options{
		Cloud:     api.Cloud{Endpoint: tenant.URL, Scope: tenant.Scope()},
		Transport: tenant.Client(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	answer, err := client.MissingKBs(context.Background(), "microsoft-_-edge")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("signed in with a", kind)
	for _, kb := range answer.Value {
		fmt.Printf("KB%s %s: %d devices, %d CVEs\n", kb.ID, kb.Name, kb.MachineMissedOn, kb.CVEAddressed)
	}

	_, err = client.MissingKBs(context.Background(), "microsoft-_-egde")
	fmt.Println("not found:", errors.Is(err, api.ErrNotFound))
	// Output:
	// signed in with a client secret
	// KB4540673 March 2020 Security Updates: 240 devices, 14 CVEs
	// not found: true
}
