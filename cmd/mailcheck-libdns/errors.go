package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// failure is an error of a known kind.
type failure struct {
	kind string
	text string
}

func (f *failure) Error() string { return f.text }

func fail(kind, format string, args ...any) error {
	return &failure{kind, fmt.Sprintf(format, args...)}
}

// partial is an error after something was written. Whatever the cause, it is not
// said that nothing was done.
type partial struct{ err error }

func (p *partial) Error() string { return "not all was done: " + p.err.Error() }
func (p *partial) Unwrap() error { return p.err }

// inOrder makes calls that write, one after the other.
func inOrder(calls ...func() error) error {
	for i, call := range calls {
		if err := call(); err != nil {
			if i > 0 {
				return &partial{err}
			}
			return err
		}
	}
	return nil
}

// explain sorts an error into the kinds. The packages of most providers keep
// nothing of a response but words, so the status of the last one decides.
func explain(err error, status int) *problem {
	p := &problem{Kind: temporary, Message: err.Error()}
	if _, ok := errors.AsType[*partial](err); ok {
		return p
	}
	if f, ok := errors.AsType[*failure](err); ok {
		p.Kind = f.kind
		return p
	}
	// The client of Route 53 has a transport of its own.
	if e, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		status = e.HTTPStatusCode()
	}
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		switch e.ErrorCode() {
		case "Throttling", "ThrottlingException", "PriorRequestNotComplete":
			return p
		case "InvalidClientTokenId", "ExpiredToken", "UnrecognizedClientException":
			p.Kind = auth
			return p
		}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		p.Kind = auth
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500, status == 0:
	default:
		// Also what came with status 200, and was not as it should be.
		p.Kind = refused
	}
	return p
}

// meter carries all requests of the packages that take the default transport. It
// remembers the status of the last response, bounds its length, and ends requests
// that were made without a deadline.
type meter struct {
	ctx    context.Context
	base   http.RoundTripper
	mu     sync.Mutex
	status int
}

// maxBody bounds what a provider may send.
const maxBody = 64 << 20 // octets

func (m *meter) RoundTrip(req *http.Request) (*http.Response, error) {
	if _, ok := req.Context().Deadline(); !ok {
		req = req.WithContext(m.ctx)
	}
	m.set(0)
	resp, err := m.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	m.set(resp.StatusCode)
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxBody), resp.Body}
	return resp, nil
}

func (m *meter) set(status int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status = status
}

func (m *meter) last() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.status
}
