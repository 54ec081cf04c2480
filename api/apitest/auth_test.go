package apitest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestBadTokens(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	good := ten.Token()
	for _, c := range []struct {
		name, header string
		status       int
		message      string
	}{
		{"none", "", 401, "Authorization header is missing"},
		{"another scheme", "Basic " + good, 401, "Authorization header is missing"},
		{"no token", "Bearer ", 401, "Authorization header is missing"},
		{"no JWT", "Bearer x", 401, "not valid"},
		{"tampered", "Bearer " + good[:len(good)-2] + "zz", 401, "not valid"},
		{"of another tenant", "Bearer " + NewTenant(Options{Empty: true}).Token(), 401, "not valid"},
		{"for refreshing", "Bearer " + ten.app.refreshToken(), 401, "not valid"},
		{"for another audience", "Bearer " + ten.app.appToken("https://graph.microsoft.com"), 403, "audience"},
		{"for the API's own name", "Bearer " + ten.app.appToken("https://api.security.microsoft.com"), 403, "audience"},
		{"good", "Bearer " + good, 200, ""},
		{"good, in small letters", "bearer " + good, 200, ""},
		{"for a government cloud", "Bearer " + ten.app.appToken("https://api-gov.securitycenter.microsoft.us"), 200, ""},
	} {
		w := askAs(t, ten, edgeKBs, c.header)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.message) {
			t.Errorf("%s: %d %s, want %d %q", c.name, w.Code, w.Body, c.status, c.message)
		}
		code, _, _ := failed(t, w)
		if want := map[int]string{401: "Unauthorized", 403: "Forbidden"}[c.status]; code != want {
			t.Errorf("%s: code %q, want %q", c.name, code, want)
		}
	}
}

func TestTokensExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ten := NewTenant(Options{})
		header := "Bearer " + ten.Token()
		ten.Advance(5 * week)
		time.Sleep(tokenLife - time.Second)
		if w := askAs(t, ten, edgeKBs, header); w.Code != http.StatusOK {
			t.Errorf("before its hour: %d %s", w.Code, w.Body)
		}
		time.Sleep(time.Second)
		if w := askAs(t, ten, edgeKBs, header); w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "expired") {
			t.Errorf("after its hour: %d %s", w.Code, w.Body)
		}
	})
}

func TestRevokeTokens(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	header := "Bearer " + ten.Token()
	ten.RevokeTokens()
	if w := askAs(t, ten, edgeKBs, header); w.Code != http.StatusUnauthorized {
		t.Errorf("revoked: %d", w.Code)
	}
	if w := ask(t, ten, edgeKBs); w.Code != http.StatusOK {
		t.Errorf("a new one: %d", w.Code)
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	const software, machine, vulnerability = "Software.Read.All", "Machine.Read.All", "Vulnerability.Read.All"
	ten := NewTenant(Options{})
	for path, role := range map[string]string{
		"/api/Software": software, "/api/Software/microsoft-_-edge": software, edgeKBs: software,
		"/api/Software/microsoft-_-edge/distributions": software, "/api/Software/microsoft-_-edge/machineReferences": software,
		"/api/Software/microsoft-_-edge/vulnerabilities": vulnerability,
		"/api/machines": machine, "/api/machines/lap-01": machine,
		"/api/machines/lap-01/getmissingkbs": software, "/api/machines/lap-01/software": software,
		"/api/machines/lap-01/vulnerabilities": vulnerability,
		"/api/vulnerabilities":                 vulnerability, "/api/vulnerabilities/machinesVulnerabilities?$top=1": vulnerability,
	} {
		ten.SetRoles("Score.Read.All", "Alert.Read.All")
		w := ask(t, ten, path)
		code, message, _ := failed(t, w)
		required := role
		if role == machine {
			required = "Machine.Read.All,Machine.ReadWrite.All"
		}
		want := "Missing application roles. API required roles: " + required + ", application roles: Score.Read.All,Alert.Read.All."
		if w.Code != http.StatusForbidden || code != "Forbidden" || message != want {
			t.Errorf("%s: %d %s %q, want %q", path, w.Code, code, message, want)
		}
		header := "Bearer " + ten.Token()
		ten.SetRoles(role)
		if w := askAs(t, ten, path, header); w.Code != http.StatusOK {
			t.Errorf("%s with %s: %d %s", path, role, w.Code, w.Body)
		}
	}
}

func TestDelegatedRoles(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{Roles: []string{"Software.Read.All"}})
	header := "Bearer " + ten.app.personToken(Resource)
	if w := askAs(t, ten, edgeKBs, header); w.Code != http.StatusOK {
		t.Errorf("with the permission: %d %s", w.Code, w.Body)
	}
	w := askAs(t, ten, "/api/machines", header)
	if _, message, _ := failed(t, w); w.Code != http.StatusForbidden || !strings.Contains(message, "(Machine.Read, Machine.ReadWrite)") {
		t.Errorf("without: %d %q", w.Code, message)
	}
	ten.SetRoles()
	if w := askAs(t, ten, edgeKBs, header); w.Code != http.StatusForbidden {
		t.Errorf("without any: %d", w.Code)
	}
}

func TestClaims(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{Roles: []string{"Software.Read.All"}})
	var app, person claims
	for token, into := range map[string]*claims{ten.Token(): &app, ten.app.personToken(Resource): &person} {
		if err := readClaims(token, into); err != nil {
			t.Fatal(err)
		}
	}
	if app.Audience != Resource || app.TenantID != TenantID || app.AppID != ClientID || strings.Join(app.Roles, " ") != "Software.Read.All" || app.Scopes != "" || app.Expires-app.IssuedAt != 3599 {
		t.Errorf("app: %+v", app)
	}
	if person.Scopes != "Software.Read" || person.Roles != nil || person.UPN == "" {
		t.Errorf("person: %+v", person)
	}
}

func TestOnlyGet(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "https://defender.test/api/Software", strings.NewReader("{}"))
	r.Header.Set("Authorization", "Bearer "+ten.Token())
	w := httptest.NewRecorder()
	ten.ServeHTTP(w, r)
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d, want 405", w.Code)
	}
}
