package commands_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline/cmdlinetest"
)

// However a KB number or the id of a CVE is pasted, the commands about updates, CVEs and devices read it, and so does a line that
// names no command.
func TestEveryCommandReadsEveryUpdate(t *testing.T) {
	t.Parallel()
	n := wholeTenant(t)
	const kb, cve = "KB5074202", "CVE-2026-60052"
	forms := []string{"%s", "is %s installed?", "<https://nvd.nist.gov/vuln/detail/%s|the page>", "https://www.example.com/a/%s?x=1", "windows11.0-%s-x64.msu", "%s, please", "[%[1]s](https://example.com/%[1]s)"}
	for _, form := range cmdlinetest.Pasted() {
		// These stand in front of a command, or are of software alone.
		if !strings.HasPrefix(form, "GET ") && !strings.Contains(form, "missingkbs") && !strings.Contains(strings.ToLower(form), "va-_-") {
			forms = append(forms, form)
		}
	}
	for _, form := range forms {
		for _, id := range []string{kb, cve} {
			typed := fmt.Sprintf(form, id, id)
			if i := strings.Index(typed, "%!(EXTRA"); i >= 0 {
				typed = typed[:i]
			}
			for command, want := range map[string]string{"": id, "kb ": id, "cve ": id, "devices ": "Devices "} {
				page, err := n.ask(t, command+typed)
				if err != nil || !strings.HasPrefix(page.Title, want) || !strings.Contains(page.Title, id) {
					t.Errorf("%s%s: %q, %v", command, typed, page.Title, err)
				}
			}
		}
	}
	for line, want := range map[string]string{
		"https://support.microsoft.com/help/5074202": kb, "kb https://support.microsoft.com/kb/5074202": kb, "kb 5074202.": kb, "KB 5074202 --cves": "CVEs that " + kb,
		"cve 2026-60052": cve, "cve 2026 60052": cve, "CVE_2026_60052": cve, "cve 2026-60052 --devices": "Devices exposed to " + cve,
		"devices KB 5074202 --list": "Devices that lack " + kb,
	} {
		if page, err := n.ask(t, line); err != nil || !strings.HasPrefix(page.Title, want) {
			t.Errorf("%s: %q, %v", line, page.Title, err)
		}
	}
}

// However the name of a device is pasted, and in whatever case, the device is found; several names are several devices.
func TestEveryNameOfADevice(t *testing.T) {
	t.Parallel()
	n := wholeTenant(t)
	upper, spaced := strings.Repeat("ab", 20), strings.Repeat("cd", 20)
	n.PutMachine(apitest.Machine{ID: upper, ComputerDNSName: "SRV-DB07"}, "5074202")
	n.PutMachine(apitest.Machine{ID: spaced, ComputerDNSName: "front desk pc"}, "5074202")
	for typed, want := range map[string]string{
		"web-01": "web-01.", "WEB-01": "web-01.", "Web-01.CORP.contoso.com": "web-01.", "ＷＥＢ－０１": "web-01.", "web–01": "web-01.", "`web-01`": "web-01.", "“WEB-01”,": "web-01.",
		`CONTOSO\web-01`: "web-01.", `\\WEB-01`: "web-01.", "web-01$": "web-01.", "web-01.": "web-01.",
		"srv-db07": "SRV-DB07", "Srv-DB07": "SRV-DB07", "srv-db": "SRV-DB07", "front desk pc": "front desk pc", `"Front Desk"`: "front desk pc",
		"https://security.microsoft.com/machines/v2/" + upper + "/overview?tid=1": "SRV-DB07", "<https://security.microsoft.com/machines/" + upper + "|the server>": "SRV-DB07", strings.ToUpper(spaced): "front desk pc",
		"srv-db07, front desk pc, nosuch": `Devices whose name begins with "srv-db07"`,
	} {
		if page, err := n.ask(t, "machine "+typed); err != nil || !strings.HasPrefix(page.Title, want) {
			t.Errorf("machine %s: %q, %v", typed, page.Title, err)
		}
	}
	page, err := n.ask(t, "machine srv-db07 nosuch")
	if err != nil || page.Title != "SRV-DB07" || !strings.Contains(page.Note, `begins with "nosuch"`) {
		t.Errorf("one of two names: %q, %q, %v", page.Title, page.Note, err)
	}
	for _, typed := range []string{"device web-01", "host web-01", "computer WEB-01"} {
		if _, err := n.ask(t, typed); err == nil || !strings.Contains(commands.Explain(err).Title, "machine ") {
			t.Errorf("%s: %v", typed, err)
		}
	}
	if _, err := n.ask(t, "web-01"); err == nil || !strings.Contains(commands.Explain(err).Lead, "machine web-01") {
		t.Errorf("a device without its command: %v", err)
	}
}
