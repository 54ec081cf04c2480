package advisory

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// Open requests an address as JSON and returns its body, which fails to read after limit bytes. The caller closes it.
// Temporary failures are retried.
func (f *Fetcher) Open(ctx context.Context, address string, limit int64) (io.ReadCloser, error) {
	req, err := runtime.NewRequest(ctx, http.MethodGet, address)
	if err != nil {
		return nil, err
	}
	req.Raw().Header.Set("Accept", "application/json")
	runtime.SkipBodyDownload(req)
	resp, err := f.pipeline.Do(req)
	if err != nil {
		return nil, plain(err)
	}
	switch {
	case resp.StatusCode == http.StatusNotFound:
		resp.Body.Close()
		return nil, ErrNotThere
	case resp.StatusCode != http.StatusOK:
		resp.Body.Close()
		return nil, fmt.Errorf("%s answers %s", hostOf(address), resp.Status)
	}
	body := &bounded{in: bufio.NewReader(resp.Body), closer: resp.Body, left: limit, limit: limit}
	if first, err := body.in.Peek(1); err == nil && first[0] == '<' {
		body.Close()
		return nil, fmt.Errorf("%s answers with a web page, not with data", hostOf(address))
	}
	return body, nil
}

// plain returns a failure without the address, which url.Error repeats, and without Azure's words.
func plain(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*azcore.ResponseError](err); ok {
		return fmt.Errorf("answers %d", e.StatusCode)
	}
	return err
}

// bounded reads a body up to a limit.
type bounded struct {
	in          *bufio.Reader
	closer      io.Closer
	left, limit int64
	plain       int // bytes since the last quotation mark
}

// maxPlain bounds the bytes without a quotation mark: a string or white space. A JSON decoder buffers all of a string,
// and rescans white space with each read, so megabytes of either are expensive.
const maxPlain = 1 << 20

// Read implements [io.Reader].
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		if _, err := b.in.Peek(1); err != nil {
			return 0, err
		}
		return 0, fmt.Errorf("the answer has more than %d MiB", b.limit>>20)
	}
	n, err := b.in.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if at := bytes.LastIndexByte(p[:n], '"'); at >= 0 {
		b.plain = n - 1 - at
	} else {
		b.plain += n
	}
	if b.plain > maxPlain {
		return 0, errors.New("the answer has a value of more than 1 MiB")
	}
	return n, err
}

// Close implements [io.Closer].
func (b *bounded) Close() error { return b.closer.Close() }
