package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/doctor"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
)

func TestDoctorEntraRefusals(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	for code, cure := range map[int]string{
		7000215: "the value of a client secret, not to its id", 7000222: "client secret of this bot's app has expired", 700016: "AZURE_CLIENT_ID",
		90002: "knows no such tenant", 900023: "Directory (tenant) ID", 500011: "does not know Defender's API",
		700027: "The certificate is not one of this bot's app", 700024: "set the clock", 700211: "issuer", 700213: "subject", 7000112: "enable it",
		53003: "Conditional Access", 65001: "Grant admin consent", 1002012: "/.default", 4711: "reference-error-codes", 50196: "asks in a loop",
		700021: "of another app", 700212: "audience", 7000229: "grant admin consent", 500014: "enable WindowsDefenderATP",
	} {
		fault := apitest.EntraRefusing(code)
		heal := c.defender.Inject(fault)
		d := c.examine(t, nil)
		d.wants(t, "entra-token", "fail", fault.Name, cure)
		d.wants(t, "entra-roles", "skip", "there is no token", "")
		d.wants(t, "defender", "skip", "there is no token", "")
		d.only(t, "entra-token")
		heal()
	}
}

func TestDoctorEntraSettings(t *testing.T) {
	t.Parallel()
	const nobody = "99999999-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	for _, c := range []struct{ name, setting, value, check, found, cure string }{
		{"wrong secret", "AZURE_CLIENT_SECRET", "hunter2", "entra-token", "AADSTS7000215", "set AZURE_CLIENT_SECRET to the value"},
		{"unknown app", "AZURE_CLIENT_ID", nobody, "entra-token", "AADSTS700016", "AZURE_CLIENT_ID"},
		{"unknown tenant", "AZURE_TENANT_ID", nobody, "entra-token", "AADSTS90002", "AZURE_TENANT_ID"},
		{"no Entra there", "AZURE_AUTHORITY_HOST", "https://127.0.0.1:1", "entra-reached", "cannot be reached", "nothing listens there"},
		{"unknown resource", "DEFENDER_SCOPE", "https://elsewhere.example/.default", "entra-token", "AADSTS500011", "DEFENDER_SCOPE"},
		{"secret missing", "AZURE_CLIENT_SECRET", "", "configuration", "AZURE_CLIENT_SECRET is missing", "correct it"},
		{"Defender not there", "DEFENDER_API_URL", "https://127.0.0.1:1", "defender", "Defender cannot be reached", "nothing listens there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newClinic(t, sandbox.Options{}).examine(t, map[string]string{c.setting: c.value})
			d.wants(t, c.check, "fail", c.found, c.cure)
			d.wants(t, "slack-bot-token", "ok", "", "")
			d.wants(t, "database", "ok", "", "")
			d.only(t, c.check)
		})
	}
}

// Where Entra does not know the resource, other spellings of the scope are tried and named.
func TestDoctorOtherScopes(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	for _, tc := range []struct{ cloud, scope, cure string }{
		{"public", "https://elsewhere.example/.default", "set DEFENDER_SCOPE=https://api.securitycenter.microsoft.com/.default: by that spelling a token comes"},
		{"gcc-high", "https://elsewhere.example/.default", "set DEFENDER_SCOPE=https://api-gov.securitycenter.microsoft.us/.default"},
	} {
		d := c.examine(t, map[string]string{"DEFENDER_CLOUD": tc.cloud, "DEFENDER_SCOPE": tc.scope})
		d.wants(t, "entra-token", "fail", "AADSTS500011", tc.cure)
	}
	c.defender.Inject(apitest.EntraRefusing(500011))
	d := c.examine(t, map[string]string{"DEFENDER_CLOUD": "gcc-high", "DEFENDER_SCOPE": ""})
	d.wants(t, "entra-token", "fail", "AADSTS500011", "other spellings were tried, too: https://securitycenter.onmicrosoft.us/windowsatpservice/.default")
}

// A token for Defender's own host, which Defender refuses.
func TestDoctorAudience(t *testing.T) {
	t.Parallel()
	d := newClinic(t, sandbox.Options{}).examine(t, map[string]string{"DEFENDER_SCOPE": "https://api.security.microsoft.com/.default"})
	d.wants(t, "entra-token", "warn", "not known to accept tokens for https://api.security.microsoft.com", "leave DEFENDER_SCOPE empty")
	d.wants(t, "defender", "fail", "Defender refuses this bot", "DEFENDER_SCOPE")
	d.only(t, "entra-token", "defender")
}

