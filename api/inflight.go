package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"golang.org/x/sync/semaphore"
)

const (
	// freeBody is how much of any answer is read at once. Nearly all answers are no longer.
	freeBody = 256 << 10
	// waitingBody is how much more of an answer there may be on this machine while it waits.
	waitingBody = 512 << 10
	// largestAtOnce is how many answers of the largest size are read and decoded at a time.
	largestAtOnce = 2
	// errorBody is how much is read of an answer that is none: Defender's explanations are a tenth of it.
	errorBody = 64 << 10
)

// room is the policy that reads the bodies of answers, and bounds the memory that large ones take together. What is
// longer than [freeBody] waits there, half read, until there is room for the whole of it; it gives the room back when it
// is decoded, or fails. An answer that does not say how long it is needs room for the longest.
//
// Nobody holds room while waiting for more of it, since each page of an answer is decoded before the next is asked for;
// and who waits longest is next, so that many small ones do not keep a large one out.
//
// It stands behind the retry policy: where the other side loses patience while an answer waits, it is asked for again.
type room struct {
	space   *semaphore.Weighted
	longest int64
}

func newRoom(longest int64) *room {
	return &room{semaphore.NewWeighted(largestAtOnce * longest), longest}
}

// Do implements [policy.Policy]. The body goes to the [onTheWay] of the call, along with the room that it takes.
func (r *room) Do(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	call := callOnTheWay(req.Raw().Context())
	call.leave()
	call.held, call.turnedAway = 0, false
	if call.watch != nil {
		call.watch.heard()
		resp.Body = watchedBody{resp.Body, call.watch}
	}
	err = r.read(req.Raw().Context(), resp, call)
	_ = resp.Body.Close()
	if err != nil {
		call.leave()
		return nil, err
	}
	resp.Body = http.NoBody
	return resp, nil
}

func (r *room) read(ctx context.Context, resp *http.Response, call *onTheWay) error {
	length := resp.ContentLength // below 0 where it is not said
	start := int64(8 << 10)
	if length >= 0 {
		start = min(length, freeBody) + 1
	}
	body, ended, err := fill(make([]byte, 0, start), resp.Body, freeBody)
	if err == nil && !ended {
		if err := r.enter(ctx, length, call); err != nil {
			return err
		}
		if length > 0 {
			body = append(make([]byte, 0, length+1), body...)
		}
		body, _, err = fill(body, resp.Body, int(r.longest)+2)
	}
	call.body = body
	return err
}

// enter waits for room for an answer of so many bytes, and has the call give it back.
func (r *room) enter(ctx context.Context, length int64, call *onTheWay) error {
	need := r.longest
	if length >= 0 {
		need = min(length, r.longest)
	}
	if !r.space.TryAcquire(need) {
		p, began := placeOf(ctx), time.Now()
		p.crowd(true)
		if call.watch != nil {
			call.watch.hold()
		}
		err := r.space.Acquire(ctx, need)
		if call.watch != nil {
			call.watch.heard()
		}
		p.crowd(false)
		call.held += time.Since(began)
		if call.turnedAway = err != nil; call.turnedAway {
			return fmt.Errorf("wait for room: %w", err)
		}
	}
	call.leaves = func() { r.space.Release(need) }
	return nil
}

// fill reads on until buf holds limit bytes or the body has ended, and tells which. Each time that there is no space
// left in buf it makes four times as much, so that little is copied and little lies about.
func fill(buf []byte, from io.Reader, limit int) (filled []byte, ended bool, err error) {
	for len(buf) < limit {
		if len(buf) == cap(buf) {
			buf = append(make([]byte, 0, min(max(4*cap(buf), 512), limit)), buf...)
		}
		n, err := from.Read(buf[len(buf):min(cap(buf), limit)])
		buf = buf[:len(buf)+n]
		if errors.Is(err, io.EOF) {
			return buf, true, nil
		}
		if err != nil {
			return nil, false, err
		}
	}
	return buf, false, nil
}

// noRoom is what those hear whose answer found no room in time.
func noRoom(cause error) *Error {
	return &Error{Kind: ErrBusy, Message: fmt.Sprintf("the answer is long, and no more than %d long answers are read at once", largestAtOnce), Err: cause}
}
