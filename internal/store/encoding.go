package store

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// gaps holds the rows of one software as they are stored: by column, because similar neighbours compress well. Forty
// rows take about 800 bytes, a tenth of their size as rows of a table with its index.
type gaps struct {
	KB, OSBuild, Name, URL []string
	Devices, CVEs          []int
	Products               []string `json:",omitempty"` // missing in rows stored before products were kept, and if no row has any
}

// contents is a snapshot without its rows, which are stored as readings.
type contents struct {
	At       int64
	Software []string
	Hash     []int64 // of the readings, in the order of Software
	Unread   []patchgap.Unread
	Partial  []patchgap.Partial `json:",omitempty"`
	Told     map[string]int     `json:",omitempty"` // missing in old rows, whose counts were those told
	Attacks  map[string]bool    `json:",omitempty"` // see [patchgap.Snapshot]; nil if nothing was known
}

// columns turns rows into columns; rows is its inverse.
func columns(rows []patchgap.Row) gaps {
	var g gaps
	for _, r := range rows {
		g.KB, g.OSBuild = append(g.KB, r.KB), append(g.OSBuild, r.OSBuild)
		g.Name, g.URL = append(g.Name, r.Name), append(g.URL, r.URL)
		g.Devices, g.CVEs = append(g.Devices, r.Devices), append(g.CVEs, r.CVEs)
		g.Products = append(g.Products, r.Products)
	}
	if !slices.ContainsFunc(g.Products, func(p string) bool { return p != "" }) {
		g.Products = nil
	}
	return g
}

func (g gaps) rows(software string) []patchgap.Row {
	rows := make([]patchgap.Row, len(g.KB))
	for i := range rows {
		rows[i] = patchgap.Row{
			Key:  patchgap.Key{Software: software, KB: g.KB[i], OSBuild: g.OSBuild[i]},
			Name: g.Name[i], URL: g.URL[i], Devices: g.Devices[i], CVEs: g.CVEs[i],
		}
		if i < len(g.Products) {
			rows[i].Products = g.Products[i]
		}
	}
	return rows
}

// hash identifies the rows of a software among all it ever had. It is computed before compression, whose output may
// differ between versions of Go.
func hash(plain []byte) int64 {
	sum := sha256.Sum256(plain)
	return int64(binary.BigEndian.Uint64(sum[:8])) //nolint:gosec // any number will do
}

// packer compresses. It is reused within a transaction, because a compressor takes a megabyte.
type packer struct{ w *flate.Writer }

func (p *packer) pack(plain []byte) ([]byte, error) {
	var out bytes.Buffer
	if p.w == nil {
		w, err := flate.NewWriter(&out, flate.BestCompression)
		if err != nil {
			return nil, err
		}
		p.w = w
	} else {
		p.w.Reset(&out)
	}
	if _, err := p.w.Write(plain); err != nil {
		return nil, err
	}
	if err := p.w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// unpacker decompresses. It is reused while one snapshot is read.
type unpacker struct{ r io.ReadCloser }

// unpack decompresses JSON and decodes it into a value.
func (u *unpacker) unpack(packed []byte, into any) error {
	plain, err := u.plain(packed)
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, into)
}

// plain decompresses.
func (u *unpacker) plain(packed []byte) ([]byte, error) {
	from := bytes.NewReader(packed)
	if u.r == nil {
		u.r = flate.NewReader(from)
	} else if err := u.r.(flate.Resetter).Reset(from, nil); err != nil { //nolint:forcetypeassert // its doc says so
		return nil, err
	}
	plain, err := io.ReadAll(u.r)
	if err != nil {
		return nil, fmt.Errorf("uncompress: %w", err)
	}
	return plain, nil
}
