package commands

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
)

type idKey struct{}

// WithID returns a context with the ID of the question being answered, for logs and traces.
func WithID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, idKey{}, id)
}

// IDOf returns the ID of the context's question, or "".
func IDOf(ctx context.Context) string {
	id, _ := ctx.Value(idKey{}).(string)
	return id
}

type typedKey struct{}

// WithTyped returns a context with the line being answered, for [Untyped].
func WithTyped(ctx context.Context, line string) context.Context {
	return context.WithValue(ctx, typedKey{}, line)
}

// leastTyped is the shortest word that is hidden: shorter ones occur in every text.
const leastTyped = 4

// Untyped returns the text of an error in a form that may be logged: "(typed)" replaces each word of the line being
// answered. It is the second line of defence; the first is that no error repeats what was typed. Command names are not
// replaced.
func Untyped(ctx context.Context, text string) string {
	line, _ := ctx.Value(typedKey{}).(string)
	var words []string
	read, _ := Parse(line) // also hide what a word is read as, such as the ID in an address
	for _, word := range slices.Concat(cmdline.Split(line), strings.Fields(line), read.Words) {
		word = strings.ToLower(strings.Trim(word, "\"'`,;"))
		if utf8.RuneCountInString(word) >= leastTyped && !slices.Contains(ownWords, word) {
			words = append(words, regexp.QuoteMeta(word))
		}
	}
	if len(words) == 0 {
		return text
	}
	slices.SortFunc(words, func(a, b string) int { return len(b) - len(a) }) // longest first, so that no rest remains
	form, err := regexp.Compile("(?i)" + strings.Join(slices.Compact(words), "|"))
	if err != nil { // nothing to hide
		return text
	}
	return form.ReplaceAllLiteralString(text, "(typed)")
}

// ownWords are the words of commands, which reveal nothing.
var ownWords = []string{
	"digest", "list", "show", "edit", "pause", "resume", "preview", "details", "remove", "export", "admin", "allow-channel", "disallow-channel",
	"search", "help", "home", "page", "until", "browse", "watch",
}

// Progress tells the asker what the answer is waiting for. It is safe for concurrent use.
type Progress struct {
	defender api.Progress

	mu       sync.Mutex
	other    string    // service that is waited for, other than Defender
	deadline time.Time // when the question times out
}

// WithProgress returns a context for a question whose progress will be shown.
func WithProgress(ctx context.Context) (context.Context, *Progress) {
	p := &Progress{}
	return context.WithValue(api.WithProgress(ctx, &p.defender), progressKey{}, p), p
}

type progressKey struct{}

// ProgressOf returns the progress of the context's question, or one without a reader.
func ProgressOf(ctx context.Context) *Progress {
	if p, ok := ctx.Value(progressKey{}).(*Progress); ok {
		return p
	}
	return &Progress{}
}

// Begin records when the question times out.
func (p *Progress) Begin(deadline time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deadline = deadline
}

// Asking records which service is being asked, other than Defender; "" for none.
func (p *Progress) Asking(who string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.other = who
}

// Words describes what the question is waiting for, and until when.
func (p *Progress) Words() string {
	now := time.Now()
	w := p.defender.Waiting()
	p.mu.Lock()
	other, left := p.other, inSeconds(p.deadline.Sub(now))
	p.mu.Unlock()
	within := "Your answer follows within " + left + "."
	switch w.For {
	case api.ForAnswer:
		return "Asking Defender… " + within
	case api.ForSignIn:
		return "Signing in to Defender… " + within
	case api.ForRetry:
		return "Defender failed; asking again… " + within
	case api.ForPause:
		return fmt.Sprintf("Defender asked for a pause of %s; your answer follows then.", inSeconds(w.Until.Sub(now)))
	case api.ForTurn:
		return fmt.Sprintf("The limit of Defender calls is reached; your turn comes in %s, and your answer follows then.", inSeconds(w.Until.Sub(now)))
	}
	if other != "" {
		return "Asking " + other + "… " + within
	}
	return "Still working on it… " + within
}

// IsWaiting returns true for a text that says what an answer waits for, such as [Progress.Words], and is no answer itself.
func IsWaiting(text string) bool {
	return strings.Contains(strings.ToLower(text), "your answer follows")
}

// inSeconds formats a duration in whole seconds, rounded up.
func inSeconds(d time.Duration) string {
	return fmt.Sprintf("%d s", max(1, int(math.Ceil(d.Seconds()))))
}
