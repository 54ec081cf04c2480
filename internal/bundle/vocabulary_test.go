package bundle

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write vocabulary.txt")

// spoken are the folders whose texts reach logs and findings; unspoken in them hold names of software, or invented ones.
var (
	spoken   = []string{"api", "bot", "cmd", "commands", "internal"}
	unspoken = regexp.MustCompile(`/(?:apitest|advisorytest|sandbox|demo|e2e|search|product|repotest|[a-z]+test|testdata)(?:/|$)`)
	// library are packages of Go whose errors are quoted.
	library = []string{"context", "crypto/tls", "crypto/x509", "database/sql", "encoding/json", "errors", "io", "io/fs", "net", "net/http", "net/url", "os", "strconv", "syscall", "time"}
	// examples stand in our texts and could be of a tenant.
	examples = []string{"contoso", "fabrikam", "onmicrosoft", "europe", "stockholm", "alice", "bob", "example", "acme", "adobe", "apple", "chrome", "chrom", "google", "mozilla", "firefox", "oracle", "java", "zoom"}
)

func collect(t *testing.T, root string, skip func(path string) bool, all map[string]bool) {
	t.Helper()
	run := regexp.MustCompile(`[A-Za-z]+`)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && skip(path) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if _, ok := n.(*ast.ImportSpec); ok {
				return false
			}
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			if err != nil {
				return true
			}
			for _, w := range run.FindAllString(text, -1) {
				for _, piece := range append(humps.FindAllString(w, -1), w) {
					if piece = strings.ToLower(piece); len(piece) <= 24 {
						all[piece] = true
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The vocabulary has the words that the program says. A few new ones may be missing until it is written anew: they are masked.
func TestVocabulary(t *testing.T) {
	t.Parallel()
	all := map[string]bool{}
	for _, folder := range spoken {
		collect(t, filepath.Join("../..", folder), func(path string) bool { return unspoken.MatchString(filepath.ToSlash(path)) }, all)
	}
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	goroot := strings.TrimSpace(string(root))
	for _, folder := range library {
		collect(t, filepath.Join(goroot, "src", folder), func(string) bool { return true }, all)
	}
	for _, w := range examples {
		delete(all, w)
	}
	var list []string
	for w := range all {
		list = append(list, w)
	}
	slices.Sort(list)
	if *update {
		if err := os.WriteFile("vocabulary.txt", []byte(strings.Join(list, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	var missing []string
	for _, w := range list {
		if !words()[w] {
			missing = append(missing, w)
		}
	}
	if len(missing)*50 > len(list) {
		t.Errorf("%d of %d words are missing: run go test ./internal/bundle -run Vocabulary -update; such as %v", len(missing), len(list), missing[:min(20, len(missing))])
	}
	for _, w := range examples {
		if words()[w] {
			t.Errorf("%s could be of a tenant", w)
		}
	}
}
