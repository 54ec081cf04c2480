package store

import (
	"encoding/json"
	"testing"

	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// What was stored before the products were kept is read as it was, and rows without any are stored as they were.
func TestReadingsWithoutProducts(t *testing.T) {
	t.Parallel()
	const before = `{"KB":["5000001","5000002"],"OSBuild":["",""],"Name":["a","b"],"URL":["",""],"Devices":[3,2],"CVEs":[1,0]}`
	var p packer
	packed, err := p.pack([]byte(before))
	if err != nil {
		t.Fatal(err)
	}
	var u unpacker
	var g gaps
	if err := u.unpack(packed, &g); err != nil {
		t.Fatal(err)
	}
	rows := g.rows("microsoft-_-edge")
	want := patchgap.Row{Key: patchgap.Key{Software: "microsoft-_-edge", KB: "5000002"}, Name: "b", Devices: 2}
	if len(rows) != 2 || rows[1] != want {
		t.Errorf("read %+v", rows)
	}
	if got := string(encoded(t, columns(rows))); got != before {
		t.Errorf("stored as %s, want %s", got, before)
	}
	rows[1].Products = "edge"
	g = gaps{}
	if packed, err = p.pack(encoded(t, columns(rows))); err == nil {
		err = u.unpack(packed, &g)
	}
	if back := g.rows("microsoft-_-edge"); err != nil || back[0] != rows[0] || back[1] != rows[1] {
		t.Errorf("read back %+v, %v", back, err)
	}
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
