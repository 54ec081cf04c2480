package redact

import (
	"encoding/base64"
	"regexp"
	"strings"
	"unicode"
)

// form is the format of one kind of secret. Almost no text contains one, so texts are searched for marks first, which
// is cheap.
type form struct {
	name  string
	marks []string                         // every match contains one of them, in any case
	re    *regexp.Regexp                   // the secret is between its first and second group
	keep  func(before, secret string) bool // reports whether a match is not a secret; may be nil
}

// of returns a form.
func of(name, expression string, marks ...string) form {
	return form{name: name, marks: marks, re: regexp.MustCompile(expression)}
}

// unless returns the form without the matches that keep accepts.
func (f form) unless(keep func(before, secret string) bool) form {
	f.keep = keep
	return f
}

// Names of settings, form fields and JSON members that hold a secret. They match in any case, and after a prefix such
// as "AZURE_" or "--slack-".
const (
	secretNames = `(?:client|consumer|signing|app|azure|shared|webhook)[_-]?secret|(?:client[_-]?)?assertion|(?:refresh|access|id|bot|app|user|auth|bearer|session|config)[_-]?token|` +
		`(?:device|user|authorization)[_-]?code|pass(?:word|wd|phrase)|pwd|api[_-]?key|(?:account|private|access|shared)[_-]?key|code[_-]?verifier`
	// quoted matches what separates such a name from a quoted value. JSON within JSON escapes each quote with a
	// backslash.
	quoted = `\\*["']?\s{0,3}(?:=>?|:)\s{0,3}\\*`
	// bare matches an unquoted value. A backslash belongs to it unless it escapes a quote or a line break.
	bare = `(?:[^\s"'\\]|\\+[^\s"'\\nrt])+`
	// bareField matches a value in a query or form, which & ends.
	bareField = `(?:[^\s"'\\&]|\\+[^\s"'\\nrtu])+`
	// field matches the start of a query or form field, even if JSON has escaped the &.
	field = `(?:[?&]|\\u0026|%26|amp;)`
)

// nameMarks returns the marks of secretNames.
func nameMarks() []string {
	return []string{
		"secret", "assertion", "_token", "-token", "hToken", "sToken", "idToken", "botToken", "appToken", "userToken", "rToken", "nToken", "configToken",
		"_code", "-code", "deviceCode", "userCode", "nCode", "codeVerifier", "passw", "passp", "pwd", "_key", "-key", "apikey", "tkey", "ekey", "skey", "dkey",
	}
}

