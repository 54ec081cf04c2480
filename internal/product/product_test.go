package product

import (
	"strings"
	"testing"
	"unicode"
)

func TestName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ id, want string }{
		{"microsoft-_-windows_11", "Windows 11"},
		{"microsoft-_-windows_10", "Windows 10"},
		{"microsoft-_-windows_8.1", "Windows 8.1"},
		{"microsoft-_-windows_server_2022", "Windows Server 2022"},
		{"microsoft-_-windows_server_2012_r2", "Windows Server 2012 R2"},
		{"microsoft-_-.net", ".NET"},
		{"microsoft-_-.net_framework", ".NET Framework"},
		{"microsoft-_-asp.net_core", "ASP.NET Core"},
		{"microsoft-_-sql_server_2019", "SQL Server 2019"},
		{"microsoft-_-sql_server_management_studio", "SQL Server Management Studio"},
		{"microsoft-_-ole_db_driver_for_sql_server", "OLE DB Driver for SQL Server"},
		{"microsoft-_-odbc_driver_for_sql_server", "ODBC Driver for SQL Server"},
		{"microsoft-_-office", "Office"},
		{"microsoft-_-365_apps", "Microsoft 365 Apps"},
		{"microsoft-_-dynamics_365", "Dynamics 365"},
		{"microsoft-_-teams", "Teams"},
		{"microsoft-_-edge", "Edge"},
		{"microsoft-_-edge_chromium-based", "Edge (Chromium)"},
		{"microsoft-_-internet_explorer", "Internet Explorer"},
		{"microsoft-_-internet_information_services_(iis)", "Internet Information Services (IIS)"},
		{"microsoft-_-visual_c++_2015-2022_redistributable_(x64)", "Visual C++ 2015-2022 Redistributable (x64)"},
		{"microsoft-_-visual_studio_code", "Visual Studio Code"},
		{"microsoft-_-skype_for_business", "Skype for Business"},
		{"microsoft-_-power_bi_desktop", "Power BI Desktop"},
		{"microsoft-_-powershell", "PowerShell"},
		{"microsoft-_-azure_cli", "Azure CLI"},
		{"microsoft-_-remote_desktop", "Remote Desktop"},
		{"microsoft-_-defender_for_endpoint", "Defender for Endpoint"},
		{"microsoft-_-hevc_video_extensions", "HEVC Video Extensions"},
		{"Microsoft-_-Windows_11", "Windows 11"},
		{"apple-_-ios", "iOS"},
		{"apple-_-macos", "macOS"},
		{"apple-_-itunes", "iTunes"},
		{"google-_-chrome", "Chrome"},
		{"mozilla-_-firefox_esr", "Firefox ESR"},
		{"adobe-_-acrobat_reader_dc", "Acrobat Reader DC"},
		{"foxit-_-pdf_reader", "Foxit PDF Reader"},
		{"videolan-_-vlc_media_player", "VLC Media Player"},
		{"7-zip-_-7-zip", "7-Zip"},
		{"notepad++-_-notepad++", "Notepad++"},
		{"nodejs-_-node.js", "Node.js"},
		{"oracle-_-jre", "Java Runtime (JRE)"},
		{"putty-_-putty", "PuTTY"},
		{"winscp-_-winscp", "WinSCP"},
		{"filezilla-project-_-filezilla_client", "FileZilla Client"},
		{"dell-_-supportassist", "SupportAssist"},
		// Without the vendor these say nothing.
		{"vmware-_-tools", "VMware Tools"},
		{"citrix-_-workspace", "Citrix Workspace"},
		{"lenovo-_-system_update", "Lenovo System Update"},
		{"cisco-_-secure_client", "Cisco Secure Client"},
		{"zoom-_-meetings", "Zoom Meetings"},
		// Unknown names are tidied and no more.
		{"acme-_-super_tool_v2", "Super Tool v2"},
		{"acme-_-SuperTool", "SuperTool"},
		{"acme-_-for_honor", "For Honor"},
		{"acme-_-", "Acme"},
		{"some_id", "Some ID"},
		{"a-_-b-_-c", "B- -c"},
		{"", "Unnamed Software"},
		{"-_-", "Unnamed Software"},
		{"acme-_-line\nbreak\u202e", "Line Break"},
	} {
		if got := Name(tt.id, ""); got != tt.want {
			t.Errorf("Name(%q) = %q, want %q", tt.id, got, tt.want)
		}
	}
}

func TestDefendersNameComesFirst(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ id, name, want string }{
		{"acme-_-x1", "sql_toolbox", "SQL Toolbox"},
		{"acme-_-tool", "Acme Tool 3", "Acme Tool 3"},
		{"microsoft-_-office", "office", "Office"},
		{"vmware-_-tools", "tools", "VMware Tools"},
		{"acme-_-tool", "  ", "Tool"},
	} {
		if got := Name(tt.id, tt.name); got != tt.want {
			t.Errorf("Name(%q, %q) = %q, want %q", tt.id, tt.name, got, tt.want)
		}
	}
}

func TestVendor(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"microsoft": "Microsoft", "videolan": "VideoLAN", "hp": "HP", "vmware": "VMware", "7-zip": "7-Zip", "git-scm": "Git-scm",
		"filezilla-project": "FileZilla-project", "red_hat": "Red Hat", "": "",
	} {
		if got := Vendor(name); got != want {
			t.Errorf("Vendor(%q) = %q, want %q", name, got, want)
		}
	}
}

// The files are read as they are meant: no word twice, every name in its final form, every id in lower case.
func TestFilesAreConsistent(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for line := range lines(wordText) {
		for word := range strings.FieldsSeq(line) {
			if key := strings.ToLower(word); seen[key] {
				t.Errorf("words.txt has %q twice", word)
			} else {
				seen[key] = true
			}
			if strings.Trim(word, brackets) != word {
				t.Errorf("words.txt has %q with brackets", word)
			}
		}
	}
	for line := range lines(nameText) {
		id, name, ok := strings.Cut(line, " = ")
		if !ok || id != strings.ToLower(id) || !strings.Contains(id, separator) || strings.TrimSpace(name) == "" {
			t.Errorf("names.txt has %q, want id = name", line)
		}
		if got := spelling().tidy(wordsOf(name)); got != name {
			t.Errorf("names.txt has %q, which words.txt spells %q", name, got)
		}
	}
	for word := range spelling().generic {
		if word != strings.ToLower(word) {
			t.Errorf("generic.txt has %q, want lower case", word)
		}
	}
}

func FuzzName(f *testing.F) {
	for _, id := range []string{"microsoft-_-windows_11", "a-_-", "-_-b", "", "x\n-_-\u2028y", "ıos", "(ıos", "((", "vmware-_-tools", "sql-sql", "v2", "ǆ_ǅ", "K"} {
		f.Add(id, "")
		f.Add("", id)
		f.Add(id, id)
	}
	f.Fuzz(func(t *testing.T, id, name string) {
		got := Name(id, name)
		if strings.TrimSpace(got) == "" {
			t.Fatalf("Name(%q, %q) is empty", id, name)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }) {
			t.Errorf("Name(%q, %q) = %q is no single line", id, name, got)
		}
		if again := Name(id, got); again != got {
			t.Errorf("Name(%q, %q) = %q, and that again %q", id, name, got, again)
		}
		if again := Name(id, name); again != got {
			t.Errorf("Name(%q, %q) = %q, then %q", id, name, got, again)
		}
	})
}
