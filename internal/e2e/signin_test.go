package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/api/apitest"
)

// A person who signs in with a device code gets the answers of the app, with the delegated permission.
func TestAskSignedIn(t *testing.T) {
	t.Parallel()
	defender, err := apitest.Start(apitest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(defender.Close)
	cert := filepath.Join(t.TempDir(), "cert.pem")
	if err := os.WriteFile(cert, defender.CertPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	ask := exec.CommandContext(t.Context(), program(t), "ask", "--sign-in", "device-code", "microsoft-_-edge")
	ask.Env = []string{
		"SSL_CERT_FILE=" + cert, "AZURE_TENANT_ID=" + apitest.TenantID, "AZURE_CLIENT_ID=" + apitest.ClientID,
		"AZURE_AUTHORITY_HOST=" + defender.URL, "DEFENDER_API_URL=" + defender.URL, "DEFENDER_SCOPE=" + defender.Scope(),
	}
	var stdout, stderr bytes.Buffer
	ask.Stdout, ask.Stderr = &stdout, &stderr
	if err := ask.Run(); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	if !strings.Contains(stdout.String(), "KB4540673") {
		t.Errorf("the answer is %q", stdout.String())
	}
	if !strings.Contains(stderr.String(), "code") {
		t.Errorf("nobody was told where to sign in: %q", stderr.String())
	}
}
