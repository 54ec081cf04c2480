package apitest

import "strings"

// target says on which kinds of device a product can be installed.
type target uint16

const (
	onWindows10 target = 1 << iota
	onWindows11
	onServer2016
	onServer2019
	onServer2022
	onServer2025
	onRedHat
	onUbuntu
	onMac

	onClients = onWindows10 | onWindows11
	onServers = onServer2016 | onServer2019 | onServer2022 | onServer2025
	onWindows = onClients | onServers
)

// product is one row of the software inventory.
type product struct {
	vendor, name string
	on           target
	share        float64 // of the devices it can be on
}

func (p product) id() string { return p.vendor + "-_-" + p.name }

// line is a line of updates: one fix a month (or every few months), each of
// which brings all of the earlier ones. A line without a family gives none.
type line struct {
	vendor   string
	products string // names, space-separated; a device needs the first
	on       target // devices whose Windows it services; 0: all devices with the product
	builds   []int  // OS builds that share one KB
	cves     int    // about how many a fix addresses
	every    int    // months between fixes
	kb       bool   // its fixes are KBs, not versions of the vendor's own
	build    string // how osBuild is written: number, text, null or nothing
	family   string // lines of one family address the same CVEs
}

// How a row's osBuild is written; the live service is not consistent either.
const (
	buildNumber = "number"
	buildText   = "text"
	buildNull   = "null"
	buildAbsent = ""
)

// windowsLines service the operating systems. Windows 11 24H2 and 25H2 share
// their updates, as do the two 19044 and 19045 of Windows 10 and, under build
// 17763, Windows 10 1809 with Server 2019.
func windowsLines() []line {
	return []line{
		{products: "windows_10", on: onWindows10, builds: []int{19044, 19045}, cves: 58, build: buildNumber, family: "windows"},
		{products: "windows_11", on: onWindows11, builds: []int{22631}, cves: 66, build: buildText, family: "windows"},
		{products: "windows_11", on: onWindows11, builds: []int{26100, 26200}, cves: 70, build: buildNumber, family: "windows"},
		{products: "windows_server_2016 internet_explorer", on: onServer2016, builds: []int{14393}, cves: 44, build: buildNumber, family: "windows"},
		{products: "windows_server_2019 windows_10 internet_explorer", on: onServer2019 | onWindows10, builds: []int{17763}, cves: 52, build: buildNumber, family: "windows"},
		{products: "windows_server_2022", on: onServer2022, builds: []int{20348}, cves: 60, build: buildNumber, family: "windows"},
		{products: "windows_server_2025", on: onServer2025, builds: []int{26100}, cves: 67, build: buildNumber, family: "windows"},
		{products: ".net_framework", on: onWindows10, builds: []int{19044, 19045}, cves: 3, every: 2, build: buildNumber, family: "dotnet"},
		{products: ".net_framework", on: onWindows11, builds: []int{22631, 26100, 26200}, cves: 3, every: 2, build: buildNumber, family: "dotnet"},
		{products: ".net_framework", on: onServers | onWindows10, builds: []int{14393, 17763, 20348}, cves: 3, every: 2, build: buildNumber, family: "dotnet"},
	}
}

// entry is a product with the line that services it: one row of the tables below.
type entry struct {
	name  string
	on    target
	share float64
	cves  int
	every int
	build string
}

// osEntries are serviced by windowsLines.
func osEntries() []entry {
	return []entry{
		{name: "windows_10", on: onWindows10, share: 1},
		{name: "windows_11", on: onWindows11, share: 1},
		{name: "windows_server_2016", on: onServer2016, share: 1},
		{name: "windows_server_2019", on: onServer2019, share: 1},
		{name: "windows_server_2022", on: onServer2022, share: 1},
		{name: "windows_server_2025", on: onServer2025, share: 1},
		{name: "internet_explorer", on: onServer2016 | onServer2019 | onWindows10, share: 1},
		{name: ".net_framework", on: onWindows, share: 1},
	}
}

