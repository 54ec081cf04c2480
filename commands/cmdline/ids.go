package cmdline

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxText bounds how much of a text is searched, in bytes. Slack cuts messages at 40,000 characters.
const maxText = 100 << 10

var (
	// A KB number as people write it: KB5074202, kb 5074202, KB-5074202, KB#5074202. Catalog pages and their links have
	// it too. Packages and articles add a version: KB4474419-v3. With another letter or digit next to it, it is part of
	// something else.
	kbForm = `KB(?:[\s_:#.-]|number|no){0,3}([0-9]{6,8})(?:-?v[0-9]{1,2})?`
	// The same without "KB", in addresses of catalog and support pages. No further slash is allowed between host and
	// number: otherwise a text that only repeats such hosts would be read to its end for each of them.
	addressForm = `(?:catalog\.update\.microsoft\.com/(?:v7/site/)?[^\s<>|"/]*?[?&]q=|support\.microsoft\.com/(?:[a-z]{2}-[a-z]{2}/)?(?:(?:help|kb)/|[^\s<>|"/]*?[?&]kbid=))["']?([0-9]{6,8})`
	cveForm     = `(?:CVE|TVM)[\s_:-]{0,3}[0-9]{4}[\s_-]{1,3}[0-9]{3,19}`

	idForm  = regexp.MustCompile(`(?i)` + kbForm + `|` + addressForm + `|(` + cveForm + `)`)
	cveArea = regexp.MustCompile(`(?i)(CVE|TVM)[\s_:-]*([0-9]{4})[\s_-]+([0-9]+)`)
	escape  = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
)

// IDs returns the KB numbers and CVE ids in a text in the order they appear, without repeats. They are returned as
// KB5074202 and CVE-2025-12345, however they are written.
func IDs(text string) []string {
	text = Normalize(unescape(strings.ToValidUTF8(text[:min(len(text), maxText)], " ")))
	var ids []string
	seen := map[string]bool{}
	for _, m := range idForm.FindAllStringSubmatchIndex(text, -1) {
		inside := m[0] > 0 && isWord(text[m[0]-1]) || m[1] < len(text) && isWord(text[m[1]])
		if id := idOf(text, m); !inside && !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

// idOf returns the ID in a match of idForm.
func idOf(text string, m []int) string {
	for _, group := range []int{1, 2} {
		if from, to := m[2*group], m[2*group+1]; from >= 0 {
			return "KB" + text[from:to]
		}
	}
	found := cveArea.FindStringSubmatch(text[m[6]:m[7]])
	return strings.ToUpper(found[1]) + "-" + found[2] + "-" + found[3]
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// unescape undoes escapes of Slack, web pages and addresses: catalog links look like ?q=%22KB5074202%22.
func unescape(text string) string {
	text = entities.Replace(text)
	return escape.ReplaceAllStringFunc(text, func(s string) string {
		n, err := strconv.ParseUint(s[1:], 16, 8)
		if err != nil || n < ' ' || n >= 0x7f {
			return s
		}
		return string(rune(n))
	})
}

var entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#39;", "'", "&nbsp;", " ", "&amp;", "&")

// IDsOf finds the ids in the words behind the name of a command about one kind of them, KB or CVE. There a number needs no such
// letters in front of it: kb 5074202, cve 2026-60052.
func IDsOf(kind string, words []string) []string {
	text := strings.Join(words, " ")
	ids := IDs(text)
	for _, w := range words {
		if strings.Trim(w, "0123456789-") != "" {
			continue
		}
		for _, id := range IDs(kind + "-" + w) {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	if len(ids) == 0 {
		ids = IDs(kind + " " + text) // one whose parts are words of their own
	}
	return ids
}

// devicePage matches the address of a device's page in Defender's portal, and of its resource in the API.
var devicePage = regexp.MustCompile(`(?i)/machines/(?:v[0-9]+/)?([0-9a-f]{40})(?:[/?#]|$)`)

// DeviceNames reads the words behind the name of a command about devices. All words together may be one name. Each is rid of what
// other programs put around a name: the address of its page, its domain and a backslash, the $ of its account.
func DeviceNames(words []string) []string {
	names := make([]string, 0, len(words))
	for _, w := range words {
		if m := devicePage.FindStringSubmatch(w); m != nil {
			w = m[1]
		}
		w = w[strings.LastIndexByte(w, '\\')+1:]
		if w = strings.Trim(strings.TrimSuffix(w, "$"), ".,; "); w != "" {
			names = append(names, w)
		}
	}
	return names
}
