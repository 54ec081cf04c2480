package cmdline

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Read splits a line that a person typed or pasted into words. It replaces lookalike characters; removes links, labels,
// emphasis, quotes, brackets and punctuation around words; and reduces addresses that name software to the software id.
// Lines of buttons hold exact words: use [Split] for them.
func Read(line string) []string {
	line = strings.TrimSpace(Normalize(unescaped.Replace(unescaped.Replace(line)))) // twice: some programs escape twice
	if strings.ContainsAny(line, marks) {
		line = withoutMarks(line)
	}
	words := Split(line)
	if len(words) == 1 && strings.ContainsFunc(words[0], unicode.IsSpace) { // the whole line was quoted
		words = Split(words[0])
	}
	return withoutCommand(unwrapped(words))
}

// marks are the characters of which each expression of [withoutMarks] needs one. Most lines are one id without any.
const marks = "<[`*\"':= \t\n\f\r"

// withoutMarks removes links, labels and emphasis.
func withoutMarks(line string) string {
	line = named.ReplaceAllString(line, "$1>")
	line = fences.ReplaceAllString(line, "$1")
	line = links.ReplaceAllStringFunc(line, func(link string) string { return linked(links.FindStringSubmatch(link)) })
	line = emphasis.ReplaceAllString(line, "$1$2$3")
	line = labels.ReplaceAllString(line, "$1$2")
	line = labelled.ReplaceAllString(line, "$1$2")
	return afterQuote.ReplaceAllString(line, "$1$2")
}

// unescaped undoes the escapes of Slack and of web pages.
var unescaped = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#39;", "'", "&nbsp;", " ", "&amp;", "&")

var (
	fences   = regexp.MustCompile("(?s)^`{3,}\\s*(.*?)\\s*`{3,}$")
	emphasis = regexp.MustCompile(`(^|\s)\*([^\s*/,][^*]*[^\s*])\*($|\s)`) // around several words; for one word see [peel]
	// links are Slack's <address|text> and <address>, and Markdown's [text](address).
	links = regexp.MustCompile(`<([^<>|\s]+)(?:\|([^<>]*))?>|\[([^\[\]]*)\]\(([^()\s]+)\)`)
	// named matches a mention with a name. The name may contain spaces, and only the ID is needed.
	named = regexp.MustCompile(`(<[@#!][^<>|\s]+)\|[^<>]*>`)
	// labels match the name of a value: id=…, software: …, "id": "…", id eq '…'.
	labels     = regexp.MustCompile(`(?i)(^|[\s,;({\[])["'` + "`" + `*_]{0,2}` + label + `["'` + "`" + `*_]{0,2}\s*(?:[:=](?:[*_]{1,2}\s+|\s*)|\beq\s+)(\S)`)
	labelled   = regexp.MustCompile(`(?i)(^|\s)` + label + `\s+(\S*-_-)`)
	afterQuote = regexp.MustCompile("([\"'`])[,;.:!?]+(\\s|$)")
)

const label = `(?:software[ _-]?id|software|product[ _-]?id|product|id)`

// linked returns what a link means: its address if that names software, an update, a CVE or a device, otherwise its
// text. Mentions look like links and stay unchanged.
func linked(m []string) string {
	address, text := m[1], m[2]
	if address == "" {
		address, text = m[4], m[3]
	}
	switch {
	case strings.ContainsAny(address[:1], "@#!"):
		return m[0]
	case strings.TrimSuffix(address[strings.LastIndex(address, "//")+1:], "/") == "/"+text: // Slack turns names such as node.js into links
		return text
	case text == "" || namedIn(address) != "":
		return address
	case len(IDs(text)) == 0 && len(IDs(address)) > 0, devicePage.MatchString(address): // an update, a CVE, a device behind other words
		return address
	}
	return text
}

// unwrapped unwraps each word and drops punctuation before and between words.
func unwrapped(words []string) []string {
	var out, marks []string
	for _, w := range words {
		for _, one := range unwrap(w) {
			switch {
			case strings.Trim(one, ",;.:!>") == "" || len(out) == 0 && !HasLetters(one):
				marks = append(marks, one)
			default:
				out = append(out, one)
			}
		}
	}
	if len(out) < 2 && len(marks) > 0 && (len(out) == 0 || !HasLetters(words[len(words)-1])) {
		return append(out, marks...) // the command then says what to type
	}
	return out
}

