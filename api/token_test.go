package api_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
)

// anyToken is a credential that has one token.
type anyToken string

func (a anyToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(a)}, nil
}

func jwt(claims string) anyToken {
	return anyToken("e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln")
}

func entraCredential(t *testing.T, s *apitest.Server, secret string) azcore.TokenCredential {
	t.Helper()
	cred, _, err := api.NewCredential(api.CredentialOptions{
		TenantID: apitest.TenantID, ClientID: apitest.ClientID, ClientSecret: secret, Authority: s.URL, Transport: s.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return cred
}

func TestInspectToken(t *testing.T) {
	t.Parallel()
	s, err := apitest.Start(apitest.Options{Roles: []string{"Vulnerability.Read.All", "Software.Read.All"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	got, err := api.InspectToken(t.Context(), entraCredential(t, s, apitest.ClientSecret), s.Scope())
	if err != nil {
		t.Fatal(err)
	}
	want := api.TokenInfo{
		Audience: apitest.Resource, Tenant: apitest.TenantID, App: apitest.ClientID, Roles: []string{"Software.Read.All", "Vulnerability.Read.All"},
		Issued: time.Now(), Expires: time.Now().Add(time.Hour),
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApproxTime(time.Minute), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("token (-want +got):\n%s", diff)
	}
	if !api.FitsDefender(got.Audience) {
		t.Error("its audience does not fit")
	}
	if _, err := api.InspectToken(t.Context(), entraCredential(t, s, "wrong"), s.Scope()); !errors.Is(err, api.ErrCredential) || !strings.Contains(err.Error(), "AADSTS7000215") {
		t.Errorf("a wrong secret: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := api.InspectToken(ctx, entraCredential(t, s, apitest.ClientSecret), s.Scope()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// What Entra says to each of its codes comes through, without ids of requests.
func TestInspectTokenTellsTheCode(t *testing.T) {
	t.Parallel()
	for code, kind := range map[int]error{90002: api.ErrCredential, 7000222: api.ErrCredential, 500011: api.ErrLicence, 65001: api.ErrPermission} {
		s, err := apitest.Start(apitest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		fault := apitest.EntraRefusing(code)
		s.Inject(fault)
		_, err = api.InspectToken(t.Context(), entraCredential(t, s, apitest.ClientSecret), s.Scope())
		if e, ok := errors.AsType[*api.Error](err); !ok || !errors.Is(err, kind) || e.Code != fault.Name || strings.Contains(e.Message, "Trace ID") {
			t.Errorf("%d: %v", code, err)
		}
	}
}

func TestTokensThatSayOtherThings(t *testing.T) {
	t.Parallel()
	got, err := api.InspectToken(t.Context(), jwt(`{"aud":"fc780465-2017-40d4-a0c5-307022471b92","azp":"app","scp":"b a","tid":"t\n"}`), "")
	if err != nil || got.App != "app" || !cmp.Equal(got.Scopes, []string{"a", "b"}) || got.Tenant != "t" || !api.FitsDefender(got.Audience) {
		t.Errorf("version 2: %+v, %v", got, err)
	}
	for _, token := range []anyToken{"s3cr3t", "a.s3cr3t!.c", jwt(`s3cr3t`), jwt(`{"aud":["s3cr3t"]}`)} {
		if _, err := api.InspectToken(t.Context(), token, ""); !errors.Is(err, api.ErrBadResponse) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%q: %v", token, err)
		}
	}
}

func TestFitsDefender(t *testing.T) {
	t.Parallel()
	for audience, want := range map[string]bool{
		"https://api.securitycenter.microsoft.com": true, "https://api.securitycenter.microsoft.com/": true,
		"https://api-gov.securitycenter.microsoft.us": true, "https://securitycenter.onmicrosoft.com/windowsatpservice": true,
		"https://api.security.microsoft.com": false, "https://graph.microsoft.com": false, "": false,
	} {
		if got := api.FitsDefender(audience); got != want {
			t.Errorf("%q: %v", audience, got)
		}
	}
}
