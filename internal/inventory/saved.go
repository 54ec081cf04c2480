package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
)

// saved is the stored form of a software. It omits what follows from the ID.
type saved struct {
	ID         string  `json:"i"`
	Name       *string `json:"n,omitempty"` // nil if equal to the end of the ID
	Vendor     *string `json:"v,omitempty"` // nil if equal to the start of the ID
	Weaknesses int     `json:"w,omitempty"`
	Exploit    bool    `json:"x,omitempty"`
	Alert      bool    `json:"a,omitempty"`
	Exposed    int     `json:"e,omitempty"`
	Installed  int     `json:"d,omitempty"`
	Impact     float64 `json:"s,omitempty"`
}

// idSeparator separates the vendor from the name in an ID.
const idSeparator = "-_-"

// encode returns the stored form of a list: JSON without what decode can derive.
func encode(software []api.Software) ([]byte, error) {
	all := make([]saved, len(software))
	for i, s := range software {
		all[i] = saved{
			ID: s.ID, Weaknesses: s.Weaknesses, Exploit: s.PublicExploit, Alert: s.ActiveAlert, Exposed: s.ExposedMachines,
			Installed: s.InstalledMachines, Impact: s.ImpactScore,
		}
		vendor, name, _ := strings.Cut(s.ID, idSeparator)
		if s.Name != name {
			all[i].Name = &s.Name
		}
		if s.Vendor != vendor {
			all[i].Vendor = &s.Vendor
		}
	}
	return json.Marshal(all)
}

func decode(raw []byte) ([]api.Software, error) {
	var all []saved
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("read a saved software list: %w", err)
	}
	software := make([]api.Software, len(all))
	for i, s := range all {
		vendor, name, _ := strings.Cut(s.ID, idSeparator) // substrings share the ID's memory
		if s.Name != nil {
			name = *s.Name
		}
		if s.Vendor != nil {
			vendor = *s.Vendor
		}
		software[i] = api.Software{
			ID: s.ID, Name: name, Vendor: vendor, Weaknesses: s.Weaknesses, PublicExploit: s.Exploit, ActiveAlert: s.Alert,
			ExposedMachines: s.Exposed, InstalledMachines: s.Installed, ImpactScore: s.Impact,
		}
	}
	return software, nil
}

// SavedIDs returns the ids of the list that was saved last, or none.
func SavedIDs(ctx context.Context, s Store) ([]string, error) {
	list, found, err := s.SoftwareList(ctx, digest.DefaultTenant)
	if err != nil || !found {
		return nil, err
	}
	var all []struct {
		ID string `json:"i"` // of [saved]
	}
	if err := json.Unmarshal(list.Software, &all); err != nil {
		return nil, fmt.Errorf("read a saved software list: %w", err)
	}
	ids := make([]string, len(all))
	for i, s := range all {
		ids[i] = s.ID
	}
	return ids, nil
}

// load takes over the list that was saved last. If that fails, the first question asks Defender.
func (i *Inventory) load(ctx context.Context) {
	if i.Store == nil {
		return
	}
	list, found, err := i.Store.SoftwareList(ctx, digest.DefaultTenant)
	if err != nil || !found {
		if err != nil && ctx.Err() == nil {
			i.Log.WarnContext(ctx, "could not read the saved software list; the first search asks Defender", "error", err)
		}
		return
	}
	software, err := decode(list.Software)
	if err != nil {
		i.Log.WarnContext(ctx, "could not read the saved software list; the first search asks Defender", "error", err)
		return
	}
	answer := api.Answer[[]api.Software]{Value: software, FetchedAt: list.Fetched, Age: max(i.Now().Sub(list.Fetched), 0), Skipped: list.Skipped, Cached: true}
	i.lastSaved = fingerprintOf(answer)
	i.keep(answer)
}

// save saves the list if its software has changed or the saved one is old.
func (i *Inventory) save(ctx context.Context) {
	answer, ok, _ := i.current()
	if i.Store == nil || !ok {
		return
	}
	now := fingerprintOf(answer)
	if now.ids == i.lastSaved.ids && now.fetched.Sub(i.lastSaved.fetched) < saveEvery {
		return
	}
	raw, err := encode(answer.Value)
	if err == nil {
		limited, cancel := context.WithTimeout(ctx, saveTimeout)
		defer cancel()
		err = i.Store.SaveSoftwareList(limited, digest.DefaultTenant, store.SoftwareList{Software: raw, Fetched: answer.FetchedAt, Skipped: answer.Skipped})
	}
	if err != nil {
		i.Log.WarnContext(ctx, "could not save the software list; the next start begins without it", "error", err)
		return
	}
	i.lastSaved = now
}

const (
	saveEvery   = time.Hour // a list with the same software is saved no more often than this
	saveTimeout = 30 * time.Second
)

// fingerprint compares lists without keeping them: by a hash of the ids and when they were fetched.
type fingerprint struct {
	ids     uint64
	fetched time.Time
}

// seed is shared by all fingerprints of a process; they are never stored.
var seed = maphash.MakeSeed()

func fingerprintOf(a api.Answer[[]api.Software]) fingerprint {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, s := range a.Value {
		_, _ = h.WriteString(s.ID) // never fails
		_ = h.WriteByte('\n')
	}
	return fingerprint{h.Sum64(), a.FetchedAt}
}
