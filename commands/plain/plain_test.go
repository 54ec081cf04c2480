package plain

import (
	"fmt"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/access"
)

// testReader knows commands of all kinds.
func testReader() Reader {
	var all []commands.Command
	for _, name := range []string{"", "search", "kb", "cve", "machine", "devices", "plan", "report", "accept", "digest", "admin", "help", "browse", "watch", "home", LookupName, TalkName} {
		c := commands.Command{Name: name}
		if name == "digest" {
			c.Subs = []commands.Subcommand{{Name: "list"}, {Name: "remove", Needs: access.Change, Subject: true}}
		}
		if name == "accept" {
			c.Needs, c.Subs = access.Accept, []commands.Subcommand{{Name: "list", Needs: access.Ask}, {Name: "end", Needs: access.Accept}}
		}
		all = append(all, c)
	}
	return NewReader(all)
}

func TestRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		// Names stay as they are.
		"win11":                        "win11",
		"Windows 11":                   "Windows 11",
		"update health tools":          "update health tools",
		"edge?":                        "edge",
		": edge":                       "edge",
		"*edge*":                       "edge",
		"microsoft-_-edge":             "microsoft-_-edge",
		"microsoft-_-edge --sort cves": "microsoft-_-edge --sort cves",
		"microsoft-_-edge —sort cves":  "microsoft-_-edge --sort cves",
		"Visual Studio Code":           "Visual Studio Code",
		"edge, chrome":                 "edge chrome",
		"all":                          "all",
		"all software":                 "all",

		// Sentences lose the words that name nothing.
		"which updates is Windows 11 missing?":          "Windows 11",
		"What's missing on win11?":                      "win11",
		"what’s missing on win11":                       "win11",
		"show me edge":                                  "edge",
		"Hey, can you please check server 2022 for me?": "server 2022",
		"please edge":                                   "edge",
		"updates for chrome":                            "chrome",
		"do I need to patch sql 2019":                   "sql 2019",
		"what does .net lack":                           ".net",
		"how many devices are missing edge updates?":    "edge",
		"which computers lack office patches":           "office",
		"how many servers need patches for sql 2019":    "sql 2019",
		"which machines are without teams updates?":     "teams",
		"how many devices have edge?":                   "devices edge",
		"which laptops run chrome":                      "devices chrome",
		"what should I install first on Windows 11":     "plan Windows 11",
		"what do we patch first?":                       "plan all",
		"anything exploited?":                           "plan all",
		"which exploited updates do we lack":            "plan all",
		"is anything under attack":                      "plan all",
		"what is actively exploited on our servers?":    "plan all",
		"which exploited updates is edge missing":       "edge --exploited",
		"which server 2022 updates are missing?":        "server 2022",
		"thanks, and chrome?":                           "chrome",
		"which updates are missing?":                    "home",
		"what is missing":                               "home",
		"missing updates":                               "home",
		"show all software":                             "all",

		// Updates and CVEs.
		"kb5074202":            "kb KB5074202",
		"KB 5074202":           "kb KB5074202",
		"kb 5074202 --devices": "kb 5074202 --devices",
		"is KB5074202 installed on all our machines?": "kb KB5074202",
		"CVE-2025-12345":            "cve CVE-2025-12345",
		"cve 2025-12345":            "cve CVE-2025-12345",
		"CVE‑2025‑12345 ?":          "cve CVE-2025-12345",
		"kb5074202 and kb5074203":   "lookup KB5074202 KB5074203",
		"kb 5074202 and kb 5074203": "lookup KB5074202 KB5074203",
		"accept KB5074202 --until 2030-01-01 --reason \"no reboot\"": `accept KB5074202 --until 2030-01-01 --reason "no reboot"`,

		// Commands stay commands.
		"search windows 11":   "search windows 11",
		"search for edge":     "search edge",
		"hey, search edge":    "search edge",
		"plan for windows 11": "plan windows 11",
		"machine web-01":      "machine web-01",
		"digest list":         "digest list",
		"digest add microsoft-_-edge --at \"mon 09:00\"": `digest add microsoft-_-edge --at "mon 09:00"`,
		"digest add microsoft-_-edge —at “mon 09:00” ":   `digest add microsoft-_-edge --at "mon 09:00"`,
		"/missingkbs digest list":                        "digest list",
		"HELP":                                           "help",
		"help with digest":                               "help digest",
		"help me please":                                 "help",

		// A sentence changes nothing.
		"don't digest remove 7":            "help digest",
		"what would Digest remove 7 do?":   "help digest",
		"should we accept end 3":           "help accept",
		"what is accept":                   "help accept",
		"do not attack: digest remove 7":   "help digest",
		"show me digest list":              "digest",
		"please digest remove 7":           "digest remove 7",
		"is machine web-01 missing things": "machine web-01 things",

		// Talk.
		"":                           "talk hello",
		"   ":                        "talk hello",
		":wave:":                     "talk hello",
		"hi there!":                  "talk hello",
		"Good morning":               "talk hello",
		"thanks!":                    "talk thanks",
		"Thank you very much :pray:": "talk thanks",
		"ok great":                   "talk thanks",
		"what can you do?":           "help",
		"how does this work":         "help",
		"is it safe?":                "talk unclear",
		"???":                        "talk hello",
		"<@U123> edge":               "edge",
		"edge &amp; chrome":          "edge chrome",
	} {
		if got := testReader().Read(text); got != want {
			t.Errorf("%q is read as %q, want %q", text, got, want)
		}
	}
}

