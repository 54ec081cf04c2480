package bundle

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/doctor"
)

// canaries are names as tenants have them. None may be in an archive, in whatever encoding.
var canaries = []string{
	"kanarie", "fågel", "piepmatz", "T0KANARIE1", "U0PIEPMATZ9", "C0FAGELHUS1", "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d", "10.20.30.40",
	"xoxb-123456789012-1234567890123-PiepMatzPiep", "hunter2",
}

// encodings are forms in which a text can hide in another.
func encodings(s string) map[string]string {
	b := map[string]string{
		"plain": s, "upper case": strings.ToUpper(s), "URL": url.QueryEscape(s), "path": url.PathEscape(s), "hex": hex.EncodeToString([]byte(s)), "reversed": reversed(s),
	}
	quoted, _ := json.Marshal(s)
	b["JSON"] = string(quoted[1 : len(quoted)-1])
	var all strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&all, `\u%04x`, u)
	}
	b["JSON, all escaped"] = all.String()
	for shift := range 3 { // base64 has three forms of the middle of a text
		padded := strings.Repeat("x", shift) + s
		b64 := base64.RawStdEncoding.EncodeToString([]byte(padded))
		b[fmt.Sprint("base64 ", shift)] = b64[min(len(b64), shift+1) : len(b64)-1]
	}
	return b
}

func reversed(s string) string {
	runes := []rune(s)
	for i, j := 0, len(runes)-1; i < j; i, j = i+1, j-1 {
		runes[i], runes[j] = runes[j], runes[i]
	}
	return string(runes)
}

// unpack returns the files of an archive.
func unpack(t *testing.T, archive []byte) map[string]string {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(body)
		if f.Comment != "" || len(f.Extra) > 0 {
			t.Errorf("%s has a comment %q or more %q", f.Name, f.Comment, f.Extra)
		}
	}
	return files
}

func noCanary(t *testing.T, files map[string]string) {
	t.Helper()
	for name, body := range files {
		low := strings.ToLower(name + body)
		for _, c := range canaries {
			for kind, form := range encodings(c) {
				if strings.Contains(low, strings.ToLower(form)) {
					t.Errorf("%s holds %s (%s):\n%s", name, c, kind, body)
				}
			}
		}
	}
}

// defender answers with the names of a tenant, and with errors that repeat what was asked.
func defender(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Kanarie", "piepmatz")
	if strings.Contains(r.URL.Path, "machines") {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error":{"code":"ResourceNotFound","message":"Machine KANARIE-PC01 was not found","target":"|9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d."}}`)
		return
	}
	fmt.Fprint(w, `{"@odata.context":"https://kanarie.example/$metadata","value":[{"id":"5074202","name":"fågel update","kanarieKey":1,"machineMissingUpdatesCount":1234567,
		"computerDnsName":"piepmatz.kanarie.internal","lastIpAddress":"10.20.30.40","piepmatz":{"U0PIEPMATZ9":true},"cveAddressed":"CVE-2026-20805","osBuild":null,"aadDeviceId":"9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"}]}`)
}