// kbEntries are Microsoft's products whose fixes are KBs.
func kbEntries() []entry {
	return []entry{
		{name: ".net", on: onWindows, share: .45, cves: 3},
		{name: "asp.net_core", on: onServers | onWindows11, share: .25, cves: 2, every: 2},
		{name: "office", on: onClients, share: .3, cves: 9},
		{name: "excel", on: onClients, share: .28, cves: 6},
		{name: "word", on: onClients, share: .28, cves: 4, build: buildNull},
		{name: "outlook", on: onClients, share: .28, cves: 2, every: 2},
		{name: "powerpoint", on: onClients, share: .28, cves: 2, every: 3},
		{name: "access", on: onClients, share: .12, cves: 2, every: 2},
		{name: "publisher", on: onClients, share: .06, cves: 1, every: 4},
		{name: "visio", on: onClients, share: .08, cves: 2, every: 3},
		{name: "project", on: onClients, share: .07, cves: 1, every: 4},
		{name: "onenote", on: onClients, share: .2, cves: 1, every: 3},
		{name: "skype_for_business", on: onClients, share: .1, cves: 1, every: 4},
		{name: "office_online_server", on: onServers, share: .05, cves: 4, every: 2},
		{name: "sql_server_2016", on: onServers, share: .12, cves: 5, every: 3, build: buildNull},
		{name: "sql_server_2017", on: onServers, share: .1, cves: 5, every: 3},
		{name: "sql_server_2019", on: onServers, share: .22, cves: 7, every: 2},
		{name: "sql_server_2022", on: onServers, share: .2, cves: 7, every: 2},
		{name: "exchange_server_2016", on: onServer2016, share: .3, cves: 3, every: 2},
		{name: "exchange_server_2019", on: onServer2019 | onServer2022, share: .15, cves: 4, every: 2},
		{name: "sharepoint_server_2016", on: onServer2016, share: .25, cves: 6},
		{name: "sharepoint_server_2019", on: onServer2019, share: .2, cves: 6},
		{name: "sharepoint_server", on: onServer2022 | onServer2025, share: .12, cves: 7},
		{name: "visual_studio_2017", on: onClients, share: .05, cves: 2, every: 3},
		{name: "visual_studio_2019", on: onClients, share: .06, cves: 2, every: 2},
		{name: "visual_studio_2022", on: onClients, share: .12, cves: 3},
		{name: "remote_desktop", on: onClients, share: .35, cves: 2, every: 2},
		{name: "odbc_driver_for_sql_server", on: onServers, share: .4, cves: 4, every: 3},
		{name: "ole_db_driver_for_sql_server", on: onServers, share: .35, cves: 6, every: 3},
		{name: "dynamics_365", on: onServers, share: .04, cves: 2, every: 3},
		{name: "system_center_operations_manager", on: onServers, share: .06, cves: 1, every: 4},
		{name: "windows_admin_center", on: onServers, share: .08, cves: 1, every: 3},
	}
}

// evergreenEntries are Microsoft's products that update themselves: they have
// weaknesses, but Defender names no KB for them.
func evergreenEntries() []entry {
	return []entry{
		{name: "edge_chromium-based", on: onWindows | onMac, share: .97, cves: 11},
		{name: "365_apps", on: onClients | onMac, share: .62, cves: 8},
		{name: "teams", on: onClients | onMac, share: .8, cves: 1, every: 2},
		{name: "onedrive", on: onClients | onMac, share: .85, cves: 1, every: 3},
		{name: "powershell", on: onWindows, share: .3, cves: 1, every: 2},
		{name: "visual_studio_code", on: onClients | onMac | onUbuntu, share: .2, cves: 1},
		{name: "visual_c++_2015-2022_redistributable", on: onWindows, share: .9, cves: 1, every: 4},
		{name: "defender_for_endpoint", on: onWindows | onRedHat | onUbuntu | onMac, share: 1, cves: 1, every: 3},
		{name: "defender_security_intelligence_updates", on: onWindows, share: 1},
		{name: "azure_connected_machine_agent", on: onServers, share: .5, cves: 1, every: 2},
		{name: "azure_monitor_agent", on: onServers, share: .45, cves: 1, every: 2},
		{name: "azure_cli", on: onClients | onUbuntu, share: .08, cves: 1, every: 2},
		{name: "sql_server_management_studio", on: onClients, share: .1, cves: 2, every: 2},
		{name: "power_bi_desktop", on: onClients, share: .12, cves: 1, every: 3},
	}
}

