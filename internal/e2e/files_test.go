//go:build unix

package e2e

import (
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/manifest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// file waits for a file of an ending that Alice did not have before, and returns its name and bytes.
func (w *world) file(t *testing.T, ending string) (name string, body []byte) {
	t.Helper()
	m := w.answer(t, sandbox.AliceDM, func(m sandbox.Message) bool {
		return slices.ContainsFunc(m.Files, func(f sandbox.File) bool { return path.Ext(f.Name) == ending })
	})
	name, body, ok := w.slack.File(m.Files[0].ID)
	if !ok {
		t.Fatalf("no file %s", m.Files[0].ID)
	}
	return name, body
}

// The files of the buttons are what ask writes for the same line, and only the person who clicks has them.
func TestFilesAreWhatAskWrites(t *testing.T) {
	t.Parallel()
	database := map[string]string{"DATABASE_URL": sqliteRecords(t).url}
	w := newWorld(t, database)
	w.defender.PutSoftware(apitest.Software{ID: windows11, Name: "windows_11", Vendor: "microsoft"}, manyKBs(500)...)
	m := w.ask(t, windows11+" --page 2")
	w.click(t, sandbox.Alice, m, "CSV")
	name, body := w.file(t, ".csv")
	asked := askApp(t, w.defender, database, "-o", "csv", windows11)
	if name != "missing-updates-windows-11.csv" || string(body) != asked.out || strings.Count(asked.out, "\n") != 501 {
		t.Errorf("%s has %d bytes, ask writes %d: %.200s\n%.200s", name, len(body), len(asked.out), body, asked.out)
	}
	w.answer(t, sandbox.General, func(m sandbox.Message) bool {
		return m.EphemeralFor == sandbox.Alice && strings.Contains(m.Text, "The list is in our direct messages\n"+name)
	})
	w.click(t, sandbox.Alice, m, "XLSX")
	name, body = w.file(t, ".xlsx")
	book, err := excelize.OpenReader(strings.NewReader(string(body)))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	rows, err := book.GetRows(book.GetSheetName(0))
	if want := strings.Count(asked.out, "\n"); err != nil || len(rows) != want {
		t.Errorf("%d rows, want %d, %v", len(rows), want, err)
	}
	for _, m := range w.slack.Messages(sandbox.General, sandbox.Bob) {
		if len(m.Files) > 0 {
			t.Errorf("a file is in the channel: %+v", m.Files)
		}
	}
}

// A long list as text is made of the answer that is kept, has whole updates, counts the others and offers the file. Only the person
// who clicks has it.
func TestCopyAsText(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.defender.PutSoftware(apitest.Software{ID: windows11, Name: "windows_11", Vendor: "microsoft"}, manyKBs(500)...)
	m := w.ask(t, windows11+" --page 2")
	before := len(w.defender.Calls())
	w.click(t, sandbox.Alice, m, "Copy as text")
	text := w.answer(t, sandbox.General, func(m sandbox.Message) bool { return title(m) == "As text: Missing updates: Windows 11" })
	if n := len(w.defender.Calls()) - before; n > 0 {
		t.Errorf("it took %d calls to Defender", n)
	}
	if blocks := string(text.Blocks); text.EphemeralFor != sandbox.Alice || !strings.Contains(blocks, "of 500 rows: the CSV file has all") || !strings.Contains(blocks, "more rows not in this text") {
		t.Errorf("for %q: %s", text.EphemeralFor, text.Blocks)
	}
	w.click(t, sandbox.Alice, text, "CSV")
	if _, body := w.file(t, ".csv"); strings.Count(string(body), "\n") != 501 {
		t.Errorf("the file has %d lines", strings.Count(string(body), "\n"))
	}
}

// Without the scopes the buttons stay, and say what is missing and what to do instead.
func TestFilesWithoutTheScope(t *testing.T) {
	t.Parallel()
	w := stageWith(t, sandbox.Options{Scopes: slices.DeleteFunc(manifest.ScopeNames(), func(s string) bool { return s == "files:write" })})
	w.start(t, nil)
	if err := w.slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatal(err)
	}
	w.click(t, sandbox.Alice, w.ask(t, edge), "CSV")
	m := w.answer(t, sandbox.General, func(m sandbox.Message) bool { return title(m) == "The app may not upload files" })
	if !strings.Contains(m.Text, "missingkbs ask -o csv "+edge) || m.EphemeralFor != sandbox.Alice {
		t.Errorf("%+v", m)
	}
	actionID(t, m, "Try again")
}
