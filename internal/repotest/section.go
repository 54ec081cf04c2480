package repotest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// write makes [Section] write documents instead of comparing them; make docs sets it.
var write = flag.Bool("write-docs", false, "write the generated parts of the documents anew")

// writing keeps parallel tests from writing one file at once.
var writing sync.Mutex

// Section holds the generated part of a document to what the code says today. That part stands between two comments:
//
//	<!-- generated: name -->
//	<!-- end of name -->
//
// The words around it are written by hand.
func Section(tb testing.TB, file, name, want string) {
	tb.Helper()
	writing.Lock()
	defer writing.Unlock()
	begin, end := "<!-- generated: "+name+" -->\n", "<!-- end of "+name+" -->\n"
	text := Read(tb, file)
	before, rest, found := strings.Cut(text, begin)
	got, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		tb.Fatalf("%s has no part between %q and %q", file, begin, end)
	}
	want = "\n" + strings.Trim(want, "\n") + "\n\n" // Markdown wants an empty line beside a comment
	if got == want {
		return
	}
	if !*write {
		tb.Errorf("the part %q of %s is not what the code says. Run: make docs\n%s", name, file, firstDifference(got, want))
		return
	}
	if err := os.WriteFile(filepath.Join(Root(tb), filepath.FromSlash(file)), []byte(before+begin+want+end+after), 0o644); err != nil {
		tb.Fatal(err)
	}
}

// firstDifference shows the first line in which two texts differ.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		one, other := lineAt(g, i), lineAt(w, i)
		if one != other {
			return "- " + one + "\n+ " + other
		}
	}
	return ""
}

func lineAt(lines []string, i int) string {
	if i >= len(lines) {
		return ""
	}
	return lines[i]
}

// TableRow is a row of a Markdown table. Bars and line breaks in its cells would end them.
func TableRow(cells ...string) string {
	for i, c := range cells {
		cells[i] = strings.NewReplacer("|", `\|`, "\n", " ").Replace(c)
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}