// contents are those of a tenant that is full of canaries.
func contents(t *testing.T) (Contents, *Mask) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(defender))
	t.Cleanup(server.Close)
	q := &Question{Words: []string{"machine", "kanarie-pc01.fågel.internal", "--exploited"}, Failure: `defender: GET /api/machines/kanarie-pc01: 404 Not Found: dial tcp: lookup piepmatz.internal`, Calls: NewRecorder()}
	for _, path := range []string{"/api/Software/kanarie-_-fågel/getmissingkbs?$filter=name+eq+'piepmatz'&$top=10", "/api/machines/kanarie-pc01"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+strings.ReplaceAll(path, "å", "%C3%A5"), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer hunter2hunter2")
		resp, err := q.Calls.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	finding := func(found, cure string) doctor.Result {
		return doctor.Result{Check: "slack-bot-token", Finding: doctor.Finding{Status: doctor.Fail, Found: found, Cure: cure, Evidence: &doctor.Evidence{Said: []string{"kanarie"}}}}
	}
	report := doctor.Report{Results: []doctor.Result{
		finding("missingkbs in the workspace Kanarie Fågel AB (T0KANARIE1, https://kanarie.slack.com/)", ""),
		finding("#fågel-hus (digest 7) does not have the bot as a member", "in that channel type /invite @piepmatz"),
		finding(`db.kanarie.internal cannot be reached: lookup db.kanarie.internal on 10.20.30.40:53: no such host; user "piepmatz"`, "this machine cannot resolve the name: check its DNS"),
		finding("Patching: the token belongs to the tenant 9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d; /srv/kanarie/digests.yaml has C0FAGELHUS1", "set AZURE_TENANT_ID"),
	}}
	values := map[string]string{"DATABASE_URL": "postgres://piepmatz:hunter2@db.kanarie.internal/fågel", "AZURE_TENANT_ID": canaries[6], "LOG_LEVEL": "debug", "MISSINGKBS_ADMIN_USERS": "U0PIEPMATZ9", "SLACK_BOT_TOKEN": canaries[8]}
	c := Contents{
		Version: "v1.2.3", Report: report, Values: values,
		Origins: []config.Origin{{Setting: "AZURE_TENANT_ID", From: "file /srv/kanarie/settings.yaml"}, {Setting: "LOG_LEVEL", From: "environment"}, {Setting: "MISSINGKBS_ADMIN_USERS", From: "flags"}, {Setting: "HTTP_ADDR", From: "default"}},
		Metrics: []byte("# HELP missingkbs_x kanarie\nmissingkbs_questions_total{command=\"kb\",channel=\"C0FAGELHUS1\"} 12\nkanarie_total 1\nmissingkbs_build_info{version=\"v1.2.3\"} 1\ngarbage fågel\n"),
		Log: []byte(`{"time":"2026-11-29T20:00:00Z","level":"WARN","msg":"could not post a digest","channel":"C0FAGELHUS1","user":"U0PIEPMATZ9","error":"slack: channel_not_found: kanarie","queued":3,"kanarie":{"piepmatz":"x"},"took":"1.2s"}` + "\n" +
			`time=2026-11-29T20:00:00Z level=ERROR msg="serving probes and metrics" host=piepmatz-01 token=xoxb-123456789012-1234567890123-PiepMatzPiep after=2.1s path="/srv/kanarie/x y"` + "\n" +
			"panic: kanarie fågel\n\xff\xfe\n"),
		Question: q,
	}
	return c, NewMask("Kanarie Fågel AB", "postgres://piepmatz:hunter2@db.kanarie.internal/fågel", "piepmatz", "hunter2", "Patching", "debug", "bot")
}

// Nothing of the tenant is in the archive, and what a developer needs is.
func TestNothingOfATenantIsPacked(t *testing.T) {
	t.Parallel()
	c, m := contents(t)
	path := filepath.Join(t.TempDir(), "kanarie.zip")
	if err := Save(path, c, m); err != nil {
		t.Fatal(err)
	}
	archive, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	files := unpack(t, archive)
	noCanary(t, files)
	noCanary(t, map[string]string{"the archive as it is": string(archive)})
	for name, want := range map[string][]string{
		"version.json":  {`"version": "v1.2.3"`, `"go": "go1.`},
		"doctor.json":   {"does not have the bot as a member", "in that channel type /invite <", "cannot be reached: lookup <", "no such host", "this machine cannot resolve the name: check its DNS", "set AZURE_TENANT_ID"},
		"settings.json": {`"from": "file"`, `"value": "debug"`},
		"metrics.txt":   {`missingkbs_questions_total{command="kb",channel="<`, `missingkbs_build_info{version="v1.2.3"} 1`},
		"log.txt":       {`"msg":"could not post a digest"`, "channel_not_found", `"time":"2026-11-29T20:00:00Z"`, `msg="serving probes and metrics"`, "host=<", "after=2.1s", "panic: <"},
		"question.json": {`"words": "machine <`, `--exploited"`, `/api/Software/<`, "getmissingkbs", `"status": 404`, "ResourceNotFound", "was not found", `"machineMissingUpdatesCount": 1000000`, `"id": "5074202"`, "CVE-2026-20805", `"top=10"`},
		"README.txt":    {"Look through it before you send it"},
	} {
		for _, w := range want {
			if !strings.Contains(files[name], w) {
				t.Errorf("%s lacks %s:\n%s", name, w, files[name])
			}
		}
	}
	if strings.Contains(files["doctor.json"], "Patching") {
		t.Errorf("a name that is a word of ours is told:\n%s", files["doctor.json"])
	}
	if err := Save(path, c, m); err == nil {
		t.Error("a file that was there is replaced")
	}
}

