package bundle

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/missingkbs/missingkbs/internal/doctor"
	"github.com/missingkbs/missingkbs/internal/redact"
)

// vocabulary lists the words that the program itself uses, and Go's libraries in their errors. A test generates it from
// the source.
//
//go:embed vocabulary.txt
var vocabulary string

var words = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for w := range strings.FieldsSeq(vocabulary) {
		all[w] = true
	}
	return all
})

// Mask replaces everything that may identify a tenant: all words except the program's own, and all values that it was
// given. Equal words get the same number, so that a reader can see what belongs together. It is not safe for concurrent
// use.
type Mask struct {
	known   []known         // longest first
	names   map[string]bool // names that are also words of ours, such as a workspace called Patching: only masked as whole words
	numbers map[string]int
}

// known is a value of the tenant.
type known struct {
	value   string
	anyCase *regexp.Regexp
}

// minKnown is the least length of a value that is looked for inside other words. Shorter ones would match everywhere.
const minKnown = 4

// NewMask returns a mask that also hides values wherever they occur: those of settings, and names returned by services.
func NewMask(values ...string) *Mask {
	m := &Mask{names: map[string]bool{}, numbers: map[string]int{}}
	for _, v := range values {
		v = strings.TrimSpace(v)
		switch {
		case harmless(v):
		case words()[strings.ToLower(v)]:
			m.names[v] = v != strings.ToLower(v) // masking plain words would leave nothing to read
		case len(v) >= minKnown:
			m.known = append(m.known, known{v, regexp.MustCompile(`(?i)` + regexp.QuoteMeta(v))})
		}
	}
	slices.SortFunc(m.known, func(a, b known) int { return len(b.value) - len(a.value) })
	return m
}

// place returns the number that replaces a value.
func (m *Mask) place(value string) string {
	n, ok := m.numbers[value]
	if !ok {
		n = len(m.numbers) + 1
		m.numbers[value] = n
	}
	return fmt.Sprintf("<%d>", n)
}

// marker replaces a known value while a text is split into words. It is neither a letter nor white space.
const marker = '\uE000'

// Text masks a text word by word.
func (m *Mask) Text(text string) string {
	text = strings.ReplaceAll(redact.String(text), redact.Hidden, "(hidden)")
	text = strings.ReplaceAll(text, string(marker), "")
	for _, v := range m.known {
		if v.anyCase.MatchString(text) {
			text = v.anyCase.ReplaceAllLiteralString(text, string(marker)+m.place(v.value)+string(marker))
		}
	}
	var b strings.Builder
	for len(text) > 0 {
		i := strings.IndexFunc(text, unicode.IsSpace)
		if i < 0 {
			i = len(text)
		}
		b.WriteString(m.word(text[:i]))
		j := i
		for j < len(text) && (text[j] == ' ' || text[j] == '\t' || text[j] == '\n' || text[j] == '\r') {
			j++
		}
		if j == i && i < len(text) { // another kind of white space
			b.WriteByte(' ')
			_, size := firstRune(text[i:])
			j = i + size
		} else {
			b.WriteString(text[i:j])
		}
		text = text[j:]
	}
	return b.String()
}

func firstRune(s string) (r rune, size int) {
	for i, c := range s {
		if i > 0 {
			return r, i
		}
		r = c
	}
	return r, len(s)
}

// edges surround words and carry no meaning.
const edges = "\"'`()[]{}<>,;:.!?…*|→-–—"

// word masks one word. If it contains a known value, only that value's number remains, because the rest may identify
// the tenant too.
func (m *Mask) word(w string) string {
	if name, value, ok := strings.Cut(w, "="); ok { // of a line of the log
		return m.word(name) + "=" + m.word(value)
	}
	if _, rest, ok := strings.Cut(w, string(marker)); ok {
		number, _, _ := strings.Cut(rest, string(marker))
		return number
	}
	core := strings.Trim(w, edges)
	if core == "" || w == "(hidden)" {
		return w
	}
	at := strings.Index(w, core)
	if strings.HasPrefix(core, "#") || strings.HasPrefix(core, "@") || m.names[core] || !ours(core) {
		return w[:at] + m.place(core) + w[at+len(core):]
	}
	return w
}

// public matches words with digits or dots that identify no tenant: KB numbers, CVEs, error codes, versions, times,
// sizes, statuses.
var public = regexp.MustCompile(`^(?:(?:KB)?[0-9]{6,7}|CVE-[0-9]{4}-[0-9]{4,7}|AADSTS[0-9]{4,7}|v?[0-9]{1,4}(?:\.[0-9]{1,5}){1,2}|[+-]?[0-9]{1,5}` +
	`|[0-9]+(?:\.[0-9]+)?(?:ns|µs|ms|s|m|h|d|%|KB|KiB|MB|MiB|GB)|(?:[0-9]+h)?(?:[0-9]+m)?[0-9.]+s|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?` +
	`|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+(?:Z|[+-][0-9:]+))?|HTTP/[0-9.]+|x509|IPv[46]|SQLite[0-9]?|go[0-9]+\.[0-9.]+)$`)

// hosts are the services that every installation uses.
var hosts = []string{
	"slack.com", "api.slack.com", "docs.slack.dev", "status.slack.com", "slack-gov.com", "login.microsoftonline.com", "login.microsoftonline.us", "entra.microsoft.com",
	"api.security.microsoft.com", "api.securitycenter.microsoft.com", "api-gcc.securitycenter.microsoft.us", "api-gov.securitycenter.microsoft.us", "learn.microsoft.com",
	"api.msrc.microsoft.com", "www.cisa.gov", "catalog.update.microsoft.com", "graph.microsoft.com", "127.0.0.1", "localhost",
}

// dotted lists public names with dots: files of the program, and roles of Defender.
var dotted = sync.OnceValue(func() []string {
	names := []string{"manifest.yaml", "auth.test", "apps.connections.open", "conversations.info", "blocks.validate", "chat.postMessage"}
	for _, r := range doctor.Roles() {
		names = append(names, r.Name)
	}
	return names
})

// ours reports whether a word consists of the program's words only. Letters mixed with digits count as a name, and so
// does a dot between letters.
func ours(core string) bool {
	if public.MatchString(core) || slices.Contains(hosts, core) || slices.Contains(dotted(), core) {
		return true
	}
	if rest, ok := strings.CutPrefix(core, "https://"); ok {
		host, path, _ := strings.Cut(rest, "/")
		return slices.Contains(hosts, host) && (path == "" || ours(path))
	}
	if strings.ContainsAny(core, "@\\.0123456789") || strings.Contains(core, "-_-") {
		return false
	}
	for piece := range strings.FieldsFuncSeq(core, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }) {
		if !words()[strings.ToLower(piece)] {
			return false
		}
	}
	return true
}

// harmless reports whether a value reveals nothing about a tenant: numbers, times and the fixed words of settings.
func harmless(value string) bool {
	switch strings.ToLower(value) {
	case "true", "false", "on", "off", "none", "auto", "data_table", "table", "classic", "public", "gcc", "gcc-high", "dod", "us", "eu", "uk", "au", "swa", "ina", "aea",
		"debug", "info", "warn", "error", "text", "json", "system", "otlp":
		return true
	}
	return plainNumber.MatchString(value)
}

var plainNumber = regexp.MustCompile(`^[0-9]{1,6}$|^(?:[0-9]{1,6}h)?(?:[0-9]{1,6}m)?(?:[0-9]{1,6}s)?(?:[0-9]{1,6}ms)?$`)