// HasLetters reports whether a text contains a letter or digit.
func HasLetters(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

// unwrap strips what surrounds a word. A list of ids becomes several words.
func unwrap(w string) []string {
	w = strings.TrimSpace(w)
	if strings.HasPrefix(w, "--") && !strings.Contains(w, IDSeparator) {
		return []string{strings.TrimRight(w, ",;")} // an option
	}
	w = peel(w)
	if id := namedIn(w); id != "" {
		return []string{id}
	}
	if !strings.Contains(w, IDSeparator) || !strings.ContainsAny(w, ",;") {
		return []string{recommended(w)}
	}
	var list []string
	for _, one := range strings.FieldsFunc(w, func(r rune) bool { return r == ',' || r == ';' }) {
		list = append(list, unwrap(one)...)
	}
	return list
}

// pairs maps the opening of marks around words to the closing one.
var pairs = map[byte]byte{'*': '*', '_': '_', '~': '~', '"': '"', '\'': '\'', '`': '`', '(': ')', '[': ']', '{': '}', '<': '>'}

// shuts are the closing marks of [pairs].
const shuts = "*_~\"'`)]}>"

// peel strips emphasis, quotes, brackets and punctuation. A word of nothing else stays, as does the * of a pattern.
func peel(w string) string {
	if strings.ContainsFunc(w, unicode.IsSpace) {
		return w // quoted schedule or name
	}
	for rest := w; ; {
		rest = strings.TrimLeft(strings.TrimRight(rest, ",;.:!?"), ",;:•·>")
		if n := len(rest); n > 2 && pairs[rest[0]] == rest[n-1] && !mention(rest) && peelable(rest[1:n-1]) {
			rest = rest[1 : n-1]
		}
		rest = unpaired(rest)
		if !HasLetters(rest) {
			return w
		}
		if rest == w {
			return w
		}
		w = rest
	}
}

// peelable reports whether a pair of marks encloses a word. In the cron expression */5,* it does not.
func peelable(inside string) bool { return !strings.ContainsAny(inside[:1], "/,-") }

// mention reports whether a word is Slack's mention of a person, channel or group.
func mention(w string) bool { return len(w) > 2 && w[0] == '<' && strings.ContainsAny(w[1:2], "@#!") }

// unpaired strips a quote or bracket whose counterpart is at another word.
func unpaired(w string) string {
	if w == "" || mention(w) {
		return w
	}
	if other, ok := pairs[w[0]]; ok && w[0] != '*' && strings.Count(w, string(other)) == strings.Count(string(w[0]), string(other)) {
		w = w[1:]
	}
	if strings.Contains(w, IDSeparator) {
		w = strings.Trim(w, "_") // emphasis around several words; ids have more than one underscore in them
	}
	if last := len(w) - 1; last < 0 || !strings.Contains(shuts, w[last:]) {
		return w
	}
	for open, shut := range pairs {
		if strings.HasSuffix(w, string(shut)) && shut != '*' && strings.Count(w, string(open)) == strings.Count(string(shut), string(open)) {
			return w[:len(w)-1]
		}
	}
	return w
}

// recommendation begins the ids of Defender's recommendations to update software.
const recommendation = "va" + IDSeparator

// recommended returns the software id inside the ID of a recommendation; other words are returned unchanged.
func recommended(w string) string {
	if len(w) > len(recommendation) && strings.EqualFold(w[:len(recommendation)], recommendation) && strings.Contains(w[len(recommendation):], IDSeparator) {
		return w[len(recommendation):]
	}
	return w
}

// withHost matches an address without its scheme, or a path of Defender's API.
var withHost = regexp.MustCompile(`(?i)^(?:(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?/|/?api/|/)`)

// namedIn returns the software id in the path, query or fragment of an address: a page of Defender's portal or an API
// call on any host. It returns "" for anything else.
func namedIn(w string) string {
	at := strings.Index(w, "://")
	if at < 0 && (!strings.Contains(w, "/") || !withHost.MatchString(w)) {
		return ""
	}
	for _, segment := range strings.FieldsFunc(w[max(at, 0):], func(r rune) bool { return strings.ContainsRune("/?&=#", r) }) {
		if segment = decoded(segment); strings.Contains(segment, "://") { // Outlook and other programs wrap addresses
			if id := namedIn(segment); id != "" {
				return id
			}
		} else if strings.Contains(segment, IDSeparator) {
			return recommended(literal(segment))
		}
	}
	return ""
}

// decoded unescapes a part of an address, twice, because an address inside an address is escaped twice. A + stays,
// because ids contain it.
func decoded(segment string) string {
	for range 2 {
		if plain, err := url.PathUnescape(segment); err == nil {
			segment = plain
		}
	}
	return segment
}

// literal returns the text between the quotes of OData: Software('…'), id eq '…'.
func literal(segment string) string {
	if _, rest, ok := strings.Cut(segment, "'"); ok {
		segment, _, _ = strings.Cut(rest, "'")
	}
	return segment
}

// withoutCommand drops this program's name from the front of a copied line.
func withoutCommand(words []string) []string {
	if len(words) > 1 && slices.Contains([]string{"/missingkbs", "missingkbs"}, strings.ToLower(words[0])) {
		words = words[1:]
		if len(words) > 1 && strings.EqualFold(words[0], "ask") {
			words = words[1:]
		}
	}
	return words
}