// device is one as Defender describes it, with a canary in each text of a tenant's.
const device = `{"value":[{"id":"00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee","computerDnsName":"lap-7.hq.zebraquince.example","firstSeen":"2026-01-17T08:41:23.1234567Z",
	"lastSeen":"2026-11-28T21:07:59+01:00","osPlatform":"Windows11","osVersion":null,"osProcessor":"x64","version":"24H2","lastIpAddress":"172.16.254.9",
	"lastExternalIpAddress":"203.0.113.77","agentVersion":"10.8760.26100","osBuild":26100,"healthStatus":"Active","deviceValue":"High","rbacGroupId":4711,
	"rbacGroupName":"Zebraquince Board","riskScore":"Low","isAadJoined":true,"aadDeviceId":"6f9619ff-8b86-d011-b42d-00c04fc964ff",
	"machineTags":["9081726","48213","owner:ada@zebraquince.example"],"onboardingStatus":"Onboarded",
	"ipAddresses":[{"ipAddress":"fe80::9c2e:1ff:fe3d:77aa","macAddress":"00155D3D77AA","type":"Ethernet","operationalStatus":"Up"}],
	"vmMetadata":{"vmId":"7c9e6679-7425-40de-944b-e07fc1f90ae7","cloudProvider":"Azure","subscriptionId":"16fd2706-8baf-433b-82eb-8c7fada847da"},
	"deviceName":"9081726","productsNames":["zebraquince_agent"],"fixingKbId":"5074202","cveId":"CVE-2026-20805","productVersion":"10.0.26100",
	"registryPaths":["HKEY_LOCAL_MACHINE\\SOFTWARE\\Zebraquince"],"diskPaths":["C:\\Users\\ada\\quince.exe"],"ada@zebraquince.example":1}]}`

