// Package bundle writes the archive for a bug report: the findings of doctor, the version, which settings are set,
// metrics, the last lines of a log, and the calls of one question. Strangers will read it, so nothing in it may
// identify the tenant, its people or its devices: anything not known to be harmless is replaced by a number (see
// [Mask]). The package does not know the command line; the caller provides what it packs.
package bundle

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/doctor"
)

// Contents are the parts of a bundle. Empty parts are left out, and the bundle says so.
type Contents struct {
	Version  string
	Report   doctor.Report
	Origins  []config.Origin
	Values   map[string]string // of the settings that are set, by name; only harmless ones are written
	Metrics  []byte            // as the bot serves them
	Log      []byte            // the end of its log
	Question *Question
}

// note is the file to read first.
const note = `This is what "missingkbs doctor --bundle" packed for a bug report. Look through it before you send it.

version.json    the version of the program and of what it is built from
doctor.json     what doctor found
settings.json   which settings are set and where; values only if they are numbers, times or fixed words
metrics.txt     the figures of the bot at HTTP_ADDR
log.txt         the last lines of the log that --log named
question.json   the calls to Defender of the question that --question named, and their answers

Names, ids, addresses and other words that the program does not use itself stand as <1>, <2> and so on: the same
number is the same word. In answers of Defender counts are rounded to their first digit, and times to their day.

`

// Write writes the archive (ZIP) to w.
func Write(w io.Writer, c Contents, m *Mask) error {
	archive := zip.NewWriter(w)
	var missing strings.Builder
	for _, f := range []struct {
		name string
		body func() ([]byte, error)
		has  bool
	}{
		{"version.json", c.version, true},
		{"doctor.json", func() ([]byte, error) { return c.doctor(m) }, true},
		{"settings.json", c.settings, true},
		{"metrics.txt", func() ([]byte, error) { return m.metrics(c.Metrics), nil }, len(c.Metrics) > 0},
		{"log.txt", func() ([]byte, error) { return m.log(c.Log), nil }, len(c.Log) > 0},
		{"question.json", func() ([]byte, error) { return c.Question.json(m) }, c.Question != nil},
	} {
		if !f.has {
			missing.WriteString("Not in this bundle: " + f.name + "\n")
			continue
		}
		body, err := f.body()
		if err != nil {
			return fmt.Errorf("write %s: %w", f.name, err)
		}
		if err := add(archive, f.name, body); err != nil {
			return err
		}
	}
	if err := add(archive, "README.txt", []byte(note+missing.String())); err != nil {
		return err
	}
	return archive.Close()
}

func add(archive *zip.Writer, name string, body []byte) error {
	f, err := archive.Create(name)
	if err == nil {
		_, err = f.Write(body)
	}
	return err
}

// Save writes the archive to a file that only its owner can read. It does not replace an existing file, and leaves none
// behind after an error.
func Save(path string, c Contents, m *Mask) (err error) {
	file, err := os.OpenFile(filepath.Clean(path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err = Write(file, c, m); err == nil {
		err = file.Close()
	}
	if err != nil {
		_ = file.Close()
		_ = os.Remove(path)
	}
	return err
}

// buildSettings are the build settings that do not describe the machine that built the program.
var buildSettings = []string{"GOOS", "GOARCH", "GOAMD64", "GOARM64", "CGO_ENABLED", "vcs.revision", "vcs.time", "vcs.modified"}

// version describes the program. Module paths and versions are public.
func (c Contents) version() ([]byte, error) {
	v := struct {
		Version string            `json:"version"`
		Go      string            `json:"go"`
		System  string            `json:"system"`
		Build   map[string]string `json:"build"`
		Modules map[string]string `json:"modules"`
	}{c.Version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH, map[string]string{}, map[string]string{}}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			for _, name := range buildSettings {
				if s.Key == name {
					v.Build[name] = s.Value
				}
			}
		}
		for _, d := range info.Deps {
			v.Modules[d.Path] = d.Version
		}
	}
	return indent(v)
}

// doctor returns doctor's report with masked texts, without what was sent to or received from services.
func (c Contents) doctor(m *Mask) ([]byte, error) {
	masked := doctor.Report{Took: c.Report.Took, Program: c.Report.Program}
	for _, r := range c.Report.Results {
		r.Found, r.Cure, r.Evidence = m.Text(r.Found), m.Text(r.Cure), nil
		masked.Results = append(masked.Results, r)
	}
	var b bytes.Buffer
	err := doctor.WriteJSON(&b, masked)
	return b.Bytes(), err
}

// setting says where a setting comes from. Value is only set if it reveals nothing about the tenant.
type setting struct {
	Name  string `json:"name"`
	From  string `json:"from"`
	Value string `json:"value,omitempty"`
}

func (c Contents) settings() ([]byte, error) {
	list := []setting{}
	for _, o := range c.Origins {
		from, _, _ := strings.Cut(o.From, " ") // without the path of a file
		s := setting{Name: o.Setting, From: from}
		if value := c.Values[o.Setting]; harmless(value) {
			s.Value = value
		}
		list = append(list, s)
	}
	return indent(list)
}

func indent(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}
