package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Each field of each list, with every kind of value that it should not have.
func TestBadRowsOfKBs(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]string{
		"a string":            `"4540673"`,
		"null":                `null`,
		"a number":            `5`,
		"true":                `true`,
		"a list":              `[]`,
		"empty":               `{}`,
		"neither id nor name": `{"machineMissedOn":3}`,
		"id is a fraction":    `{"id":4540673.5,"machineMissedOn":1}`,
		"id is true":          `{"id":true,"machineMissedOn":1}`,
		"id is an object":     `{"id":{"a":"]"},"machineMissedOn":1}`,
		"name is a number":    `{"id":"2","name":5,"machineMissedOn":1}`,
		"name is a list":      `{"id":"2","name":["n"],"machineMissedOn":1}`,
		"url is an object":    `{"id":"2","url":{},"machineMissedOn":1}`,
		"products is text":    `{"id":"2","productsNames":"edge","machineMissedOn":1}`,
		"product is number":   `{"id":"2","productsNames":["edge",1],"machineMissedOn":1}`,
		"build is a list":     `{"id":"2","osBuild":[1],"machineMissedOn":1}`,
		"build is true":       `{"id":"2","osBuild":true,"machineMissedOn":1}`,
		"count is a word":     `{"id":"2","machineMissedOn":"many"}`,
		"count is NaN":        `{"id":"2","machineMissedOn":"NaN"}`,
		"count is hex":        `{"id":"2","machineMissedOn":"0x10"}`,
		"count is empty":      `{"id":"2","machineMissedOn":""}`,
		"count is true":       `{"id":"2","machineMissedOn":true}`,
		"count is an object":  `{"id":"2","machineMissedOn":{}}`,
		"count is null":       `{"id":"2","machineMissedOn":null}`,
		"count is not there":  `{"id":"2"}`,
		"CVEs are true":       `{"id":"2","machineMissedOn":1,"cveAddressed":true}`,
		"CVEs are a list":     `{"id":"2","machineMissedOn":1,"cveAddressed":[14]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := strings.Replace(edge, `[{`, `[`+row+`,{`, 1)
			var log bytes.Buffer
			s := serve(t, respond(body))
			c := s.client(t, func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
			for range 2 { // the second one comes from memory
				got, err := c.MissingKBs(t.Context(), "a")
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff([]MissingKB{edgeKB()}, got.Value); diff != "" || got.Skipped != 1 {
					t.Errorf("%d rows skipped, want 1; the others (-want +got):\n%s", got.Skipped, diff)
				}
			}
			if n := c.Stats().Unreadable; n != 1 {
				t.Errorf("%d rows are counted, want 1", n)
			}
			if says := log.String(); strings.Count(says, "level=WARN") != 1 || !strings.Contains(says, "rows=1") || !strings.Contains(says, `first="row 1: `) ||
				!strings.Contains(says, "/api/Software/{id}/getmissingkbs") {
				t.Errorf("the log says %q", says)
			}
		})
	}
}

// What can be nothing else is read as what it must be.
func TestOddRowsOfKBs(t *testing.T) {
	t.Parallel()
	for _, row := range []string{
		`{"id":4540673,"name":"n","machineMissedOn":3}`, `{"id":"KB4540673","name":"n","machineMissedOn":"3"}`,
		`{"id":"4540673","name":"n","machineMissedOn":3.0,"url":null,"productsNames":null,"osBuild":null,"cveAddressed":null}`,
	} {
		got, err := serve(t, respond(`{"value":[`+row+`]}`)).client(t).MissingKBs(t.Context(), "a")
		if err != nil || got.Skipped != 0 {
			t.Fatalf("%s: %d skipped, %v", row, got.Skipped, err)
		}
		want := []MissingKB{{ID: "4540673", Name: "n", MachineMissedOn: 3, ProductsNames: []string{}}}
		if diff := cmp.Diff(want, got.Value); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row, diff)
		}
	}
}