// forms is the only table of what secrets look like. The order matters: forms that contain other secrets come first.
var forms = newTable(
	of("private key", `()-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:[^"<>]*?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|[^"<>]*)()`, "private key"),
	of("JSON web token", `()\beyJ[0-9A-Za-z_-]{5,}(?:\.[0-9A-Za-z_-]*){0,4}()`, "eyJ"),
	of("Slack token", `(?i)((?:^|--|[^0-9a-z_-])(?:xox[a-np-z](?:\.xox[a-np-z])?|xapp)-)[0-9a-z%+/=_-]{4,}()`, "xox", "xapp-"),
	of("Slack token inside a word", `(?i)((?:xox[a-np-z](?:\.xox[a-np-z])?|xapp)-)[0-9][0-9a-z%+/=_-]{3,}()`, "xox", "xapp-"),
	of("Slack address", `(?i)(hooks\.slack(?:-gov)?\.com/(?:[a-z]+/)?)[^\s"'\\<>|]+()`, "hooks.slack"),
	of("Slack address on another host", `(/(?:commands|actions|services|workflows|triggers)/[TE][0-9A-Z]+/)[^\s"'\\<>|]+()`,
		"/commands/", "/actions/", "/services/", "/workflows/", "/triggers/"),
	of("Slack address of an upload", `(/upload/v[0-9]/)[^\s"'\\<>|]+()`, "/upload/v"),
	of("field of a query", `(?i)(`+field+`(?:ticket|link_key|sig|signature|code|token|secret|key|x-amz-signature|x-amz-security-token)=)`+bareField+`()`,
		"ticket=", "_key=", "sig=", "signature=", "code=", "token=", "secret=", "key="),
	of("signature", `(?i)(\bsig=)`+bareField+`()`, "sig="),
	of("named field of a query", `(?i)(`+field+`[a-z0-9_-]*(?:`+secretNames+`)=)`+bareField+`()`, nameMarks()...),
	of("named secret in double quotes", `(?i)((?:`+secretNames+`)`+quoted+`")(?:[^"\\]|\\+[^"\\])+()`, nameMarks()...),
	of("named secret in single quotes", `(?i)((?:`+secretNames+`)`+quoted+`')(?:[^'\\]|\\+[^'\\])+()`, nameMarks()...),
	of("token of an envelope", `(?i)(\b(?:token|secret|trigger_id)\\*"\s{0,3}:\s{0,3}\\*")(?:[^"\\]|\\+[^"\\])+()`, `token"`, `token\`, `secret`, `trigger_id`),
	of("named secret", `(?i)((?:`+secretNames+`)\s{0,3}=>?\s{0,3})`+bare+`()`, nameMarks()...).unless(isHidden),
	of("named secret after a colon", `(?i)((?:`+secretNames+`):\s{0,3})`+bare+`()`, nameMarks()...).unless(isExplanation),
	of("password in a URL", `(://[^\s"'\\/:@]*:)(?:[^\s"'\\/]|\\+[^\s"'\\/])+(@)`, "@").unless(isExample), // an @ within one does not end it
	of("password with a slash in a URL", `(?i)((?:postgres|postgresql|mysql|redis|amqp|mongodb)://[^\s"'\\/:@]*:)[^\s"'@\\]*/[^\s"'@\\]*(@)`, "@"),
	of("Entra client secret", `()[0-9A-Za-z_.~-]{3}[0-9]Q~[0-9A-Za-z_.~-]{20,}()`, "Q~"),
	of("Entra client secret that is named", `(?i)(client[ _-]?secret(?: is| was| value)?[\s:="'(]{1,4})[\w~.-]{34,}()`, "secret"),
	of("Entra code", `()\b[01]\.A[0-9A-Za-z_-]{30,}(?:\.[0-9A-Za-z_-]*)*()`, "0.A", "1.A"),
	of("code of a device", `(?i)(enter the code )[0-9a-z]{6,12}\b()`, "the code "),
	of("bearer", `(?i)(\bbearer(?:\s+|%20))[0-9a-z._~+/=%-]{8,}()`, "bearer").unless(isProse),
	of("basic", `(?i)(\bbasic(?:\s+|%20))[0-9a-z+/=_-]{6,}()`, "basic").unless(isNoLogin),
	of("authorization", `(?i)(authorization\\*["']?\s{0,3}[:=]\s{0,3}["'\[\\]*(?:[a-z]+\s+)?)[0-9a-z._~+/=%-]{8,}()`, "authorization").unless(isProse),
	of("trigger id", `()\b[0-9]{9,13}\.[0-9]{9,13}\.[0-9a-f]{16,}\b()`, twoNumbers),
	of("long random word", `()[0-9A-Za-z_~+-]{32,}={0,2}()`, longRun).unless(isNotRandom),
)

// isHidden accepts what is hidden already: what follows it, such as the next field of a form, is something else.
func isHidden(_, secret string) bool { return strings.HasPrefix(secret, Hidden) }

// isExplanation accepts what is said about a secret, such as "SLACK_BOT_TOKEN: token_revoked". Passwords may be such
// words.
func isExplanation(before, secret string) bool {
	if strings.Contains(strings.ToLower(before), "pass") || strings.Contains(strings.ToLower(before), "pwd") {
		return isHidden(before, secret)
	}
	return isHidden(before, secret) || strings.Trim(secret, "abcdefghijklmnopqrstuvwxyz_.,:;-") == ""
}

// isExample accepts our own hints, which use that word for where a password goes.
func isExample(before, secret string) bool {
	return secret == "password" && strings.Count(before, ":") == 2 // with that of ://
}

// isProse accepts a plain word, as in "bearer software": no token consists of so few lower-case letters.
func isProse(_, secret string) bool {
	word := strings.TrimRight(secret, ".-")
	return len(word) < 12 && strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") == ""
}

// isNoLogin accepts what is not user:password in base64, as in "Visual Basic Enterprise".
func isNoLogin(_, secret string) bool {
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		plain, err := encoding.DecodeString(strings.TrimRight(secret, "="))
		if err == nil && strings.Contains(string(plain), ":") {
			return false
		}
	}
	return true
}

// isNotRandom accepts readable words. Ids of software and devices have lower-case letters only. Names in source code
// switch between capitals, lower case and digits every few characters; random text does so at every other one.
func isNotRandom(_, secret string) bool {
	var upper, lower, digit bool
	var before, changes int
	for _, r := range secret {
		kind := 0
		switch {
		case unicode.IsUpper(r):
			kind, upper = 1, true
		case unicode.IsLower(r):
			kind, lower = 2, true
		case unicode.IsDigit(r):
			kind, digit = 3, true
		}
		if kind != 0 && before != 0 && kind != before {
			changes++
		}
		before = kind
	}
	return !upper || !lower || !digit || changes*5 < len(secret)*2
}
