package apitest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// assertionType is the only kind of client assertion there is.
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// workloadAudience is what a workload's identity token is made out to.
const workloadAudience = "api://AzureADTokenExchange"

// assertion checks a certificate's or a workload's JWT: that it is one, its
// audience, its issuer and its time. Any signature will do, because the tenant
// knows neither certificates nor other issuers.
// See https://learn.microsoft.com/entra/identity-platform/certificate-credentials.
func (l login) assertion() *reply {
	refuse := func(code int, text string) *reply {
		r := l.refuse(http.StatusUnauthorized, "invalid_client", code, text)
		return &r
	}
	var c struct {
		Audience  string  `json:"aud"`
		Issuer    string  `json:"iss"`
		Subject   string  `json:"sub"`
		NotBefore float64 `json:"nbf"`
		Expires   float64 `json:"exp"`
	}
	if l.form.Get("client_assertion_type") != assertionType || readClaims(l.form.Get("client_assertion"), &c) != nil {
		return refuse(50027, "JWT token is invalid or malformed.")
	}
	now := float64(time.Now().Unix())
	const leeway = 300
	switch workload := c.Audience == workloadAudience; {
	case c.Issuer == "" || c.Subject == "":
		return refuse(50027, "JWT token is invalid or malformed: 'iss' and 'sub' are required.")
	case !workload && (!strings.EqualFold(c.Issuer, ClientID) || !strings.EqualFold(c.Subject, ClientID)):
		return refuse(700021, "Client assertion application identifier doesn't match 'client_id' parameter.")
	case !workload && !l.meant(c.Audience):
		return refuse(700023, "Client assertion audience claim does not match Realm issuer.")
	case now > c.Expires+leeway || now < c.NotBefore-leeway:
		return refuse(700024, "Client assertion is not within its valid time range.")
	}
	return nil
}

// meant tells whether the audience names this login host's token endpoint.
func (l login) meant(audience string) bool {
	base := l.authority() + l.tenant
	return slices.Contains([]string{base + "/oauth2/v2.0/token", base + "/v2.0", l.authority() + TenantID + "/v2.0"}, audience)
}