// An update that no device lacks is not missing.
func TestNoDevices(t *testing.T) {
	t.Parallel()
	const body = `{"@odata.context":"c","value":[{"id":"1","machineMissedOn":0},{"id":"2","machineMissedOn":"0"},{"id":"3","machineMissedOn":-1},
		{"id":"4","machineMissedOn":0.2},{"id":"5","machineMissedOn":0},{"id":"5","machineMissedOn":2}]}`
	c := serve(t, respond(body)).client(t)
	for name, ask := range map[string]func() (Answer[[]MissingKB], error){
		"software": func() (Answer[[]MissingKB], error) { return c.MissingKBs(t.Context(), "a") },
		"machine":  func() (Answer[[]MissingKB], error) { return c.MachineMissingKBs(t.Context(), "a") },
	} {
		got, err := ask()
		if err != nil || got.Skipped != 0 {
			t.Fatalf("%s: %d skipped, %v", name, got.Skipped, err)
		}
		if diff := cmp.Diff([]MissingKB{{ID: "5", MachineMissedOn: 2, ProductsNames: []string{}}}, got.Value); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestBadRowsOfOtherLists(t *testing.T) {
	t.Parallel()
	software := []string{
		`null`, `{}`, `[]`, `"x"`, `{"id":null,"name":"n"}`, `{"id":""}`, `{"id":5}`, `{"id":"b","name":5}`, `{"id":"b","vendor":{}}`,
		`{"id":"b","publicExploit":"true"}`, `{"id":"b","activeAlert":1}`, `{"id":"b","weaknesses":"many"}`, `{"id":"b","exposedMachines":[]}`,
		`{"id":"b","installedMachines":true}`, `{"id":"b","impactScore":"high"}`,
	}
	machines := []string{
		`null`, `{}`, `{"id":null}`, `{"id":["a"]}`, `{"id":"b","computerDnsName":5}`, `{"id":"b","osBuild":{}}`, `{"id":"b","machineTags":"t"}`,
		`{"id":"b","machineTags":[1]}`, `{"id":"b","firstSeen":"yesterday"}`, `{"id":"b","lastSeen":5}`, `{"id":"b","riskScore":true}`,
	}
	list := func(rows []string) string {
		return `{"@odata.context":"c","value":[{"id":"a"},` + strings.Join(rows, ",") + `,{"id":"z"}]}`
	}
	t.Run("software", func(t *testing.T) {
		t.Parallel()
		got, err := serve(t, respond(list(software))).client(t).Catalog(t.Context())
		if diff := cmp.Diff([]Software{{ID: "a"}, {ID: "z"}}, got.Value); err != nil || diff != "" || got.Skipped != len(software) {
			t.Errorf("%d of %d skipped, %v; the others (-want +got):\n%s", got.Skipped, len(software), err, diff)
		}
	})
	t.Run("machines", func(t *testing.T) {
		t.Parallel()
		got, err := serve(t, respond(list(machines))).client(t).MachinesByName(t.Context(), "w")
		want := []Machine{{ID: "a", MachineTags: []string{}}, {ID: "z", MachineTags: []string{}}}
		if diff := cmp.Diff(want, got.Value); err != nil || diff != "" || got.Skipped != len(machines) {
			t.Errorf("%d of %d skipped, %v; the others (-want +got):\n%s", got.Skipped, len(machines), err, diff)
		}
	})
}

// Rows that cannot be read count for the size of a page, and a list of nothing else is asked for once.
func TestBadRowsAndPages(t *testing.T) {
	t.Parallel()
	full := func(row string) string {
		return `{"value":[` + strings.Repeat(row+",", softwarePage-1) + row + `]}`
	}
	for name, tc := range map[string]struct {
		first string
		calls int
	}{
		"some": {strings.Replace(full(`{"id":"a"}`), `{"id":"a"}`, `{"id":null}`, 5), 2},
		"all":  {full(`null`), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Has("$skip") {
					respond(`{"value":[{"id":"b"},{}]}`)(w, r)
					return
				}
				respond(tc.first)(w, r)
			})
			got, err := s.client(t).Catalog(t.Context())
			if n := len(s.asked()); err != nil || n != tc.calls {
				t.Fatalf("%d calls, %v; want %d", n, err, tc.calls)
			}
			if tc.calls == 2 && (len(got.Value) != 2 || got.Skipped != 6) || tc.calls == 1 && (len(got.Value) != 0 || got.Skipped != softwarePage) {
				t.Errorf("%d software, %d skipped", len(got.Value), got.Skipped)
			}
		})
	}
}

