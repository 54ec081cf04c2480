package apitest

import (
	"encoding/json"
	"time"
)

// Software is one row of /api/Software, with Defender's JSON names.
// See https://learn.microsoft.com/defender-endpoint/api/software.
type Software struct {
	ID                string  `json:"id"` // vendor-_-name
	Name              string  `json:"name"`
	Vendor            string  `json:"vendor"`
	Weaknesses        int     `json:"weaknesses"` // CVEs that some device is open to
	PublicExploit     bool    `json:"publicExploit"`
	ActiveAlert       bool    `json:"activeAlert"`
	ExposedMachines   int     `json:"exposedMachines"`
	InstalledMachines int     `json:"installedMachines"` // not documented, sent in practice
	ImpactScore       float64 `json:"impactScore"`
}

// KB is one row of getmissingkbs, with Defender's JSON names.
// See https://learn.microsoft.com/defender-endpoint/api/get-missing-kbs-software.
type KB struct {
	ID   string // digits as a rule; the live service has been seen to prefix "KB"
	Name string
	// OSBuild is whatever the row shall hold: a number, a string such as
	// "22631.4037", Null{} for null, or nil for no such field.
	OSBuild         any
	ProductsNames   []string // nil is sent as null
	URL             string   // "" is sent as null
	MachineMissedOn int
	CVEAddressed    int
}

// MarshalJSON writes the row in Defender's field order.
func (k KB) MarshalJSON() ([]byte, error) { return json.Marshal(k.row()) }

// kbRow is a KB as sent.
type kbRow struct {
	ID              string   `json:"id"`
	Name            string   `json:"name"`
	OSBuild         any      `json:"osBuild,omitempty"`
	ProductsNames   []string `json:"productsNames"`
	URL             *string  `json:"url"`
	MachineMissedOn int      `json:"machineMissedOn"`
	CVEAddressed    int      `json:"cveAddressed"`
}

func (k KB) row() kbRow {
	return kbRow{k.ID, k.Name, k.OSBuild, k.ProductsNames, orNull(k.URL), k.MachineMissedOn, k.CVEAddressed}
}

// Null is a JSON null, for [KB.OSBuild].
type Null struct{}

// MarshalJSON writes null.
func (Null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// Machine is one row of /api/machines.
// See https://learn.microsoft.com/defender-endpoint/api/machine.
type Machine struct {
	ID              string // 40 hexadecimal digits as a rule
	ComputerDNSName string
	FirstSeen       time.Time
	LastSeen        time.Time
	OSPlatform      string // "Windows10", "WindowsServer2022", "Ubuntu"
	Version         string // "22H2"
	OSBuild         int    // 0 is sent as null, as for Linux
	HealthStatus    string // "Active", "Inactive"
	RBACGroupID     int
	RBACGroupName   string // "" is sent as null
	RiskScore       string
	ExposureLevel   string
	LastIPAddress   string // "" is sent as null, here and below
	AADDeviceID     string
	ManagedBy       string
	MachineTags     []string // nil is sent as []
}

// MarshalJSON writes the row in Defender's field order, with the fields that
// only live rows have.
func (m Machine) MarshalJSON() ([]byte, error) { return json.Marshal(m.row()) }

func (m Machine) row() machineRow {
	return machineRow{
		ID: m.ID, ComputerDNSName: m.ComputerDNSName,
		FirstSeen: stamp(m.FirstSeen), LastSeen: stamp(m.LastSeen),
		OSPlatform: m.OSPlatform, OSProcessor: "x64", Version: m.Version,
		LastIPAddress: orNull(m.LastIPAddress), LastExternalIPAddress: orNull(externalAddress(m)),
		OSBuild: orNull(m.OSBuild), HealthStatus: m.HealthStatus, DeviceValue: "Normal",
		RBACGroupID: m.RBACGroupID, RBACGroupName: orNull(m.RBACGroupName),
		RiskScore: orNull(m.RiskScore), ExposureLevel: orNull(m.ExposureLevel),
		IsAADJoined: m.AADDeviceID != "", AADDeviceID: orNull(m.AADDeviceID),
		MachineTags: orEmpty(m.MachineTags), OnboardingStatus: "Onboarded",
		OSArchitecture: "64-bit", ManagedBy: orNull(m.ManagedBy), ManagedByStatus: "Unknown",
		IPAddresses: []any{},
	}
}

// machineRow is a machine as sent.
type machineRow struct {
	ID                     string   `json:"id"`
	MergedIntoMachineID    *string  `json:"mergedIntoMachineId"`
	IsPotentialDuplication bool     `json:"isPotentialDuplication"`
	IsExcluded             bool     `json:"isExcluded"`
	ExclusionReason        *string  `json:"exclusionReason"`
	ComputerDNSName        string   `json:"computerDnsName"`
	FirstSeen              *string  `json:"firstSeen"`
	LastSeen               *string  `json:"lastSeen"`
	OSPlatform             string   `json:"osPlatform"`
	OSVersion              *string  `json:"osVersion"`
	OSProcessor            string   `json:"osProcessor"`
	Version                string   `json:"version"`
	LastIPAddress          *string  `json:"lastIpAddress"`
	LastExternalIPAddress  *string  `json:"lastExternalIpAddress"`
	AgentVersion           *string  `json:"agentVersion"`
	OSBuild                *int     `json:"osBuild"`
	HealthStatus           string   `json:"healthStatus"`
	DeviceValue            string   `json:"deviceValue"`
	RBACGroupID            int      `json:"rbacGroupId"`
	RBACGroupName          *string  `json:"rbacGroupName"`
	RiskScore              *string  `json:"riskScore"`
	ExposureLevel          *string  `json:"exposureLevel"`
	IsAADJoined            bool     `json:"isAadJoined"`
	AADDeviceID            *string  `json:"aadDeviceId"`
	MachineTags            []string `json:"machineTags"`
	OnboardingStatus       string   `json:"onboardingStatus"`
	OSArchitecture         string   `json:"osArchitecture"`
	ManagedBy              *string  `json:"managedBy"`
	ManagedByStatus        string   `json:"managedByStatus"`
	IPAddresses            []any    `json:"ipAddresses"`
	VMMetadata             *string  `json:"vmMetadata"`
}

// Defender's device times have seven decimals.
const (
	stampLayout = "2006-01-02T15:04:05.0000000Z"
	stampUnit   = 100 * time.Nanosecond
)

func stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC().Format(stampLayout))
}

func orNull[T comparable](v T) *T {
	if v == *new(T) {
		return nil
	}
	return &v
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// externalAddress is out of the block that RFC 5737 keeps for documentation.
func externalAddress(m Machine) string {
	if m.LastIPAddress == "" {
		return ""
	}
	return "203.0.113.10"
}
