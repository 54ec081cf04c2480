package apitest

import (
	"fmt"
	"net/http"
	"time"
)

// entraRefusal is one of Entra's ways to say no to an app.
type entraRefusal struct {
	code   int
	status int
	kind   string // the error of OAuth
	text   string
}

// entraRefusals are those that an app which asks for a token of its own meets, in Entra's words.
// See https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
func entraRefusals() []entraRefusal {
	return []entraRefusal{
		{53003, http.StatusBadRequest, "invalid_grant", "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."},
		{50196, http.StatusBadRequest, "invalid_request", "The server terminated an operation because it encountered a client request loop. Please contact your app vendor."},
		{65001, http.StatusBadRequest, "invalid_grant", "The user or administrator has not consented to use the application with ID '" + ClientID + "' named 'missingkbs'. Send an interactive authorization request for this user and resource."},
		{90002, http.StatusBadRequest, "invalid_request", "Tenant '" + TenantID + "' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."},
		{500011, http.StatusBadRequest, "invalid_resource", "The resource principal named " + Resource + " was not found in the tenant named Contoso. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant."},
		{500014, http.StatusBadRequest, "invalid_resource", "The service principal for resource '" + Resource + "' is disabled. This indicate that a subscription within the tenant has lapsed, or that the administrator for this tenant has disabled the application, preventing tokens from being issued for it."},
		{700016, http.StatusBadRequest, "unauthorized_client", "Application with identifier '" + ClientID + "' was not found in the directory 'Contoso'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."},
		{700021, http.StatusUnauthorized, "invalid_client", "Client assertion application identifier doesn't match 'client_id' parameter. Review the documentation at https://docs.microsoft.com/azure/active-directory/develop/active-directory-certificate-credentials."},
		{700024, http.StatusUnauthorized, "invalid_client", "Client assertion is not within its valid time range."},
		{700027, http.StatusUnauthorized, "invalid_client", "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found.]"},
		{700211, http.StatusUnauthorized, "invalid_client", "No matching federated identity record found for presented assertion issuer 'https://issuer.test'."},
		{700212, http.StatusUnauthorized, "invalid_client", "No matching federated identity record found for presented assertion audience 'https://audience.test'."},
		{700213, http.StatusUnauthorized, "invalid_client", "No matching federated identity record found for presented assertion subject 'system:serviceaccount:missingkbs:bot'."},
		{900023, http.StatusBadRequest, "invalid_request", "Specified tenant identifier 'contoso' is neither a valid DNS name, nor a valid external domain."},
		{1002012, http.StatusBadRequest, "invalid_scope", "The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."},
		{7000112, http.StatusUnauthorized, "unauthorized_client", "Application '" + ClientID + "'(missingkbs) is disabled."},
		{7000215, http.StatusUnauthorized, "invalid_client", "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '" + ClientID + "'."},
		{7000229, http.StatusUnauthorized, "unauthorized_client", "The client application " + ClientID + " is missing service principal in the tenant " + TenantID + "."},
		{7000222, http.StatusUnauthorized, "invalid_client", "The provided client secret keys for app '" + ClientID + "' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds."},
	}
}

// EntraRefusing has Entra refuse every request for a token with one of its codes, such as 7000222 for a secret that has
// expired. A code that the package does not know is refused too, in words that say little.
func EntraRefusing(code int) Fault {
	r := entraRefusal{code, http.StatusBadRequest, "invalid_request", "The request was refused."}
	for _, known := range entraRefusals() {
		if known.code == code {
			r = known
		}
	}
	return Fault{
		Name: fmt.Sprintf("AADSTS%d", code), Path: EntraPath, Status: r.status, Code: r.kind,
		Message: fmt.Sprintf("AADSTS%d: %s", code, r.text),
	}
}

// SetClockSkew makes the service date its answers by a clock that is wrong by so much, as they look to a machine whose
// own clock is wrong the other way. Nothing else goes by it.
func (t *Tenant) SetClockSkew(skew time.Duration) { t.skew.Store(int64(skew)) }

// misdate sets the Date header of an answer where the clocks are to disagree.
func (t *Tenant) misdate(h http.Header) {
	if skew := time.Duration(t.skew.Load()); skew != 0 {
		h.Set("Date", time.Now().Add(skew).UTC().Format(http.TimeFormat))
	}
}