// value is any JSON value.
func value() *rapid.Generator[any] {
	return rapid.Deferred(func() *rapid.Generator[any] {
		return rapid.OneOf(
			rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int64().AsAny(), rapid.Float64Range(-1e300, 1e300).AsAny(), rapid.String().AsAny(),
			rapid.SampledFrom([]string{"true", "null", "NaN", "0x1", "1e999", "", " ", "KB1", "2026-11-20T14:55:03Z"}).AsAny(),
			rapid.Map(rapid.SliceOfN(value(), 0, 3), func(v []any) any { return v }),
			rapid.Map(rapid.MapOfN(rapid.String(), value(), 0, 3), func(v map[string]any) any { return v }),
		)
	})
}

// Whatever stands in one field of one row, at most that row is lost, and it is counted.
func TestOneCorruptFieldCostsOneRow(t *testing.T) {
	t.Parallel()
	type object = map[string]any
	lists := map[string]struct {
		row    func(i int) object
		decode func([]byte) (ids []string, skipped int, err error)
	}{
		"kbs": {
			func(i int) object {
				return object{
					"id": strconv.Itoa(5000000 + i), "name": "November", "productsNames": []string{"edge"}, "url": "https://catalog.update.microsoft.com/",
					"osBuild": 22631, "machineMissedOn": 3, "cveAddressed": 4,
				}
			},
			func(body []byte) (ids []string, _ int, _ error) {
				page, err := decodeKBPage(body)
				for _, kb := range page.rows {
					ids = append(ids, kb.ID)
				}
				return ids, page.bad.count, err
			},
		},
		"software": {
			func(i int) object {
				return object{
					"id": fmt.Sprint("v-_-", i), "name": "n", "vendor": "v", "weaknesses": 4, "publicExploit": true, "activeAlert": false,
					"exposedMachines": 172, "installedMachines": 1, "impactScore": 2.5,
				}
			},
			func(body []byte) (ids []string, _ int, _ error) {
				page, err := decodePage[Software, wireSoftware](body)
				for _, s := range page.rows {
					ids = append(ids, s.ID)
				}
				return ids, page.bad.count, err
			},
		},
		"machines": {
			func(i int) object {
				return object{
					"id": fmt.Sprint("m", i), "computerDnsName": "web", "osBuild": 19045, "machineTags": []string{"prod"},
					"firstSeen": "2018-08-02T14:55:03.7791856Z", "lastSeen": nil, "riskScore": "Low",
				}
			},
			func(body []byte) (ids []string, _ int, _ error) {
				page, err := decodePage[Machine, wireMachine](body)
				for _, m := range page.rows {
					ids = append(ids, m.ID)
				}
				return ids, page.bad.count, err
			},
		},
	}
	for name, list := range lists {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				rows := make([]any, rapid.IntRange(1, 4).Draw(t, "rows"))
				for i := range rows {
					rows[i] = list.row(i)
				}
				bad := rapid.IntRange(0, len(rows)-1).Draw(t, "bad")
				row := list.row(bad)
				var fields []string
				for field := range row {
					fields = append(fields, field)
				}
				if field := rapid.SampledFrom(append(slices.Sorted(slices.Values(fields)), "", "unknown")).Draw(t, "field"); field == "" {
					rows[bad] = value().Draw(t, "row")
				} else {
					row[field] = value().Draw(t, "value")
					rows[bad] = row
				}
				body, err := json.Marshal(map[string]any{"@odata.context": "c", "value": rows})
				if err != nil {
					t.Fatal(err)
				}
				ids, skipped, err := list.decode(body)
				if err != nil || len(ids)+skipped != len(rows) || skipped > 1 {
					t.Fatalf("%d rows and %d skipped of %d, %v: %s", len(ids), skipped, len(rows), err, body)
				}
				for i := range rows {
					want := list.row(i)["id"]
					at := i
					if skipped == 1 && i > bad {
						at--
					}
					if i != bad && ids[at] != want {
						t.Fatalf("row %d is %q, want %q: %s", i, ids[at], want, body)
					}
				}
			})
		})
	}
}
