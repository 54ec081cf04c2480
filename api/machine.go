package api

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Machine is a device that Defender knows. Fields and JSON names are Defender's;
// what it does not say is empty.
//
// https://learn.microsoft.com/defender-endpoint/api/machine
type Machine struct {
	ID               string    `json:"id"`               // 40 hexadecimal digits
	ComputerDNSName  string    `json:"computerDnsName"`  // "web-01.contoso.com", in whatever case the device has it
	OSPlatform       string    `json:"osPlatform"`       // "Windows10"
	Version          string    `json:"version"`          // "22H2"
	OSBuild          string    `json:"osBuild"`          // "19045"; "" for most that is not Windows
	HealthStatus     string    `json:"healthStatus"`     // "Active", "Inactive", …
	RiskScore        string    `json:"riskScore"`        // "None" to "High"
	ExposureLevel    string    `json:"exposureLevel"`    // "None" to "High"
	RBACGroupName    string    `json:"rbacGroupName"`    // device group; "UnassignedGroup", "None" or "" for none
	OnboardingStatus string    `json:"onboardingStatus"` // "Onboarded", …
	DeviceValue      string    `json:"deviceValue"`      // "Normal", "Low" or "High"
	LastIPAddress    string    `json:"lastIpAddress"`    //
	AADDeviceID      string    `json:"aadDeviceId"`      // Entra's id of the device
	MachineTags      []string  `json:"machineTags"`      // never nil
	FirstSeen        time.Time `json:"firstSeen,omitzero"`
	LastSeen         time.Time `json:"lastSeen,omitzero"` // its last full report, about daily; not what the portal shows
}

// MachineByID returns the device with an id, or with exactly that computer name.
// An unknown one is [ErrNotFound].
//
// The permission is Machine.Read.All, or Machine.Read when a person signed in.
// https://learn.microsoft.com/defender-endpoint/api/get-machine-by-id
func (c *Client) MachineByID(ctx context.Context, idOrName string, opts ...CallOption) (Answer[Machine], error) {
	path := "/api/machines/" + segment(idOrName)
	if idOrName == "" {
		return Answer[Machine]{}, c.noID(path)
	}
	return ask(ctx, c, question[Machine]{
		path:  path,
		clone: cloneMachine,
		size:  func(m Machine) int { return sizeOfMachines([]Machine{m}) },
		fetch: func(ctx context.Context) (Machine, badRows, error) {
			m, err := one(ctx, c, "MachineByID", path, decodeOne[Machine, wireMachine])
			return m, badRows{}, err
		},
	}, opts)
}

// MachinesByName returns the devices whose computer name begins with name, each
// id once, in Defender's order. None is an empty list, not an error.
//
// The permission is Machine.Read.All, or Machine.Read when a person signed in.
// https://learn.microsoft.com/defender-endpoint/api/get-machines
func (c *Client) MachinesByName(ctx context.Context, name string, opts ...CallOption) (Answer[[]Machine], error) {
	path := "/api/machines" + query("startswith(computerDnsName,"+Quote(name)+")", 0, 0)
	return ask(ctx, c, question[[]Machine]{
		path:  path,
		clone: cloneMachines,
		size:  sizeOfMachines,
		fetch: func(ctx context.Context) ([]Machine, badRows, error) {
			p := pager[Machine]{client: c, op: "MachinesByName", decode: decodePage[Machine, wireMachine]}
			machines, err := p.all(ctx, path)
			// Defender answers 404 when no device matches.
			if err != nil && !errors.Is(err, ErrNotFound) {
				return nil, badRows{}, err
			}
			return mergeMachines(machines), p.bad, nil
		},
	}, opts)
}

// mergeMachines leaves one of those with the same id, the one seen last.
func mergeMachines(machines []Machine) []Machine {
	out := make([]Machine, 0, len(machines))
	at := make(map[string]int, len(machines))
	for _, m := range machines {
		have, known := at[m.ID]
		switch {
		case !known:
			at[m.ID] = len(out)
			out = append(out, m)
		case m.LastSeen.After(out[have].LastSeen):
			out[have] = m
		}
	}
	return out
}

func cloneMachine(m Machine) Machine {
	m.MachineTags = slices.Clone(m.MachineTags)
	return m
}

func cloneMachines(ms []Machine) []Machine {
	out := make([]Machine, len(ms))
	for i, m := range ms {
		out[i] = cloneMachine(m)
	}
	return out
}
