package api

import (
	"context"
	"hash/maphash"
	"slices"
	"strings"
)

// MissingKB is one security update that devices lack. Fields and JSON names are
// those of Defender's PublicProductFixDto.
//
// https://learn.microsoft.com/defender-endpoint/api/get-missing-kbs-software
type MissingKB struct {
	ID              string   `json:"id"`                // "4540673": without "KB"; other vendors' ids such as "RHSA-2024:9315" are as they are
	Name            string   `json:"name"`              // "March 2020 Security Updates"
	ProductsNames   []string `json:"productsNames"`     // products it applies to, without vendor: "edge"; never nil
	URL             string   `json:"url"`               // its page in the update catalog: foreign text, may be "" or point anywhere
	OSBuild         string   `json:"osBuild,omitempty"` // "17763" or "22631.4037"; "" when Defender does not say. Not documented
	MachineMissedOn int      `json:"machineMissedOn"`   // devices without it, at least one
	CVEAddressed    int      `json:"cveAddressed"`      // CVEs that it fixes
}

// MissingKBs returns the updates that devices with a software lack, one row per
// KB and OS build, in Defender's order. Rows that no device lacks are left out.
// Nothing missing is an empty list; an id that Defender does not know is
// [ErrNotFound].
//
// The permission is Software.Read.All, or Software.Read when a person signed in.
// https://learn.microsoft.com/defender-endpoint/api/get-missing-kbs-software
func (c *Client) MissingKBs(ctx context.Context, softwareID string, opts ...CallOption) (Answer[[]MissingKB], error) {
	return c.missingKBs(ctx, "MissingKBs", "/api/Software/", softwareID, opts)
}

// MachineMissingKBs returns the updates that one device lacks, like
// [Client.MissingKBs]. The device is named by its id; see [Client.MachineByID]
// for one known by name.
//
// The permission is Software.Read.All.
// https://learn.microsoft.com/defender-endpoint/api/get-missing-kbs-machine
func (c *Client) MachineMissingKBs(ctx context.Context, machineID string, opts ...CallOption) (Answer[[]MissingKB], error) {
	return c.missingKBs(ctx, "MachineMissingKBs", "/api/machines/", machineID, opts)
}

func (c *Client) missingKBs(ctx context.Context, op, collection, id string, opts []CallOption) (Answer[[]MissingKB], error) {
	path := collection + segment(id) + "/getmissingkbs"
	if id == "" {
		return Answer[[]MissingKB]{}, c.noID(path)
	}
	return ask(ctx, c, question[[]MissingKB]{
		path:  path,
		clone: cloneKBs,
		size:  sizeOfKBs,
		fetch: func(ctx context.Context) ([]MissingKB, badRows, error) {
			p := pager[MissingKB]{client: c, op: op, decode: decodeKBPage}
			rows, err := p.all(ctx, path)
			if err == nil && p.doubtful(len(rows)) && op == "MissingKBs" {
				// Only Defender can tell whether it knows the software.
				_, err = c.SoftwareByID(ctx, id, append(slices.Clip(opts), Fresh())...)
			}
			if err != nil {
				return nil, badRows{}, err
			}
			return missing(mergeKBs(rows)), p.bad, nil
		},
	}, opts)
}

// mergeKBs makes one row of those with the same KB and OS build: the larger
// counts, the products of both. The order is that of their first appearance. It
// reuses rows.
func mergeKBs(rows []MissingKB) []MissingKB {
	kbs := rows[:0]
	seed := maphash.MakeSeed()
	at := make(map[uint64]int32, len(rows)) // by hash, which takes a third of what the keys would
rows:
	for _, kb := range rows {
		k := kb.key()
		hash := maphash.Comparable(seed, k)
		for ; ; hash++ { // two that have the same hash are neighbours
			have, ok := at[hash]
			if !ok {
				break
			}
			if kbs[have].key() == k {
				kbs[have].merge(kb)
				continue rows
			}
		}
		at[hash] = int32(len(kbs)) //nolint:gosec // no body has so many rows
		kbs = append(kbs, kb)
	}
	return kbs
}

// missing leaves out the updates that no device lacks. It reuses kbs.
func missing(kbs []MissingKB) []MissingKB {
	return slices.DeleteFunc(kbs, func(kb MissingKB) bool { return kb.MachineMissedOn == 0 })
}

// kbKey is what tells rows apart.
type kbKey struct{ id, name, build string }

// key leaves out the name, unless only the name can tell two rows apart.
func (kb *MissingKB) key() kbKey {
	if kb.ID == "" {
		return kbKey{name: kb.Name, build: kb.OSBuild}
	}
	return kbKey{id: kb.ID, build: kb.OSBuild}
}

func (kb *MissingKB) merge(other MissingKB) {
	kb.MachineMissedOn = max(kb.MachineMissedOn, other.MachineMissedOn)
	kb.CVEAddressed = max(kb.CVEAddressed, other.CVEAddressed)
	for _, p := range other.ProductsNames {
		if !slices.Contains(kb.ProductsNames, p) {
			kb.ProductsNames = append(kb.ProductsNames, p)
		}
	}
	if kb.URL == "" {
		kb.URL = other.URL
	}
	if kb.Name == "" {
		kb.Name = other.Name
	}
}

// cloneKBs copies rows so that no caller can change another's. The names of all
// rows share one array: two allocations, however many rows.
func cloneKBs(kbs []MissingKB) []MissingKB {
	n := 0
	for i := range kbs {
		n += len(kbs[i].ProductsNames)
	}
	names := make([]string, 0, n)
	out := append(make([]MissingKB, 0, len(kbs)), kbs...)
	for i := range out {
		start := len(names)
		names = append(names, out[i].ProductsNames...)
		out[i].ProductsNames = names[start:len(names):len(names)]
	}
	return out
}

// trimKB takes the prefix off a KB number that Defender sends with one. An id
// that only begins with these letters is left alone.
func trimKB(id string) string {
	id = strings.TrimSpace(id)
	if len(id) < 3 || !strings.EqualFold(id[:2], "KB") {
		return id
	}
	number := strings.TrimSpace(id[2:])
	if number == "" || strings.Trim(number, "0123456789") != "" {
		return id
	}
	return number
}
