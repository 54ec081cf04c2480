package cmdline

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Read cuts a line that a person typed or pasted into words. It replaces lookalike characters, removes links, labels,
// emphasis, quotes, brackets and punctuation around words, and keeps only the id of an address that names software. Lines
// of buttons hold exact words: use [Split] for them.
func Read(line string) []string {
	line = strings.TrimSpace(Normalize(unescaped.Replace(unescaped.Replace(line)))) // twice: some programs escape what is escaped
	line = named.ReplaceAllString(line, "$1>")
	line = fences.ReplaceAllString(line, "$1")
	line = links.ReplaceAllStringFunc(line, func(link string) string { return linked(links.FindStringSubmatch(link)) })
	line = emphasis.ReplaceAllString(line, "$1$2$3")
	line = labels.ReplaceAllString(line, "$1$2")
	line = labelled.ReplaceAllString(line, "$1$2")
	line = afterQuote.ReplaceAllString(line, "$1$2")
	words := Split(line)
	if len(words) == 1 && strings.ContainsFunc(words[0], unicode.IsSpace) { // all of it was quoted
		words = Split(words[0])
	}
	return withoutCommand(unwrapped(words))
}

// unescaped undoes the escapes of Slack and of web pages.
var unescaped = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#39;", "'", "&nbsp;", " ", "&amp;", "&")

var (
	fences   = regexp.MustCompile("(?s)^`{3,}\\s*(.*?)\\s*`{3,}$")
	emphasis = regexp.MustCompile(`(^|\s)\*([^\s*/,][^*]*[^\s*])\*($|\s)`) // around several words; around one see [peel]
	// links are Slack's <address|text> and <address>, and Markdown's [text](address).
	links = regexp.MustCompile(`<([^<>|\s]+)(?:\|([^<>]*))?>|\[([^\[\]]*)\]\(([^()\s]+)\)`)
	// named is a mention with the name of a person or channel. The name may hold spaces, and only the id is needed.
	named = regexp.MustCompile(`(<[@#!][^<>|\s]+)\|[^<>]*>`)
	// labels name what follows: id=…, software: …, "id": "…", id eq '…'.
	labels     = regexp.MustCompile(`(?i)(^|[\s,;({\[])["'` + "`" + `*_]{0,2}` + label + `["'` + "`" + `*_]{0,2}\s*(?:[:=](?:[*_]{1,2}\s+|\s*)|\beq\s+)(\S)`)
	labelled   = regexp.MustCompile(`(?i)(^|\s)` + label + `\s+(\S*-_-)`)
	afterQuote = regexp.MustCompile("([\"'`])[,;.:!?]+(\\s|$)")
)

const label = `(?:software[ _-]?id|software|product[ _-]?id|product|id)`

// linked is what a link means: its address if that names software, else its text. Mentions of people, channels and groups
// look like links and stay unchanged.
func linked(m []string) string {
	address, text := m[1], m[2]
	if address == "" {
		address, text = m[4], m[3]
	}
	switch {
	case strings.ContainsAny(address[:1], "@#!"):
		return m[0]
	case strings.TrimSuffix(address[strings.LastIndex(address, "//")+1:], "/") == "/"+text: // Slack makes links of names such as node.js
		return text
	case text == "" || namedIn(address) != "":
		return address
	}
	return text
}

// unwrapped unwraps each word and drops words of punctuation before and between others.
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
		return append(out, marks...) // the command says what to type instead
	}
	return out
}

// HasLetters reports whether a text has a letter or a digit.
func HasLetters(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

// unwrap strips what stands around a word. A list of ids becomes several words.
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

// pairs has the marks that people and programs put around a word, by the opening one.
var pairs = map[byte]byte{'*': '*', '_': '_', '~': '~', '"': '"', '\'': '\'', '`': '`', '(': ')', '[': ']', '{': '}', '<': '>'}

// peel strips emphasis, quotes, brackets and punctuation. A word of nothing else stays, as does the * of a pattern.
func peel(w string) string {
	if strings.ContainsFunc(w, unicode.IsSpace) {
		return w // a quoted schedule or name
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

// peelable reports whether a pair encloses a word. That of the cron expression */5,* does not.
func peelable(inside string) bool { return !strings.ContainsAny(inside[:1], "/,-") }

// mention reports whether a word is Slack's mention of a person, channel or group.
func mention(w string) bool { return len(w) > 2 && w[0] == '<' && strings.ContainsAny(w[1:2], "@#!") }

// unpaired strips a quote or bracket whose other half is at another word.
func unpaired(w string) string {
	if w == "" || mention(w) {
		return w
	}
	if other, ok := pairs[w[0]]; ok && w[0] != '*' && strings.Count(w, string(other)) == strings.Count(string(w[0]), string(other)) {
		w = w[1:]
	}
	if strings.Contains(w, IDSeparator) {
		w = strings.Trim(w, "_") // emphasis around several words; the ids themselves hold more of them
	}
	for open, shut := range pairs {
		if strings.HasSuffix(w, string(shut)) && shut != '*' && strings.Count(w, string(open)) == strings.Count(string(shut), string(open)) {
			return w[:len(w)-1]
		}
	}
	return w
}

// recommendation is the prefix of an id of Defender's recommendations to update software.
const recommendation = "va" + IDSeparator

// recommended is the software id in the id of a recommendation; other words stay unchanged.
func recommended(w string) string {
	if len(w) > len(recommendation) && strings.EqualFold(w[:len(recommendation)], recommendation) && strings.Contains(w[len(recommendation):], IDSeparator) {
		return w[len(recommendation):]
	}
	return w
}

// withHost is an address without its scheme; a path of Defender's API counts as one.
var withHost = regexp.MustCompile(`(?i)^(?:(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?/|/?api/|/)`)

// namedIn is the software id in the path, query or fragment of an address: a page of Defender's portal or a call of its API,
// on any host. It is "" for other words and other addresses.
func namedIn(w string) string {
	at := strings.Index(w, "://")
	if at < 0 && !withHost.MatchString(w) {
		return ""
	}
	for _, segment := range strings.FieldsFunc(w[max(at, 0):], func(r rune) bool { return strings.ContainsRune("/?&=#", r) }) {
		if segment = decoded(segment); strings.Contains(segment, "://") { // Outlook and other programs wrap addresses into their own
			if id := namedIn(segment); id != "" {
				return id
			}
		} else if strings.Contains(segment, IDSeparator) {
			return recommended(literal(segment))
		}
	}
	return ""
}

// decoded is a part of an address without its escapes. An address inside an address has two layers of them. A + stays,
// because ids hold it.
func decoded(segment string) string {
	for range 2 {
		if plain, err := url.PathUnescape(segment); err == nil {
			segment = plain
		}
	}
	return segment
}

// literal is the text between the quotes of OData: Software('…'), id eq '…'.
func literal(segment string) string {
	if _, rest, ok := strings.Cut(segment, "'"); ok {
		segment, _, _ = strings.Cut(rest, "'")
	}
	return segment
}

// withoutCommand drops the name of this program from the front of a copied line.
func withoutCommand(words []string) []string {
	if len(words) > 1 && slices.Contains([]string{"/missingkbs", "missingkbs"}, strings.ToLower(words[0])) {
		words = words[1:]
		if len(words) > 1 && strings.EqualFold(words[0], "ask") {
			words = words[1:]
		}
	}
	return words
}
