package api

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// slowSignIn gives a token after a minute.
type slowSignIn struct{}

func (slowSignIn) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	time.Sleep(time.Minute)
	return azcore.AccessToken{Token: secretToken, ExpiresOn: time.Now().Add(24 * time.Hour)}, nil
}

// answering is a Defender that answers after a while.
func answering(after time.Duration) inMemory {
	return func(r *http.Request) (*http.Response, error) {
		select {
		case <-time.After(after):
			return reply(r, http.StatusOK, edge), nil
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
}

// refusing is a Defender that answers with a failure.
func refusing(status int, header ...string) inMemory {
	return func(r *http.Request) (*http.Response, error) {
		return reply(r, status, refusal("x", "no"), header...), nil
	}
}

// What a question waits for can be told at any moment, also by one that joins another's call, and by one that waits for a
// pause which another was asked for.
func TestProgressTellsWhatIsWaitedFor(t *testing.T) {
	t.Parallel()
	const look = 3 * time.Second // after the question
	for name, c := range map[string]struct {
		transport  inMemory
		cred       azcore.TokenCredential
		perMinute  int
		before     []string // what others asked a second before
		want       WaitingFor
		untilAfter time.Duration // the question
	}{
		"nothing, when it is answered": {transport: answering(time.Second), want: ForNothing},
		"an answer":                    {transport: answering(8 * time.Second), want: ForAnswer},
		"an answer to another":         {transport: answering(8 * time.Second), before: []string{"a"}, want: ForAnswer},
		"another try":                  {transport: refusing(http.StatusServiceUnavailable), want: ForRetry},
		"another connection":           {transport: func(*http.Request) (*http.Response, error) { return nil, errors.New("reset") }, want: ForRetry},
		"a pause":                      {transport: refusing(http.StatusTooManyRequests, "Retry-After", "20"), want: ForPause, untilAfter: 20 * time.Second},
		"a pause of a failure":         {transport: refusing(http.StatusServiceUnavailable, "Retry-After", "20"), want: ForPause, untilAfter: 20 * time.Second},
		"another's pause":              {transport: refusing(http.StatusTooManyRequests, "Retry-After", "20"), before: []string{"b"}, want: ForPause, untilAfter: 19 * time.Second},
		"our own limit":                {transport: answering(0), perMinute: 1, before: []string{"b"}, want: ForTurn, untilAfter: time.Minute},
		"a token":                      {transport: answering(0), cred: slowSignIn{}, want: ForSignIn},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cred := c.cred
				if cred == nil {
					cred = &stubCredential{}
				}
				perMinute := c.perMinute
				if perMinute == 0 {
					perMinute = -1
				}
				client, err := NewClient(cred, &Options{PerMinute: perMinute, PerHour: -1, Transport: c.transport, Timeout: 10 * time.Minute, Retry: policy.RetryOptions{RetryDelay: 2 * time.Second}})
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				for _, id := range c.before {
					go func() { _, _ = client.MissingKBs(t.Context(), id) }()
				}
				time.Sleep(time.Second)
				asked := time.Now()
				var p Progress
				ended := make(chan struct{})
				ctx, cancel := context.WithCancel(WithProgress(t.Context(), &p))
				go func() {
					defer close(ended)
					_, _ = client.MissingKBs(ctx, "a")
				}()
				time.Sleep(look)
				got := p.Waiting()
				until := time.Duration(0)
				if !got.Until.IsZero() {
					until = got.Until.Sub(asked).Round(time.Second)
				}
				if got.For != c.want || until != c.untilAfter {
					t.Errorf("waits for %v until %v, want %v until %v", got.For, until, c.want, c.untilAfter)
				}
				cancel()
				<-ended
				if got := p.Waiting(); got != (Waiting{}) {
					t.Errorf("afterwards: %+v", got)
				}
			})
		})
	}
}

// Of several calls the one that takes longest is told.
func TestProgressOfSeveralCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var p Progress
		ctx := WithProgress(t.Context(), &p)
		asks, pauses, waits := newQueuePosition(false), newQueuePosition(false), newQueuePosition(false)
		pauses.move(time.Now().Add(9*time.Second), defendersPause())
		waits.move(time.Now().Add(7*time.Second), ownLimit())
		for _, at := range []*queuePosition{waits, pauses, asks} {
			defer reportTo(ctx, at)()
		}
		if got, want := p.Waiting(), (Waiting{ForPause, time.Now().Add(9 * time.Second)}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}
