package arc

import (
	"context"
	"io"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// VerifyMessage judges the DKIM signatures and the chain of a message that can be
// read only once, such as one from a pipe. The limits and the clock of opts are
// for both. The message is read once and in flat memory, except for what
// opts.Explain keeps; its body is hashed for the chain only if there is one.
func VerifyMessage(ctx context.Context, r io.Reader, resolver resolve.Resolver, opts dkim.VerifyOptions) (dkim.Verification, Result, error) {
	pr, pw := io.Pipe()
	var result Result
	var chainErr error
	done := make(chan struct{})
	go func() {
		defer close(done)
		result, chainErr = Validate(ctx, pr, resolver, Options{
			Now: opts.Now, MaxHeaderBytes: opts.MaxHeaderBytes, MaxBodyBytes: opts.MaxBodyBytes, MaxKeyBits: opts.MaxKeyBits,
		})
		pr.Close() // what is written from now on goes nowhere
	}()
	v, err := dkim.Verify(ctx, io.TeeReader(r, branch{pw}), resolver, opts)
	if err == nil {
		// Verify stops early without usable signatures. The copy ends with the
		// message, or when the chain needs no more of it.
		if _, copyErr := io.Copy(pw, r); copyErr != nil && copyErr != io.ErrClosedPipe {
			err = copyErr
		}
	}
	pw.CloseWithError(err) // nil is the end of the message
	<-done
	if err == nil {
		err = chainErr
	}
	if err != nil {
		return dkim.Verification{}, Result{}, err
	}
	return v, result, nil
}

// branch writes to a pipe whose reader may have seen enough.
type branch struct{ w *io.PipeWriter }

// Write never fails, so that the other reader goes on.
func (b branch) Write(p []byte) (int, error) {
	b.w.Write(p)
	return len(p), nil
}
