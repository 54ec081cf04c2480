package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"
	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/bot/blocks"
)

// keep writes a file that only its owner can read.
func keep(tb testing.TB, name, content string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// env returns an environment of the given variables.
func env(values map[string]string) Environment {
	return func(name string) (string, bool) {
		v, ok := values[name]
		return v, ok
	}
}

// parse reads the settings of a command line, an environment and the file that they name.
func parse(t *testing.T, variables map[string]string, args ...string) Settings {
	t.Helper()
	var command struct {
		Settings
		Config string `env:"MISSINGKBS_CONFIG"`
	}
	parser, err := kong.New(&command, kong.Resolvers(Resolver{Env: env(variables), File: ReadFile(args, env(variables))}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Fatal(err)
	}
	return command.Settings
}

func TestSettingsReachTheParts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	if err := os.WriteFile(file, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var m Errors
	slack, options := Slack{AppToken: Secret{text: "xapp-1"}, BotToken: Secret{text: "xoxb-1"}, APIURL: "http://localhost:1/api", Tables: "Classic", Timeout: "7s"}.Read(&m)
	if appToken, botToken := slack.Tokens.Current(); appToken != "xapp-1" || botToken != "xoxb-1" || slack.APIURL != "http://localhost:1/api/" {
		t.Errorf("Slack: tokens %q and %q at %s", appToken, botToken, slack.APIURL)
	}
	if options.Tables != blocks.TablesClassic || options.Timeout != 7*time.Second {
		t.Errorf("options %+v", options)
	}
	d := Defender{
		TenantID: exampleID, ClientID: exampleID, ClientSecret: Secret{text: "@" + file}, Cloud: "gcc-high", PerMinute: "0", PerHour: "100", CacheTTL: "0",
		AuthorityHost: "https://login.example/", APIURL: "https://api.example", Scope: "api://scope/.default",
	}
	client := d.ReadClient(&m)
	want := api.Options{
		Cloud:     api.Cloud{Name: client.Cloud.Name, Endpoint: "https://api.example", Scope: "api://scope/.default", Authority: "https://login.example/"},
		PerMinute: -1, PerHour: 100, CacheTTL: -1, ApplicationID: "missingkbs",
	}
	if diff := cmp.Diff(want, client, cmpopts.IgnoreTypes(tracing.Provider{}), cmpopts.IgnoreUnexported(policy.RetryOptions{})); diff != "" {
		t.Errorf("Defender (-want +got):\n%s", diff)
	}
	if got := d.ReadCredential(&m, "a"); got.ClientSecret != "from a file" || got.Authority != "a" {
		t.Errorf("credential: secret %q, authority %q", got.ClientSecret, got.Authority)
	}
	if err := m.Err(); err != nil {
		t.Error(err)
	}
}

func TestCredentialSettings(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		s    Defender
		says string // "" for no mistake
	}{
		"secret":                    {Defender{TenantID: exampleID, ClientID: exampleID, ClientSecret: Secret{text: "s"}}, ""},
		"certificate":               {Defender{TenantID: exampleID, ClientID: exampleID, CertificatePath: file}, ""},
		"workload identity":         {Defender{TenantID: exampleID, ClientID: exampleID, FederatedTokenFile: file}, ""},
		"managed identity":          {Defender{ClientID: exampleID}, ""},
		"system's managed identity": {Defender{ClientID: "system"}, ""},
		"nothing":                   {Defender{}, "AZURE_CLIENT_SECRET is missing"},
		"ids alone":                 {Defender{TenantID: exampleID, ClientID: exampleID}, "AZURE_CLIENT_SECRET is missing"},
		"secret file gone":          {Defender{TenantID: exampleID, ClientID: exampleID, ClientSecret: Secret{text: "@/no/such"}}, "AZURE_CLIENT_SECRET names a file"},
		"secret alone":              {Defender{ClientSecret: Secret{text: "s"}}, "AZURE_TENANT_ID is missing"},
	} {
		var m Errors
		got := c.s.ReadCredential(&m, "")
		if managed := strings.Contains(name, "managed"); got.Managed != managed && c.says == "" {
			t.Errorf("%s: managed identity %v, want %v", name, got.Managed, managed)
		}
		if name == "system's managed identity" && got.ClientID != "" {
			t.Errorf("the system's identity has the client id %q", got.ClientID)
		}
		err := m.Err()
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %q", name, err, c.says)
		}
	}
}
