package apitest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// device is a machine of the built-in data and how it takes updates.
type device struct {
	Machine
	on       target
	key      uint64
	pace     float64 // 0 takes updates first in its group, 1 last
	median   float64 // days until half of its group has an update
	goneAt   time.Time
	products []int // indexes into the catalog
}

// silentDays is how long a device may be silent before Defender stops counting it.
const silentDays = 30

// counted tells whether Defender still reckons with the device.
func (d *device) counted(now time.Time) bool {
	return d.goneAt.IsZero() || now.Sub(d.goneAt) < silentDays*24*time.Hour
}

// group is a device group (Defender calls it an RBAC group). The factory's
// machines may only restart in its pauses, and so lag for weeks.
type group struct {
	id     int
	name   string
	median float64
}

func groups() []group {
	return []group{
		{0, "", 32}, // unmanaged devices
		{101, "Pilot Ring", 2},
		{102, "Office Workstations", 11},
		{103, "Field Laptops", 15},
		{104, "Servers", 17},
		{105, "Domain Controllers", 21},
		{140, "Factory Floor", 52},
	}
}

// Places in groups().
const (
	unmanaged = iota
	pilot
	office
	field
	servers
	controllers
	factory
)

// fleet is a number of devices of one kind.
type fleet struct {
	count    int
	platform string
	version  string
	build    int
	on       target
	names    []string // a name ending in "-" is followed by a number
	groups   []int    // of groups(), dealt out in turn
}

func fleets() []fleet {
	desk := []int{office, office, field, office, pilot, field, office, office}
	return []fleet{
		{95, "Windows10", "22H2", 19045, onWindows10, []string{"desk-sto-", "desk-gbg-", "lap-"}, desk},
		{18, "Windows10", "21H2", 19044, onWindows10, []string{"plant-pc-", "cnc-"}, []int{factory}},
		{15, "Windows10", "1809", 17763, onWindows10, []string{"kiosk-"}, []int{factory, field}},
		{60, "Windows11", "23H2", 22631, onWindows11, []string{"lap-", "desk-mmo-"}, desk},
		{70, "Windows11", "24H2", 26100, onWindows11, []string{"lap-", "desk-sto-", "studio-"}, desk},
		{26, "Windows11", "25H2", 26200, onWindows11, []string{"lap-", "desk-gbg-"}, []int{pilot, office, field}},
		{12, "WindowsServer2016", "1607", 14393, onServer2016, []string{"file-", "print-", "legacy-app-"}, []int{servers, servers, factory}},
		{18, "WindowsServer2019", "1809", 17763, onServer2019, []string{"sql-", "app-", "dc-"}, []int{servers, servers, controllers}},
		{22, "WindowsServer2022", "21H2", 20348, onServer2022, []string{"web-", "sql-", "dc-"}, []int{servers, servers, controllers}},
		{10, "WindowsServer2025", "24H2", 26100, onServer2025, []string{"web-", "hv-"}, []int{servers}},
		{8, "RedHatEnterpriseLinux", "9.5", 0, onRedHat, []string{"rhel-"}, []int{unmanaged}},
		{4, "Ubuntu", "24.4", 0, onUbuntu, []string{"ubuntu-build-"}, []int{unmanaged}},
		{6, "macOS", "15.7", 0, onMac, []string{"mac-"}, []int{unmanaged, pilot}},
	}
}

// makeDevices invents the devices of a tenant whose clock starts at start.
func makeDevices(seed uint64, start time.Time, products []product) []*device {
	var all []*device
	number := map[string]int{}
	for _, f := range fleets() {
		for i := range f.count {
			stem := f.names[i%len(f.names)]
			number[stem]++
			d := f.device(seed, fmt.Sprintf("%s%02d", stem, number[stem]), groups()[f.groups[i%len(f.groups)]])
			d.settle(start, len(all))
			d.products = installed(d, products)
			all = append(all, d)
		}
	}
	return all
}

func (f fleet) device(seed uint64, name string, g group) *device {
	k := mix(seed, key(name))
	d := &device{on: f.on, key: k, pace: unit(k, 1), median: g.median}
	d.Machine = Machine{
		ID: hexID(40, k), ComputerDNSName: dnsName(name, f.on), OSPlatform: f.platform, Version: f.version, OSBuild: f.build,
		RBACGroupID: g.id, RBACGroupName: g.name, RiskScore: pick(k, "None", "Low", "Low", "Medium", "High"),
		LastIPAddress: fmt.Sprintf("10.%d.%d.%d", between(20, 60, k, 2), between(0, 254, k, 3), between(2, 254, k, 4)),
		ManagedBy:     pick(k, "Intune", "Intune", "MicrosoftDefenderForEndpoint", "ConfigMgr"),
		MachineTags:   tags(name, f.on),
	}
	if f.on&onClients != 0 {
		d.AADDeviceID = guid(k, 5)
	}
	return d
}

// dnsName is the name as Defender would have it: servers are in the domain,
// and the machines on the factory floor were named in capitals once.
func dnsName(name string, on target) string {
	switch {
	case strings.HasPrefix(name, "cnc-"):
		return strings.ToUpper(name)
	case on&onServers != 0:
		return name + ".corp.contoso.com"
	}
	return name
}

func tags(name string, on target) []string {
	switch {
	case strings.HasPrefix(name, "web-"):
		return []string{"internet-facing", "production"}
	case strings.HasPrefix(name, "sql-"):
		return []string{"production"}
	case strings.HasPrefix(name, "kiosk-"):
		return []string{"kiosk", "branch office"}
	case on&(onRedHat|onUbuntu) != 0:
		return []string{"linux"}
	}
	return nil
}

// settle gives the device its dates. Every 17th has fallen silent: half of
// those too long ago to be counted, the others soon to be forgotten.
func (d *device) settle(start time.Time, place int) {
	d.FirstSeen = start.Add(-time.Duration(between(200, 900, d.key, 6)) * 24 * time.Hour).Add(time.Duration(d.key % uint64(time.Hour)).Truncate(stampUnit))
	if place%17 != 5 {
		return
	}
	days := between(9, 27, d.key, 7)
	if place%2 == 0 {
		days += silentDays
	}
	d.goneAt = start.Add(-time.Duration(days)*24*time.Hour - time.Duration(d.key%uint64(time.Hour)).Truncate(stampUnit))
}

// at is the device's row at a moment of the tenant's clock.
func (d *device) at(now time.Time) Machine {
	m := d.Machine
	m.LastSeen = now.Truncate(time.Hour).Add(-time.Duration(d.key % uint64(20*time.Hour)).Truncate(stampUnit))
	m.HealthStatus = "Active"
	if !d.goneAt.IsZero() && d.goneAt.Before(m.LastSeen) {
		m.LastSeen = d.goneAt
	}
	if now.Sub(m.LastSeen) > 7*24*time.Hour {
		m.HealthStatus = "Inactive"
	}
	return m
}

// installed are the places of the products that are on the device.
func installed(d *device, products []product) []int {
	var on []int
	for i, p := range products {
		if p.on&d.on != 0 && unit(d.key, key(p.id())) < p.share {
			on = append(on, i)
		}
	}
	return on
}

// has tells whether the device has the product at that place of the catalog.
func (d *device) has(product int) bool {
	_, ok := slices.BinarySearch(d.products, product)
	return ok
}

func pick(k uint64, of ...string) string {
	return of[mix(k, uint64(len(of)))%uint64(len(of))]
}
