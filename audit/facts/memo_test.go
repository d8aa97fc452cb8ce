package facts

import (
	"context"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// TestMemoOutlivesItsCaller: who gives up takes the answer from nobody else.
func TestMemoOutlivesItsCaller(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	m := newMemo(t.Context(), resolve.Func(func(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
		close(asked)
		select {
		case <-answer:
			return resolve.Answer{Question: q}, nil
		case <-ctx.Done():
			return resolve.Answer{Question: q}, ctx.Err()
		}
	}))
	q := resolve.Question{Name: resolve.MustName("example.org"), Type: resolve.TypeTXT}
	hasty, leave := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, err := m.Resolve(hasty, q)
		first <- err
	}()
	<-asked
	leave()
	if err := <-first; resolve.ReasonOf(err) != resolve.ErrCanceled {
		t.Errorf("the hasty one: %v", err)
	}
	close(answer)
	if _, err := m.Resolve(t.Context(), q); err != nil {
		t.Errorf("the patient one: %v", err)
	}
}
