package api

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// MachineReference is a device as lists of another resource name it. Fields and
// JSON names are Defender's; what it does not say is empty.
//
// https://learn.microsoft.com/defender-endpoint/api/get-machines-by-software
type MachineReference struct {
	ID              string `json:"id"`              // 40 hexadecimal digits
	ComputerDNSName string `json:"computerDnsName"` // without spaces around it, in whatever case the device has it
	OSPlatform      string `json:"osPlatform"`      // "Windows10"
	RBACGroupName   string `json:"rbacGroupName"`   // device group; "UnassignedGroup", "None" or "" for none
}

type wireReference struct {
	ID              string `json:"id"`
	ComputerDNSName string `json:"computerDnsName"`
	OSPlatform      string `json:"osPlatform"`
	RBACGroupName   string `json:"rbacGroupName"`
}

func (w wireReference) value() (MachineReference, error) {
	if w.ID == "" {
		return MachineReference{}, errors.New("no id")
	}
	return MachineReference{w.ID, strings.TrimSpace(w.ComputerDNSName), w.OSPlatform, w.RBACGroupName}, nil
}

// SoftwareMachines returns the devices that have a software, each id once, in
// Defender's order. They have it; which of them lack one of its updates is not said.
// An id that Defender does not know is [ErrNotFound].
//
// The permission is Software.Read.All, or Software.Read when a person signed in.
// https://learn.microsoft.com/defender-endpoint/api/get-machines-by-software
func (c *Client) SoftwareMachines(ctx context.Context, softwareID string, opts ...CallOption) (Answer[[]MachineReference], error) {
	return c.references(ctx, "SoftwareMachines", "/api/Software/", softwareID, opts)
}

// VulnerabilityMachines returns the devices that a CVE exposes, like [Client.SoftwareMachines].
//
// The permission is Vulnerability.Read.All, or Vulnerability.Read when a person signed in.
// https://learn.microsoft.com/defender-endpoint/api/get-machines-by-vulnerability
func (c *Client) VulnerabilityMachines(ctx context.Context, cve string, opts ...CallOption) (Answer[[]MachineReference], error) {
	return c.references(ctx, "VulnerabilityMachines", "/api/vulnerabilities/", cve, opts)
}

func (c *Client) references(ctx context.Context, op, collection, id string, opts []CallOption) (Answer[[]MachineReference], error) {
	path := collection + segment(id) + "/machineReferences"
	if id == "" {
		return Answer[[]MachineReference]{}, c.noID(path)
	}
	return ask(ctx, c, question[[]MachineReference]{
		path:  path,
		clone: slices.Clone[[]MachineReference],
		size:  sizeOfReferences,
		fetch: func(ctx context.Context) ([]MachineReference, badRows, error) {
			p := pager[MachineReference]{client: c, op: op, decode: decodePage[MachineReference, wireReference]}
			rows, err := p.all(ctx, path)
			if err == nil {
				err = p.confirmEmpty(len(rows), path)
			}
			if err != nil {
				return nil, badRows{}, err
			}
			return onceEach(rows), p.bad, nil
		},
	}, opts)
}

// onceEach leaves the first row of each id. It reuses rows.
func onceEach(rows []MachineReference) []MachineReference {
	seen := make(map[string]struct{}, len(rows))
	return slices.DeleteFunc(rows, func(m MachineReference) bool {
		_, twice := seen[m.ID]
		seen[m.ID] = struct{}{}
		return twice
	})
}

func sizeOfReferences(all []MachineReference) int {
	n := 0
	for i := range all {
		n += 64 + len(all[i].ID) + len(all[i].ComputerDNSName) + len(all[i].OSPlatform) + len(all[i].RBACGroupName)
	}
	return n
}
