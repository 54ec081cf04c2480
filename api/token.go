package api

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// TokenInfo is the content of an access token. It is only for display: nothing in it was verified, which is Defender's
// task.
type TokenInfo struct {
	Audience string    // the resource that it admits to
	Tenant   string    // id
	App      string    // id of the application
	Roles    []string  // application permissions, sorted
	Scopes   []string  // delegated permissions, of a person who signed in; sorted
	Expires  time.Time // by the clock of its issuer
	Issued   time.Time
}

// InspectToken asks the credential for a token and returns what it contains, but not the token itself. It returns an
// [*Error], as a call that needed the token would.
func InspectToken(ctx context.Context, cred azcore.TokenCredential, scope string) (TokenInfo, error) {
	token, err := cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
	if err != nil {
		if ctx.Err() != nil {
			return TokenInfo{}, &Error{Err: ctx.Err()}
		}
		return TokenInfo{}, signInFailed(err)
	}
	info, err := readToken(token.Token)
	if err != nil {
		return TokenInfo{}, &Error{Kind: ErrBadResponse, Message: "the token that came cannot be read"}
	}
	return info, nil
}

// readToken decodes the claims of a JWT. Its errors hold nothing of it.
// See https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference.
func readToken(token string) (TokenInfo, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return TokenInfo{}, errNoJWT
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return TokenInfo{}, errNoJWT
	}
	var c struct {
		Audience string   `json:"aud"`
		Tenant   string   `json:"tid"`
		App      string   `json:"appid"` // version 1
		Azp      string   `json:"azp"`   // version 2
		Roles    []string `json:"roles"`
		Scopes   string   `json:"scp"`
		Expires  int64    `json:"exp"`
		Issued   int64    `json:"iat"`
	}
	if json.Unmarshal(body, &c) != nil {
		return TokenInfo{}, errNoJWT
	}
	info := TokenInfo{
		Audience: oneLine(c.Audience), Tenant: oneLine(c.Tenant), App: oneLine(cmp.Or(c.App, c.Azp)), Roles: c.Roles, Scopes: strings.Fields(c.Scopes),
		Expires: time.Unix(c.Expires, 0).UTC(), Issued: time.Unix(c.Issued, 0).UTC(),
	}
	slices.Sort(info.Roles)
	slices.Sort(info.Scopes)
	return info, nil
}

var errNoJWT = errors.New("not a JWT")

// defenderAppID is the application WindowsDefenderATP, which a token of version 2 names in place of its address.
const defenderAppID = "fc780465-2017-40d4-a0c5-307022471b92"

// FitsDefender reports whether Defender, in some cloud, is known to take tokens for an audience. Others are refused with
// 403: also those for https://api.security.microsoft.com, though it is the name of the host.
// See https://learn.microsoft.com/defender-endpoint/api/exposed-apis-create-app-webapp.
func FitsDefender(audience string) bool {
	known := []string{
		defenderAppID, "https://securitycenter.onmicrosoft.com/windowsatpservice", "https://securitycenter.onmicrosoft.us/windowsatpservice",
	}
	for _, c := range clouds() {
		known = append(known, strings.TrimSuffix(c.Scope, "/.default"))
	}
	return slices.Contains(known, strings.ToLower(strings.TrimSuffix(audience, "/")))
}

// Regions are the names that [LookupCloud] takes for the regions of the public cloud.
func Regions() []string { return regions() }

// CertificateExpiry returns when the certificate of a credential expires. For a file with several it is the first,
// which belongs to the key.
func CertificateExpiry(path, password string) (time.Time, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return time.Time{}, err
	}
	certs, _, err := azidentity.ParseCertificates(file, []byte(password))
	if err != nil {
		return time.Time{}, fmt.Errorf("read %s: %w", path, err)
	}
	return certs[0].NotAfter, nil
}
