package demo

import (
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/missingkbs/missingkbs/api/apitest"
)

// SettingsFile is the name of the file that [Demo.WriteSettings] makes.
const SettingsFile = "settings.env"

// WriteSettings writes into a folder what a separately started bot needs to use the workspace, the tenant and the feeds
// as if they were real: [SettingsFile] with NAME=value lines, and the certificates that it names. It creates the folder
// if necessary, and returns the path of the file. The tokens and the secret are invented, and only work here.
func (d *Demo) WriteSettings(folder string) (string, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("write the settings: %w", err)
	}
	certificate := filepath.Join(folder, "certificate.pem")
	publisher := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d.publisher.Certificate().Raw})
	if err := os.WriteFile(certificate, append(d.tenant.CertPEM(), publisher...), 0o600); err != nil {
		return "", fmt.Errorf("write the settings: %w", err)
	}
	lines := []string{
		"SLACK_APP_TOKEN=" + d.workspace.AppToken(),
		"SLACK_BOT_TOKEN=" + d.workspace.BotToken(),
		"SLACK_API_URL=" + d.workspace.APIURL(),
		"AZURE_TENANT_ID=" + apitest.TenantID,
		"AZURE_CLIENT_ID=" + apitest.ClientID,
		"AZURE_CLIENT_SECRET=" + apitest.ClientSecret,
		"AZURE_AUTHORITY_HOST=" + d.tenant.URL,
		"DEFENDER_API_URL=" + d.tenant.URL,
		"DEFENDER_SCOPE=" + d.tenant.Scope(),
		"MISSINGKBS_MSRC_URL=" + d.publisher.MSRC(),
		"MISSINGKBS_KEV_URL=" + strings.Join(d.publisher.KEV(), ","),
		"SSL_CERT_FILE=" + certificate,
	}
	path := filepath.Join(folder, SettingsFile)
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write the settings: %w", err)
	}
	return path, nil
}