// thirdPartyEntries are named vendor-_-name.
func thirdPartyEntries() []entry {
	return []entry{
		{name: "google-_-chrome", on: onClients | onServer2019 | onMac, share: .78, cves: 12},
		{name: "mozilla-_-firefox", on: onClients | onMac | onUbuntu, share: .36, cves: 10},
		{name: "mozilla-_-thunderbird", on: onClients | onUbuntu, share: .05, cves: 8},
		{name: "7-zip-_-7-zip", on: onWindows, share: .55, cves: 2, every: 2},
		{name: "adobe-_-acrobat_reader_dc", on: onClients | onMac, share: .6, cves: 7},
		{name: "adobe-_-acrobat_dc", on: onClients, share: .12, cves: 7},
		{name: "adobe-_-creative_cloud", on: onClients | onMac, share: .06, cves: 2, every: 2},
		{name: "git-scm-_-git", on: onWindows | onMac, share: .18, cves: 2},
		{name: "notepad++-_-notepad++", on: onWindows, share: .4, cves: 1, every: 2},
		{name: "videolan-_-vlc_media_player", on: onClients, share: .22, cves: 2, every: 2},
		{name: "oracle-_-jre", on: onWindows, share: .24, cves: 8, every: 3},
		{name: "oracle-_-jdk", on: onServers | onClients, share: .06, cves: 8, every: 3},
		{name: "python-_-python", on: onWindows | onMac, share: .16, cves: 2},
		{name: "nodejs-_-node.js", on: onClients | onServer2022, share: .1, cves: 3},
		{name: "putty-_-putty", on: onWindows, share: .2, cves: 1, every: 3},
		{name: "winscp-_-winscp", on: onWindows, share: .14, cves: 1, every: 3},
		{name: "filezilla-project-_-filezilla_client", on: onClients, share: .07, cves: 1, every: 3},
		{name: "zoom-_-zoom", on: onClients | onMac, share: .3, cves: 3},
		{name: "cisco-_-webex", on: onClients, share: .15, cves: 1, every: 2},
		{name: "cisco-_-secure_client", on: onClients | onMac, share: .5, cves: 2, every: 2},
		{name: "citrix-_-workspace", on: onClients, share: .25, cves: 2, every: 2},
		{name: "vmware-_-tools", on: onServers, share: .7, cves: 2, every: 2},
		{name: "rarlab-_-winrar", on: onClients, share: .1, cves: 1, every: 2},
		{name: "wireshark-_-wireshark", on: onClients | onServers, share: .05, cves: 3},
		{name: "dell-_-supportassist", on: onClients, share: .4, cves: 2, every: 2},
		{name: "lenovo-_-system_update", on: onClients, share: .2, cves: 1, every: 3},
		{name: "docker-_-docker_desktop", on: onClients | onMac, share: .08, cves: 2},
		{name: "jetbrains-_-intellij_idea", on: onClients | onMac, share: .05, cves: 2, every: 2},
		{name: "slack-_-slack", on: onClients | onMac, share: .45, cves: 1, every: 3},
		{name: "foxit-_-pdf_reader", on: onClients, share: .06, cves: 5, every: 2},
		{name: "openssl-_-openssl", on: onServers | onRedHat | onUbuntu, share: .4, cves: 2, every: 2},
		{name: "red_hat-_-kernel", on: onRedHat, share: 1, cves: 24},
		{name: "red_hat-_-openssh", on: onRedHat, share: 1, cves: 2, every: 2},
		{name: "ubuntu-_-linux_image_for_linux", on: onUbuntu, share: 1, cves: 20},
		{name: "ubuntu-_-thunderbird-gnome-support_for_linux", on: onUbuntu, share: .5, cves: 6, every: 2},
		{name: "apple-_-macos", on: onMac, share: 1, cves: 18},
	}
}

// catalog gives the built-in products and the lines that service them.
func catalog() (products []product, lines []line) {
	lines = windowsLines()
	for i := range lines {
		lines[i].vendor, lines[i].kb = "microsoft", true
	}
	for _, e := range osEntries() {
		products = append(products, product{"microsoft", e.name, e.on, e.share})
	}
	add := func(vendor string, e entry, kb bool) {
		products = append(products, product{vendor, e.name, e.on, e.share})
		if e.cves > 0 {
			lines = append(lines, line{vendor: vendor, products: e.name, cves: e.cves, every: e.every, kb: kb, build: e.build, family: e.name})
		}
	}
	for _, e := range kbEntries() {
		add("microsoft", e, true)
	}
	for _, e := range evergreenEntries() {
		add("microsoft", e, false)
	}
	for _, e := range thirdPartyEntries() {
		vendor, name, _ := strings.Cut(e.name, "-_-")
		e.name = name
		add(vendor, e, false)
	}
	return products, lines
}

// names are the products of the line, as KBs name them.
func (l line) names() []string { return strings.Fields(l.products) }