// Every role that can be used, missing in turn.
func TestDoctorRoles(t *testing.T) {
	t.Parallel()
	all := []string{}
	for _, r := range doctor.Roles() {
		all = append(all, r.Name)
	}
	for _, missing := range doctor.Roles() {
		t.Run(missing.Name, func(t *testing.T) {
			t.Parallel()
			has := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == missing.Name })
			d := newClinic(t, sandbox.Options{}, has...).examine(t, nil)
			if missing.Required {
				d.wants(t, "entra-roles", "fail", "the role "+missing.Name+" is missing", "grant admin consent")
				d.wants(t, "defender", "fail", "lacks a permission in Defender", "Defender asks for "+missing.Name)
				d.only(t, "entra-roles", "defender")
				return
			}
			d.wants(t, "entra-roles", "ok", "not granted, and not needed: "+missing.Name+" ("+missing.Use+")", "")
			d.only(t)
		})
	}
	t.Run("more than is used", func(t *testing.T) {
		t.Parallel()
		d := newClinic(t, sandbox.Options{}, append(all, "Alert.Read.All", "Machine.ReadWrite.All", "Machine.Isolate")...).examine(t, nil)
		d.wants(t, "entra-roles", "warn", "roles that are not used: Alert.Read.All, Machine.Isolate (which can change things), Machine.ReadWrite.All (which can change things)", "remove it")
		d.only(t, "entra-roles")
	})
}

func TestDoctorDefender(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	heal := c.defender.Inject(apitest.Unlicensed())
	d := c.examine(t, nil)
	d.wants(t, "defender", "fail", "Defender Vulnerability Management is not available", "licence")
	d.only(t, "defender")
	heal()
	c.defender.Inject(apitest.Lying())
	c.examine(t, nil).wants(t, "defender", "fail", "could not be read", "proxy")
}

// Everything swallows, and still the whole takes less than half a minute.
func TestDoctorInTime(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it waits for deadlines")
	}
	c := newClinic(t, sandbox.Options{})
	c.slack.SetFaults(faults.Switches{Latency: time.Minute})
	c.defender.Inject(apitest.Fault{Path: apitest.EntraPath, Delay: time.Minute})
	d := c.examine(t, nil)
	if d.Summary.TookMS > 30_000 {
		t.Errorf("it took %d ms", d.Summary.TookMS)
	}
	d.wants(t, "slack-reached", "fail", "cannot be reached", "firewall")
	d.wants(t, "entra-token", "fail", "Entra does not answer", "firewall")
	d.only(t, "slack-reached", "entra-token")
}

// certificateFile writes a certificate that ends then.
func certificateFile(t *testing.T, end time.Time) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: end.AddDate(-1, 0, 0), NotAfter: end}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "app.pem")
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestDoctorCertificate(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	for status, days := range map[string]int{"ok": 200, "warn": 20, "fail": -1} {
		file := certificateFile(t, time.Now().AddDate(0, 0, days))
		d := c.examine(t, map[string]string{"AZURE_CLIENT_SECRET": "", "AZURE_CLIENT_CERTIFICATE_PATH": file})
		d.wants(t, "entra-certificate", status, time.Now().AddDate(0, 0, days).UTC().Format(time.DateOnly), "")
		d.wants(t, "entra-token", "ok", "signed in by certificate", "")
	}
	broken := filepath.Join(t.TempDir(), "x.pem")
	if err := os.WriteFile(broken, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := c.examine(t, map[string]string{"AZURE_CLIENT_SECRET": "", "AZURE_CLIENT_CERTIFICATE_PATH": broken})
	d.wants(t, "entra-certificate", "fail", "cannot be read", "PEM or PKCS#12")
	d.wants(t, "entra-token", "fail", "the credential cannot be used", "")
}

// What answers in Defender's place is told as that.
func TestDoctorNotDefender(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	for name, tc := range map[string]struct {
		fault apitest.Fault
		found string
	}{
		"a gateway":         {apitest.Fault{Status: 404, Body: `{"statusCode":404,"message":"Resource not found"}`}, "This is not Defender's API"},
		"no such list":      {apitest.Fault{Status: 404, Code: "ResourceNotFound", Message: "m"}, "This is not Defender's API"},
		"any list":          {apitest.Fault{Body: `{"value":[]}`}, "This is not Defender's API"},
		"a firewall":        {apitest.Fault{Status: 403, Body: "<html></html>", ContentType: "text/html"}, "Something between this bot and Defender refuses"},
		"another API's 403": {apitest.Fault{Status: 403, Body: `{"statusCode":403}`}, "Something between this bot and Defender refuses"},
	} {
		heal := c.defender.Inject(tc.fault)
		d := c.examine(t, nil)
		d.wants(t, "defender", "fail", tc.found, "DEFENDER_API_URL")
		d.only(t, "defender")
		heal()
		if t.Failed() {
			t.Fatal(name)
		}
	}
}