// What is too long to be read is not cut: the answer says so. Of a long text ids are found all the same.
func TestReadLong(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("word ", 300)
	for text, want := range map[string]string{
		long:               strings.TrimSpace(long),
		long + "KB5074202": "kb KB5074202",
		"accept KB5074202 --reason \"" + long + "\"": "accept KB5074202 --reason \"" + long + "\"",
		strings.Repeat(". ", 600):                    strings.TrimSpace(strings.Repeat(". ", 600)),
	} {
		if got := testReader().Read(text); got != want {
			t.Errorf("%.50q is read as %.50q, want %.50q", text, got, want)
		}
	}
	var many []string
	for i := range 400 {
		many = append(many, fmt.Sprint("KB", 5000000+i))
	}
	line := testReader().Read(strings.Join(many, "\n"))
	ids := cmdline.IDs(line)
	if want := fmt.Sprint(" --more ", len(many)-len(ids)); !strings.HasSuffix(line, want) || len(ids) < 150 {
		t.Errorf("%d ids are offered, and %q", len(ids), line[len(line)-20:])
	}
	if _, err := commands.ParseOffered(line + " --page 12"); err != nil {
		t.Error(err)
	}
}

// What a person writes is read on the goroutine that reads Slack's events.
func BenchmarkRead(b *testing.B) {
	for name, text := range map[string]string{
		"question":          "which updates is Windows 11 missing?",
		"40,000 characters": strings.Repeat("Please install KB5074202, see https://catalog.update.microsoft.com/Search.aspx?q=KB5074203 & CVE-2025-12345. ", 370),
	} {
		b.Run(name, func(b *testing.B) {
			r := testReader()
			for b.Loop() {
				r.Read(text)
			}
		})
	}
}

// What is read can always be asked, and is never nothing.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"", "win11", "which updates is Windows 11 missing?", "KB5074202 CVE-2025-12345", "digest add x --at \"mon", "<@U1|", "&lt;!channel&gt;", "\x00\xff", strings.Repeat("KB5074202 KB5074203", 200)} {
		f.Add(seed)
	}
	r := testReader()
	f.Fuzz(func(t *testing.T, text string) {
		line := r.Read(text)
		if line == "" {
			t.Errorf("%q is read as nothing", text)
		}
		ids := cmdline.IDs(text)
		for _, id := range ids {
			if again := cmdline.IDs(id); len(again) != 1 || again[0] != id {
				t.Errorf("%q: the id %q is read as %q", text, id, again)
			}
		}
		if offered := LookupLine(ids); len(offered) > cmdline.MaxOffered {
			t.Errorf("%q: a line of %d bytes", text, len(offered))
		}
	})
}
