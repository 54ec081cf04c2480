package apitest

import (
	"net/http"
	"slices"
	"strings"
)

// caller is who a token speaks for.
type caller struct {
	roles     []string
	delegated bool // the app in a person's name
}

// audiences are the resources whose tokens the API takes. It is not among
// them that some hosts of the API are called api.security.microsoft.com: a
// token for that name gets 403, as live.
// See https://learn.microsoft.com/defender-endpoint/api/exposed-apis-create-app-webapp.
func audiences() []string {
	return []string{
		Resource,
		"https://api-gcc.securitycenter.microsoft.us",
		"https://api-gov.securitycenter.microsoft.us",
		"https://securitycenter.onmicrosoft.com/windowsatpservice",
		"https://securitycenter.onmicrosoft.us/windowsatpservice",
	}
}

// authenticate reads the Authorization header; the reply is nil if all is well.
func (a *app) authenticate(header string) (caller, *reply) {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return caller{}, unauthorized("Authorization header is missing or is not a bearer token.")
	}
	c, err := a.verify(strings.TrimSpace(token))
	if err != nil || c.Refresh {
		return caller{}, unauthorized("Unauthorized request - reason of failure: " + reason(err))
	}
	if !slices.Contains(audiences(), strings.TrimSuffix(c.Audience, "/")) {
		r := failure(http.StatusForbidden, "Forbidden", "The audience of the token is not accepted: "+c.Audience)
		return caller{}, &r
	}
	// What the app may do is looked up now, not in the token: SetRoles is
	// there to be seen at once.
	a.mu.Lock()
	defer a.mu.Unlock()
	by := caller{roles: slices.Clone(a.roles), delegated: c.Scopes != ""}
	if c.UPN != "" {
		by.roles, by.delegated = delegated(a.roles), true
	}
	return by, nil
}

func reason(err error) string {
	if err == nil {
		return errToken.Error()
	}
	return err.Error()
}

func unauthorized(message string) *reply {
	r := failure(http.StatusUnauthorized, "Unauthorized", message)
	r.header = http.Header{"Www-Authenticate": {"Bearer"}}
	return &r
}

// lacksRole is the reply to a caller with none of the application roles, or
// for a person none of their delegated counterparts; nil if there is one.
func (c caller) lacksRole(required ...string) *reply {
	message := "Missing application roles. API required roles: " + strings.Join(required, ",") + ", application roles: " + strings.Join(c.roles, ",") + "."
	if c.delegated {
		required = delegated(required)
		message = "The application does not have any of the required delegated permissions (" + strings.Join(required, ", ") + ") to access the resource."
	}
	for _, role := range required {
		if slices.Contains(c.roles, role) {
			return nil
		}
	}
	r := failure(http.StatusForbidden, "Forbidden", message)
	return &r
}
