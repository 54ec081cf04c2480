package slackapi

import (
	"errors"
	"sync"
	"time"
)

const (
	// MaxPosts is how many posts Slack accepts at a response_url, and responseURLLife for how long. See
	// https://docs.slack.dev/interactivity/handling-user-interaction#message_responses.
	MaxPosts        = 5
	responseURLLife = 30 * time.Minute
)

// errNoPostsLeft is the error of a post that Slack would no longer accept. It is not sent.
var errNoPostsLeft = errors.New("no post is left for this answer")

// ResponseURL is the address for the answers to one question. It counts all posts, including simpler drawings, retries
// and notices. It is safe for concurrent use.
type ResponseURL struct {
	address string // secret: anyone who has it can post
	created time.Time

	mu   sync.Mutex
	used int
}

// NewResponseURL returns a response_url that Slack has just sent.
func NewResponseURL(address string) *ResponseURL {
	return &ResponseURL{address: address, created: time.Now()}
}

// take counts a post, or returns [errNoPostsLeft].
func (u *ResponseURL) take() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.used >= MaxPosts || time.Since(u.created) >= responseURLLife {
		return errNoPostsLeft
	}
	u.used++
	return nil
}

// refund uncounts a post that did not reach Slack.
func (u *ResponseURL) refund() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.used--
}

// Left returns how many posts Slack still accepts.
func (u *ResponseURL) Left() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	if time.Since(u.created) >= responseURLLife {
		return 0
	}
	return MaxPosts - u.used
}
