package main

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever is set, in the wrong variable too, no value is in a bundle: each setting has a name of a tenant for its value here.
func TestBundleHidesEverySetting(t *testing.T) {
	t.Parallel()
	list, _ := settings(t)
	vars := map[string]string{
		"HOME":        filepath.Join(t.TempDir(), "piepmatz"),
		"HTTPS_PROXY": "http://kanarie:piepmatz@proxy.kanarie.example:3128", "NO_PROXY": ".piepmatz.example,10.1.2.3",
	}
	for _, flag := range list {
		if name := flag.Envs[0]; name != "MISSINGKBS_CONFIG" {
			vars[name] = "kanarie/" + strings.ToLower(name) + "-piepmatz"
		}
	}
	if len(vars) < 40 {
		t.Fatalf("only %d settings", len(vars))
	}
	path := filepath.Join(t.TempDir(), "bundle.zip")
	if got := invoke(t, env(vars), "doctor", "--offline", "--bundle", path); got.code != exitDone {
		t.Fatalf("got %+v", got)
	}
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	set := 0
	for _, f := range archive.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		set += strings.Count(string(body), `"from": "environment"`)
		if low := strings.ToLower(string(body)); strings.Contains(low, "kanarie") || strings.Contains(low, "piepmatz") {
			t.Errorf("%s holds a value:\n%s", f.Name, body)
		}
	}
	if set < 30 {
		t.Errorf("only %d settings are told to be set", set)
	}
	for _, wrong := range [][]string{{"--question", "KB1"}, {"--log", "x"}, {"--bundle", path}, {"--bundle", path + "2", "--live", "C0123ABCD"}, {"--bundle", path + "2", "--offline", "--question", "x"}, {"--bundle", path + "2", "--offline", "--log", path + "none"}} {
		if got := invoke(t, noEnv, append([]string{"doctor"}, wrong...)...); got.code != exitWrongUse {
			t.Errorf("%v: got %+v", wrong, got)
		}
	}
	if _, err := os.Stat(path + "2"); err == nil {
		t.Error("a bundle was written after wrong use")
	}
}
