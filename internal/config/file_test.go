package config

import (
	"strings"
	"testing"
)

// A file that cannot be used is told with its path and what to write instead. What it holds is not repeated.
func TestFilesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"A: hunter2: x\n":                  ": line 1 is no valid YAML: write NAME",
		"LOG_LEVEL: info\nA: [hunter2\n":   ": line 2 is no valid YAML",
		"xoxb-hunter2\n":                   ": line 1 does not begin with a name",
		"- hunter2\n":                      ": line 1 does not begin with a name",
		"A: 1\nB: 2\nA: 3\n":               ": line 3 has a name that an earlier line has, too",
		"A: {b: hunter2}\n":                ": A takes a single value, such as A: \"…\"",
		"LOG_LEVEL:\n":                     ": LOG_LEVEL takes a single value",
		"root:$6$hunter2:20593:\n":         ": a name in it is no name of a setting; is it the right file?",
		"SLACK_BOT_TOKEN hunter2: \"x\"\n": ": a name in it is no name of a setting",
	} {
		path := keep(t, "settings.yaml", content)
		f := ReadFile([]string{"--config", path}, env(nil))
		if f.Err == nil || !strings.Contains(f.Err.Error(), path+want) || strings.Contains(f.Err.Error(), "hunter2") {
			t.Errorf("%q: got %v, want %q", content, f.Err, want)
		}
		if len(f.values) > 0 {
			t.Errorf("%q: settings are used", content)
		}
	}
	f := ReadFile(nil, env(map[string]string{"MISSINGKBS_CONFIG": t.TempDir()}))
	if f.Err == nil || !strings.Contains(f.Err.Error(), "names a file that cannot be read") || strings.Count(f.Err.Error(), "director") != 1 {
		t.Errorf("a folder: %v", f.Err)
	}
}

// What Entra is known to refuse is refused at the start, by the rule that setup has.
func TestIDsAndScopes(t *testing.T) {
	t.Parallel()
	const id = "8B1F2E9C-3d4a-4f6b-9c2d-1e0f5a7b8c9d"
	secret := Secret{text: "a~b"}
	for name, c := range map[string]struct {
		s    Defender
		says string // "" for no mistake
	}{
		"ids":                  {Defender{TenantID: id, ClientID: id, ClientSecret: secret}, ""},
		"a domain":             {Defender{TenantID: "contoso.onmicrosoft.com", ClientID: id, ClientSecret: secret}, ""},
		"a scope":              {Defender{TenantID: id, ClientID: id, ClientSecret: secret, Scope: "api://x/.default"}, ""},
		"a word":               {Defender{TenantID: "foo", ClientID: id, ClientSecret: secret}, "AZURE_TENANT_ID is not a tenant id: it looks like 8b1f2e9c"},
		"all tenants":          {Defender{TenantID: "common", ClientID: id, ClientSecret: secret}, "AZURE_TENANT_ID is not a tenant id: it looks like"},
		"a name":               {Defender{TenantID: "Contoso Ltd.", ClientID: id, ClientSecret: secret}, "AZURE_TENANT_ID is not a tenant id: it looks like"},
		"an address":           {Defender{TenantID: "https://contoso.com", ClientID: id, ClientSecret: secret}, "AZURE_TENANT_ID is not a tenant id: it looks like"},
		"other letters":        {Defender{TenantID: "contösö.com", ClientID: id, ClientSecret: secret}, "AZURE_TENANT_ID is not a tenant id: it looks like"},
		"dots":                 {Defender{TenantID: "..", ClientID: id, ClientSecret: secret}, "AZURE_TENANT_ID is not a tenant id: it looks like"},
		"braces":               {Defender{TenantID: "{" + id + "}", ClientID: id, ClientSecret: secret}, "AZURE_TENANT_ID is not a tenant id: it looks like"},
		"a name for an app":    {Defender{TenantID: id, ClientID: "missingkbs", ClientSecret: secret}, "AZURE_CLIENT_ID is not an application id: it looks like"},
		"system for an app":    {Defender{TenantID: id, ClientID: "system", ClientSecret: secret}, "AZURE_CLIENT_ID is not an application id: it looks like"},
		"a name for a machine": {Defender{ClientID: "mine"}, `or is the word "system"`},
		"a resource":           {Defender{TenantID: id, ClientID: id, ClientSecret: secret, Scope: "https://api.securitycenter.microsoft.com"}, "DEFENDER_SCOPE takes one scope that ends in /.default"},
		"a permission":         {Defender{TenantID: id, ClientID: id, ClientSecret: secret, Scope: "Software.Read.All"}, "DEFENDER_SCOPE takes"},
		"two scopes":           {Defender{TenantID: id, ClientID: id, ClientSecret: secret, Scope: "a/.default b/.default"}, "DEFENDER_SCOPE takes"},
		"a folder":             {Defender{TenantID: id, ClientID: id, FederatedTokenFile: t.TempDir()}, "AZURE_FEDERATED_TOKEN_FILE names a folder"},
	} {
		var m Errors
		c.s.ReadCredential(&m, "")
		err := m.Err()
		if (err == nil) != (c.says == "") || err != nil && (!strings.Contains(err.Error(), c.says) || len(m.All()) != 1) {
			t.Errorf("%s: got %v, want %q alone", name, err, c.says)
		}
	}
	var m Errors
	Defender{TenantID: id, ClientID: id, ClientSecret: Secret{text: id}}.ReadCredential(&m, "")
	if warned := strings.Join(m.Warnings(), ""); m.Err() != nil || !strings.Contains(warned, "AZURE_CLIENT_SECRET looks like the Secret ID") || strings.Contains(warned, id) {
		t.Errorf("an id for a secret: %v, %q", m.Err(), warned)
	}
}
