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
	// freeBody is how much of any answer is read without the semaphore. Nearly all answers are shorter.
	freeBody = 256 << 10
	// waitingBody is how much more of a waiting answer the connection may buffer.
	waitingBody = 512 << 10
	// largestAtOnce is how many answers of the largest size are read and decoded at a time.
	largestAtOnce = 2
	// errorBody is how much of an error answer is read. Defender's explanations are a tenth of it.
	errorBody = 64 << 10
)

// bodySemaphore is the policy that reads the bodies of answers and bounds the memory that large ones take together. An
// answer longer than [freeBody] waits, half read, until the semaphore admits all of it. The memory is released when the
// answer is decoded or fails. An answer without a length needs as much as the longest.
//
// A call that waits holds no memory already, because each page is decoded before the next is requested. The semaphore is
// first come, first served, so many small answers do not keep a large one out.
//
// It comes after the retry policy: if the server gives up while an answer waits, the call is repeated.
type bodySemaphore struct {
	space   *semaphore.Weighted
	longest int64
}

func newBodySemaphore(longest int64) *bodySemaphore {
	return &bodySemaphore{semaphore.NewWeighted(largestAtOnce * longest), longest}
}

// Do implements [policy.Policy]. The body, and the memory it holds, go to the [callState].
func (r *bodySemaphore) Do(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	call := callStateOf(req.Raw().Context())
	call.leave()
	call.held, call.turnedAway = 0, false
	if call.silenceTimer != nil {
		call.silenceTimer.progress()
		resp.Body = timedBody{resp.Body, call.silenceTimer}
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

func (r *bodySemaphore) read(ctx context.Context, resp *http.Response, call *callState) error {
	length := resp.ContentLength // below 0 when unknown
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

// enter acquires memory for an answer of so many bytes. The call releases it.
func (r *bodySemaphore) enter(ctx context.Context, length int64, call *callState) error {
	need := r.longest
	if length >= 0 {
		need = min(length, r.longest)
	}
	if !r.space.TryAcquire(need) {
		p, began := positionOf(ctx), time.Now()
		p.setWaitsForMemory(true)
		if call.silenceTimer != nil {
			call.silenceTimer.pause()
		}
		err := r.space.Acquire(ctx, need)
		if call.silenceTimer != nil {
			call.silenceTimer.progress()
		}
		p.setWaitsForMemory(false)
		call.held += time.Since(began)
		if call.turnedAway = err != nil; call.turnedAway {
			return fmt.Errorf("wait for memory: %w", err)
		}
	}
	call.leaves = func() { r.space.Release(need) }
	return nil
}

// fill reads until buf holds limit bytes or the body has ended, and reports which. It grows buf fourfold, so that little is
// copied and little is wasted.
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

// busyError is returned to callers whose answer got no memory in time.
func busyError(cause error) *Error {
	return &Error{Kind: ErrBusy, Message: fmt.Sprintf("the answer is long, and no more than %d long answers are read at once", largestAtOnce), Err: cause}
}
