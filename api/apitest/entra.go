package apitest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// login is a request to Entra, taken apart.
type login struct {
	*http.Request
	tenant string // first segment of the path
	form   url.Values
	id     string
}

func (l login) authority() string { return "https://" + l.Host + "/" }

// serveEntra answers the paths of the login host.
func (t *Tenant) serveEntra(w http.ResponseWriter, r *http.Request) {
	tenant, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	l := login{Request: r, tenant: strings.ToLower(tenant), id: newID()}
	if r.Method == http.MethodPost && r.ParseForm() == nil {
		l.form = r.PostForm
	}
	var f trouble
	var out reply
	switch strings.ToLower(rest) {
	case "v2.0/.well-known/openid-configuration":
		out = l.discovery()
	case "oauth2/v2.0/devicecode":
		out = t.app.startDevice(l)
	case "oauth2/v2.0/token":
		t.calls.countToken()
		f = t.faults.take(EntraPath)
		if !f.wait(r.Context()) {
			return
		}
		out = t.token(l, f)
	default:
		http.NotFound(w, r)
		return
	}
	if out.mediaType == "" {
		out.mediaType = "application/json; charset=utf-8"
	}
	out.writeTo(w, out.bytes(), f.cut())
}

func (l *callLog) countToken() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tokens++
}

// discovery is the OpenID configuration: where to ask for tokens.
func (l login) discovery() reply {
	if bad := l.knowsTenant(); bad != nil {
		return *bad
	}
	base := l.authority() + l.tenant
	return ok(map[string]any{
		"token_endpoint":                        base + "/oauth2/v2.0/token",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"device_authorization_endpoint":         base + "/oauth2/v2.0/devicecode",
		"authorization_endpoint":                base + "/oauth2/v2.0/authorize",
		"jwks_uri":                              base + "/discovery/v2.0/keys",
		"issuer":                                l.authority() + TenantID + "/v2.0",
		"response_types_supported":              []string{"code", "id_token"},
		"scopes_supported":                      []string{"openid", "profile", "email", "offline_access"},
		"tenant_region_scope":                   "EU",
	})
}

// token is the token endpoint.
func (t *Tenant) token(l login, f trouble) reply {
	if f.decides() {
		if f.fault.Body != "" {
			return f.reply()
		}
		r := l.refuse(f.fault.Status, f.fault.Code, 0, f.fault.Message)
		r.retryAfter = f.fault.RetryAfter
		return r
	}
	for _, check := range []func() *reply{l.knowsTenant, l.knowsClient} {
		if bad := check(); bad != nil {
			return *bad
		}
	}
	switch grant := l.form.Get("grant_type"); grant {
	case "":
		return l.refuse(http.StatusBadRequest, "invalid_request", 900144, "The request body must contain the following parameter: 'grant_type'.")
	case "client_credentials":
		return t.app.clientCredentials(l)
	case "device_code", "urn:ietf:params:oauth:grant-type:device_code":
		return t.app.redeemDevice(l)
	case "refresh_token":
		return t.app.redeemRefresh(l)
	default:
		return l.refuse(http.StatusBadRequest, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '"+grant+"'.")
	}
}

func (l login) knowsTenant() *reply {
	if slices.Contains([]string{TenantID, "organizations", "common", "contoso.example"}, l.tenant) {
		return nil
	}
	r := l.refuse(http.StatusBadRequest, "invalid_request", 90002, fmt.Sprintf("Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. "+
		"Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.", l.tenant))
	return &r
}

func (l login) knowsClient() *reply {
	id := l.form.Get("client_id")
	if strings.EqualFold(id, ClientID) {
		return nil
	}
	r := l.refuse(http.StatusBadRequest, "unauthorized_client", 700016, fmt.Sprintf("Application with identifier '%s' was not found in the directory 'Contoso'. "+
		"This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. "+
		"You may have sent your authentication request to the wrong tenant.", id))
	return &r
}

// clientCredentials gives the app a token of its own.
func (a *app) clientCredentials(l login) reply {
	audience, bad := l.audience()
	if bad != nil {
		return *bad
	}
	if bad := a.proof(l); bad != nil {
		return *bad
	}
	return ok(map[string]any{
		"token_type": "Bearer", "expires_in": int(tokenLife.Seconds()), "ext_expires_in": int(tokenLife.Seconds()),
		"access_token": a.appToken(audience),
	})
}

// proof checks the secret or the assertion.
func (a *app) proof(l login) *reply {
	a.seen.add(l.form.Get("client_secret"))
	a.seen.add(l.form.Get("client_assertion"))
	if l.form.Has("client_assertion") {
		return l.assertion()
	}
	a.mu.Lock()
	good := l.form.Get("client_secret") == a.secret
	a.mu.Unlock()
	if good {
		return nil
	}
	if l.form.Get("client_secret") == "" {
		r := l.refuse(http.StatusUnauthorized, "invalid_client", 7000216, "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.")
		return &r
	}
	r := l.refuse(http.StatusUnauthorized, "invalid_client", 7000215, fmt.Sprintf("Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "+
		"not the client secret ID, for a secret added to app '%s'.", ClientID))
	return &r
}

// audience is the resource of a scope such as https://host/.default.
func (l login) audience() (string, *reply) {
	for scope := range strings.FieldsSeq(l.form.Get("scope")) {
		resource, isDefault := strings.CutSuffix(scope, "/.default")
		if !isDefault {
			if resource = permissionResource(scope); resource == "" {
				continue
			}
		}
		// Entra knows more resources than Defender takes tokens for.
		others := []string{"https://api.security.microsoft.com", "https://graph.microsoft.com", "https://management.azure.com"}
		if known := strings.TrimSuffix(resource, "/"); slices.Contains(audiences(), known) || slices.Contains(others, known) {
			return known, nil
		}
		r := l.refuse(http.StatusBadRequest, "invalid_resource", 500011, fmt.Sprintf("The resource principal named %s was not found in the tenant named Contoso. "+
			"This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. "+
			"You might have sent your authentication request to the wrong tenant.", resource))
		return "", &r
	}
	r := l.refuse(http.StatusBadRequest, "invalid_scope", 1002012, fmt.Sprintf("The provided value for scope %s is not valid. "+
		"Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).", l.form.Get("scope")))
	return "", &r
}

// permissionResource is the resource of a scope that names one permission,
// as in https://host/Software.Read.
func permissionResource(scope string) string {
	if !strings.HasPrefix(scope, "https://") {
		return ""
	}
	return scope[:strings.LastIndexByte(scope, '/')]
}

// refuse is an error in Entra's form. A code of 0 leaves the text as it is.
// See https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
func (l login) refuse(status int, kind string, code int, text string) reply {
	now := time.Now().UTC().Format("2006-01-02 15:04:05Z")
	correlation := l.Header.Get("client-request-id")
	if correlation == "" {
		correlation = l.id
	}
	codes := []int{}
	if code != 0 {
		text = fmt.Sprintf("AADSTS%d: %s", code, text)
		codes = append(codes, code)
	}
	return reply{status: status, body: map[string]any{
		"error": kind, "error_codes": codes, "timestamp": now, "trace_id": l.id, "correlation_id": correlation,
		"error_description": fmt.Sprintf("%s Trace ID: %s Correlation ID: %s Timestamp: %s", text, l.id, correlation, now),
		"error_uri":         fmt.Sprintf("%serror?code=%d", l.authority(), code),
	}}
}
