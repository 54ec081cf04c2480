package e2e

import (
	"archive/zip"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// A bundle of a bot that runs, whose settings, digests and devices are full of names, and whose question fails: it holds what
// is needed, and none of the names.
func TestBundle(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	c.subscribe(t, "4711", sandbox.General, func(s *digest.Subscription) { s.Watch = []string{"kanarie-_-piepmatz"} })
	c.defender.PutMachine(apitest.Machine{ID: "9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d9b1deb4d", ComputerDNSName: "piepmatz.kanarie.example"})
	folder := filepath.Join(t.TempDir(), "kanarienest")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(folder, "bot.log")
	settings := map[string]string{
		"HTTP_ADDR": freeAddress(t), "MISSINGKBS_ADMIN_USERS": "U0KANARIE1", "MISSINGKBS_ASK_CHANNELS": "C0KANARIE2", "MISSINGKBS_ADMIN_GROUPS": "S0PATCHERS",
		"MISSINGKBS_OPS_CHANNEL": sandbox.General, "MISSINGKBS_WEBHOOK_URL": "https://kanarie.example/hooks/piepmatz", "MISSINGKBS_WEBHOOK_SECRET": "whsec_" + base64.StdEncoding.EncodeToString([]byte("kanarie-kanarie-kanarie-kanarie")),
		"MISSINGKBS_SOCKETS": "3", "AZURE_CLIENT_CERTIFICATE_PASSWORD": "123456",
	}
	all := map[string]string{}
	for _, from := range []map[string]string{c.settings, settings} {
		maps.Copy(all, from)
	}
	serveFor(t, all, log)
	path := filepath.Join(folder, "bundle.zip")
	got := invoke(t, all, "doctor", "--bundle", path, "--question", "machine nothere.kanarie.example", "--log", log)
	if got.code != exitDone {
		t.Fatalf("ends with %d\n%s%s", got.code, got.out, got.err)
	}
	files := unzip(t, path)
	for name, want := range map[string][]string{
		"doctor.json":   {`"check": "slack-bot-token"`, "opens connections: Socket Mode is on", `"check": "database"`},
		"settings.json": {`"name": "MISSINGKBS_ADMIN_USERS"`, `"name": "MISSINGKBS_SOCKETS"`, `"value": "3"`},
		"metrics.txt":   {"missingkbs_"},
		"log.txt":       {`"msg":"`},
		"question.json": {`"words": "machine <`, "/api/machines", `"status": `},
		"version.json":  {"github.com/slack-go/slack"},
	} {
		for _, w := range want {
			if !strings.Contains(files[name], w) {
				t.Errorf("%s lacks %s:\n%s", name, w, files[name])
			}
		}
	}
	names := []string{
		"kanarie", "piepmatz", "U0KANARIE1", "C0KANARIE2", "S0PATCHERS", "general", "Sandbox", sandbox.General, sandbox.TeamID, sandbox.Alice, "9b1deb4d3b7d",
		apitest.TenantID, apitest.ClientID, apitest.ClientSecret, c.slack.AppToken(), c.slack.BotToken(), c.slack.ConfigToken(), c.defender.URL, folder, "\"123456\"",
	}
	for name, body := range files {
		for _, secret := range names {
			for _, form := range []string{secret, url.QueryEscape(secret), fmt.Sprintf("%x", secret), base64.RawStdEncoding.EncodeToString([]byte(secret))} {
				if strings.Contains(body, form) {
					t.Errorf("%s holds %s:\n%s", name, secret, body)
				}
			}
		}
	}
	if again := invoke(t, all, "doctor", "--bundle", path); again.code != exitWrongUse || !strings.Contains(again.err, "is there already") {
		t.Errorf("a bundle is replaced: %d %s", again.code, again.err)
	}
}

// serveFor runs a bot until the end of the test, with its log in a file, and waits until it is ready.
func serveFor(t *testing.T, settings map[string]string, log string) {
	t.Helper()
	file, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	serve := exec.CommandContext(t.Context(), program(t), "serve")
	serve.Env, serve.Stderr = environment(settings), file
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = serve.Process.Kill(); _ = serve.Wait(); _ = file.Close() })
	eventually(t, func() (string, bool) {
		got := invoke(t, settings, "health", "--ready")
		text, _ := os.ReadFile(log)
		return got.out + got.err + string(text), got.code == exitDone
	})
}

func unzip(t *testing.T, path string) map[string]string {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	files := map[string]string{}
	for _, f := range archive.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(body)
	}
	return files
}
