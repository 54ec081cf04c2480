package api

import (
	"context"
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// SignIn makes the credential of a person, for a program on that person's
// terminal. The method is one of
//
//	"device-code"  prompt is given a sentence with an address and a code to type there
//	"browser"      a browser is opened on this machine
//	"azure-cli"    the user that is signed in with "az login"
//
// The first two sign in to the app registration of ClientID, which must allow
// public clients and have the delegated permission Software.Read. Nothing happens
// before the first call asks for a token.
func SignIn(method string, o CredentialOptions, prompt func(message string)) (azcore.TokenCredential, error) {
	at, err := o.entra()
	if err != nil {
		return nil, err
	}
	// Without one azidentity signs in to an application of Microsoft's for
	// developers, which has no permission in Defender.
	if o.ClientID == "" && method != "azure-cli" {
		return nil, fmt.Errorf("sign in with %s: the client id of an app registration is needed", method)
	}
	cred, err := at.person(method, o, prompt)
	if err != nil {
		return nil, fmt.Errorf("sign in with %s: %w", method, err)
	}
	return reachable{cred, 0, "", ""}, nil
}

func (at entra) person(method string, o CredentialOptions, prompt func(string)) (azcore.TokenCredential, error) {
	switch method {
	case "device-code":
		return azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
			ClientOptions: at.options, DisableInstanceDiscovery: at.private,
			TenantID: o.TenantID, ClientID: o.ClientID,
			UserPrompt: func(_ context.Context, m azidentity.DeviceCodeMessage) error {
				if prompt != nil {
					prompt(m.Message)
				}
				return nil
			},
		})
	case "browser":
		return azidentity.NewInteractiveBrowserCredential(&azidentity.InteractiveBrowserCredentialOptions{
			ClientOptions: at.options, DisableInstanceDiscovery: at.private,
			TenantID: o.TenantID, ClientID: o.ClientID,
		})
	case "azure-cli":
		return azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: o.TenantID})
	}
	return nil, errors.New("unknown method, want device-code, browser or azure-cli")
}
