package advisory

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// readerAddress and readerCA say to a process of this test what to fetch.
const (
	readerAddress = "MISSINGKBS_TEST_FEED"
	readerCA      = "MISSINGKBS_TEST_FEED_CA"
)

// most is how much memory a process may take that reads a feed, all in all. The process itself takes about a third.
const most = 40 << 20

// A document of 20 MB, and bodies of a gigabyte, are read in a process that never takes more than 40 MiB: its own, so that the
// kernel tells the peak, with the runtime, the client, TLS and the decoder.
func TestMemoryOfAProcess(t *testing.T) {
	if raceDetector() {
		t.Skip("the race detector takes several times the memory")
	}
	reader := newReader(t)
	for path, want := range map[string]string{
		"/document/of/20/MB": "300 updates, 4500 CVEs", "/cvrf/endless": "more than 64 MiB", "/cvrf/blank": "more than 1 MiB", "/cvrf/word": "more than 1 MiB",
		"/kev/endless": "more than 20000 entries", "/kev/blank": "more than 1 MiB",
	} {
		t.Run(strings.Trim(path, "/"), func(t *testing.T) {
			peak := reader.peak(t, path, want)
			t.Logf("peak of the process: %d KiB", peak)
			if peak<<10 > most {
				t.Errorf("the process took %d KiB at its peak, want at most %d", peak, most>>10)
			}
		})
	}
}

// BenchmarkMemoryOfAProcess measures the same of a document of 20 MB.
func BenchmarkMemoryOfAProcess(b *testing.B) {
	reader := newReader(b)
	kib := 0
	for b.Loop() {
		kib = max(kib, reader.peak(b, "/document/of/20/MB", "300 updates, 4500 CVEs"))
	}
	b.ReportMetric(float64(kib)/1024, "MiB-peak")
}

// reader starts processes that read a feed.
type reader struct{ url, ca string }

func newReader(tb testing.TB) reader {
	tb.Helper()
	s := serveFeeds(tb, func(w http.ResponseWriter, r *http.Request) { endless(w, r.URL.Path) })
	ca := filepath.Join(tb.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		tb.Fatal(err)
	}
	return reader{s.URL, ca}
}

// peak is the most memory of a process that reads this and says that, in KiB.
func (r reader) peak(tb testing.TB, path, want string) int {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), os.Args[0], "-test.run=^TestReadInAProcess$", "-test.v") //nolint:gosec // this test itself
	cmd.Env = append(os.Environ(), readerAddress+"="+r.url+path, readerCA+"="+r.ca, "GOGC=100", "GOMEMLIMIT=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Fatalf("%v: %s", err, out)
	}
	said := string(out)
	_, after, _ := strings.Cut(said, "peak ")
	digits, _, _ := strings.Cut(after, " ")
	kib, err := strconv.Atoi(digits)
	if err != nil || !strings.Contains(said, want) {
		tb.Fatalf("it says %s, want %q", said, want)
	}
	return kib
}

// endless writes a document, or a body of a gigabyte that is none.
func endless(w io.Writer, path string) {
	var chunk string
	switch path {
	case "/document/of/20/MB":
		_, _ = io.Copy(w, large(4500))
		return
	case "/cvrf/endless":
		_, _ = io.Copy(w, large(1<<30))
		return
	case "/kev/endless":
		fmt.Fprint(w, `{"vulnerabilities":[`)
		chunk = strings.Repeat(`{"cveID":"CVE-2031-1002","dateAdded":"2031-05-18","shortDescription":"x"},`, 1000)
	case "/cvrf/word":
		fmt.Fprint(w, `{"DocumentTitle":"`)
		chunk = strings.Repeat("x", 1<<16)
	default:
		chunk = strings.Repeat(" ", 1<<16)
	}
	for sent := 0; sent < 1<<30; sent += len(chunk) {
		if _, err := io.WriteString(w, chunk); err != nil {
			return
		}
	}
}

// TestReadInAProcess is the process of [TestMemoryOfAProcess]: it reads a feed, and says how much memory that took.
func TestReadInAProcess(t *testing.T) {
	address := os.Getenv(readerAddress)
	if address == "" {
		t.Skip("only as a process of TestMemoryOfAProcess")
	}
	raw, err := os.ReadFile(os.Getenv(readerCA))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(raw)
	f, err := NewFetcher(FetchOptions{MSRC: address, KEV: []string{address}, Transport: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}, Retry: policy.RetryOptions{MaxRetries: -1}})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(address, "/kev") {
		_, _, err = f.Catalog(t.Context())
	} else {
		body, openErr := f.Open(t.Context(), address, maxDocument)
		if openErr != nil {
			t.Fatal(openErr)
		}
		defer body.Close()
		var d Document
		d, err = ReadDocument(body)
		fmt.Printf("%d updates, %d CVEs\n", len(d.Updates), len(d.CVEs))
	}
	fmt.Printf("peak %d KiB, %v\n", peak(t), err)
}

// peak is the most memory that this process has taken so far, in KiB.
func peak(t *testing.T) int {
	t.Helper()
	status, err := os.Open("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	defer status.Close()
	for lines := bufio.NewScanner(status); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("the kernel does not tell the peak")
	return 0
}

// raceDetector reports whether the test is built with it.
func raceDetector() bool {
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if s.Key == "-race" && s.Value == "true" {
			return true
		}
	}
	return false
}