// Of a device nothing tells which one it is: no name, owner, address or tag, no number that stands for a name, and no time to the
// second. What a developer needs stays: the names of members, updates, CVEs, versions, the day and the form of a time.
func TestDevicesAreNotTold(t *testing.T) {
	t.Parallel()
	k := &kept{}
	_, _ = k.Write([]byte(device))
	raw, err := json.Marshal(NewMask().body(k))
	if err != nil {
		t.Fatal(err)
	}
	got := string(raw)
	for _, secret := range []string{
		"zebraquince", "Zebraquince", "Quince", "quince", "lap-7", "ada@", "Board", "172.16", "203.0.113", "fe80", "00155D", "00155d", "c0ffee", "6f9619ff", "7c9e6679", "16fd2706",
		"9081726", "48213", "4711", "08:41", "41:23", "21:07", "07:59", "Users",
	} {
		if strings.Contains(got, secret) {
			t.Errorf("%q is told: %s", secret, got)
		}
	}
	for _, want := range []string{
		`"firstSeen":"2026-01-17T00:00:00.0000000Z"`, `"lastSeen":"2026-11-28T00:00:00+00:00"`, `"fixingKbId":"5074202"`, `"cveId":"CVE-2026-20805"`, `"agentVersion":"10.8760.26100"`, `"isAadJoined":true`,
		`"rbacGroupName":"`, `"machineTags":[`, `"ipAddresses":[`, `"vmMetadata":{`, `"aadDeviceId":"`, `"computerDnsName":"`, `"osVersion":null`, `"osBuild":20000`, `"onboardingStatus":"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing: %s", want, got)
		}
	}
}

// What people and machines are called reaches no line of a log, in whatever form it stands there.
func TestLinesNameNoTenant(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{
		"zebraquince.onmicrosoft.com", "lap-7.hq.zebraquince.example", "ada@zebraquince.example", "ZEBRAQUINCE\\ada", "#zebraquince-board", "172.16.254.9", "172.16.254.9:8443", "fe80::9c2e:1ff:fe3d:77aa",
		"https://zebraquince.example/hooks/quaggaplum?sig=hunter2", "http://ada:quaggaplum@proxy.zebraquince.example:3128", "https://hooks.slack.com/commands/T0QUAGGA1/quaggaplum", "postgres://ada:quaggaplum@db.zebraquince.example/x",
		"vendor:quaggaplum-refuses", "00-15-5d-3d-77-aa", "6f9619ff-8b86-d011-b42d-00c04fc964ff",
	} {
		for _, form := range []string{
			`{"level":"WARN","msg":"could not send","error":%q}`, `{"level":"WARN","msg":"could not send","host":%q,"n":3}`, `time=2026-11-29T20:00:00Z level=WARN msg="could not send" error=%q`, "could not send %q: refused", "could not send to (%s), %[1]s; refused",
		} {
			got := string(NewMask().log(fmt.Appendf(nil, form, secret)))
			for _, part := range regexp.MustCompile(`[A-Za-z0-9]{4,}`).FindAllString(secret, -1) {
				if !ours(part) && !slices.Contains([]string{"https", "slack", "hooks"}, part) && strings.Contains(strings.ToLower(got), strings.ToLower(part)) {
					t.Errorf("%s of %s is told: %s", part, secret, got)
				}
			}
		}
	}
}

// What is not there is said, and nothing of an empty report fails.
func TestAnEmptyBundle(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := Write(&b, Contents{Version: "(devel)"}, NewMask()); err != nil {
		t.Fatal(err)
	}
	files := unpack(t, b.Bytes())
	for _, absent := range []string{"metrics.txt", "log.txt", "question.json"} {
		if _, ok := files[absent]; ok || !strings.Contains(files["README.txt"], "Not in this bundle: "+absent) {
			t.Errorf("%s: there %v\n%s", absent, ok, files["README.txt"])
		}
	}
}

// No word that the program does not say gets through, wherever it stands.
func TestAnyForeignWordIsMasked(t *testing.T) {
	t.Parallel()
	around := []string{"%s", "(%s)", "#%s", "user=%s", `"%s":`, "/var/%s/x", "https://%s.internal/a?b=c", "https://api.slack.com/%s", "https://%s.slack.com/apps", "https://%s@slack.com", "%s-01", "db.%s", "the %s is\tmissing", "a,%s;b", "%s\\admin", "%s@x", "x\u00a0%s\u2003y", `path="%s x"`, "level=%s msg"}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-zåäöA-Z][a-z0-9åäö]{4,14}`).Draw(t, "name")
		form := rapid.SampledFrom(around).Draw(t, "form")
		if ours(name) || public.MatchString(name) {
			return
		}
		m := NewMask()
		for what, got := range map[string]string{
			"text": m.Text(fmt.Sprintf(form, name)), "log": string(m.log([]byte(fmt.Sprintf(`{"msg":%q,%q:1}`, fmt.Sprintf(form, name), name)))), "path": m.path("/api/" + name + "/x"),
		} {
			if strings.Contains(got, name) {
				t.Fatalf("%s: %s gets through: %s", what, name, got)
			}
		}
	})
}

func TestWhatStays(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"Slack refuses SLACK_BOT_TOKEN: invalid_auth", "answers in 142 ms, TLS 1.3", "KB5074202 and CVE-2026-20805", "the scope chat:write is missing", "AADSTS7000215: Invalid client secret provided",
		"context deadline exceeded", "dial tcp: connection refused", "HTTP status 429", "set DEFENDER_REGION=eu", "schema version 12", "login.microsoftonline.com answers", "has Software.Read.All (see https://api.slack.com/apps), or manifest.yaml",
	} {
		if diff := cmp.Diff(text, NewMask().Text(text)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// A long body is not called broken, and not kept.
func TestLongBodies(t *testing.T) {
	t.Parallel()
	long := &kept{}
	body := `{"value":["` + strings.Repeat("x", maxRecorded) + `"]}`
	for part := range slices.Chunk([]byte(body), 100_000) {
		_, _ = long.Write(part)
	}
	if diff := cmp.Diff(map[string]any{"too_long": true, "bytes": len(body)}, NewMask().body(long)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	cut := &kept{}
	_, _ = cut.Write([]byte(`{"value":[`))
	if diff := cmp.Diff(map[string]any{"not_json": true, "bytes": 10}, NewMask().body(cut)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRounded(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"0": "0", "7": "7", "1234": "1000", "-56.78": "-50.00", "0.042": "0.040", "1e300": "1e1"} {
		if got := rounded(in).String(); got != want || !json.Valid([]byte(got)) {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}
