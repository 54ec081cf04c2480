package bot

import (
	"errors"
	"sync"
	"time"
)

const (
	// maxPosts is how many posts Slack takes at a response_url, and postingLife for how long. See
	// https://docs.slack.dev/interactivity/handling-user-interaction#message_responses.
	maxPosts    = 5
	postingLife = 30 * time.Minute
)

// errNoPostsLeft is the error of a post that Slack would not take any more. It is not made.
var errNoPostsLeft = errors.New("no post is left for this answer")

// responseURL is the address that Slack gives for the answer to one question. All that is posted there is counted here:
// the answer, what is drawn anew or tried again, and what is said besides. It is safe for concurrent use.
type responseURL struct {
	address string // secret: whoever has it can post
	made    time.Time

	mu   sync.Mutex
	used int
}

// newResponseURL returns a response_url that was just read.
func newResponseURL(address string) *responseURL {
	return &responseURL{address: address, made: time.Now()}
}

// take counts a post, or refuses it.
func (u *responseURL) take() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.used >= maxPosts || time.Since(u.made) >= postingLife {
		return errNoPostsLeft
	}
	u.used++
	return nil
}

// giveBack uncounts a post that did not reach Slack.
func (u *responseURL) giveBack() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.used--
}

// left is how many posts Slack still takes.
func (u *responseURL) left() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	if time.Since(u.made) >= postingLife {
		return 0
	}
	return maxPosts - u.used
}
