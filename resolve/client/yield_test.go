package client_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// Lookups without a response must not hold up the others for all of their time.
func TestDeadNamesLetOthersPass(t *testing.T) {
	t.Parallel()
	const inFlight, timeout = 4, 5 * time.Second
	z := zonetest.MustParse("live.example. 60 IN TXT \"here\"\n")
	var dead []resolve.Name
	for i := range 2 * inFlight {
		n := resolve.MustName(fmt.Sprintf("dead%d.example", i))
		z.Inject(n, 0, zonetest.Fault{Timeout: true})
		dead = append(dead, n)
	}
	s, err := zonetest.Serve(z, zonetest.ServerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, err := client.New(client.Options{Servers: []string{s.Addr()}, InFlight: inFlight, Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	begin := time.Now()
	var wg sync.WaitGroup
	for _, n := range dead {
		wg.Go(func() {
			_, err := c.Resolve(t.Context(), resolve.Question{Name: n, Type: resolve.TypeTXT})
			if !errors.Is(err, resolve.ErrTimeout) {
				t.Errorf("%s: %v, want a timeout", n, err)
			}
		})
	}
	for s.Queries() < inFlight { // all slots are taken
		time.Sleep(time.Millisecond)
	}
	if _, err := c.Resolve(t.Context(), resolve.Question{Name: resolve.MustName("live.example"), Type: resolve.TypeTXT}); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took >= timeout {
		t.Errorf("a live name waited %v for dead ones", took)
	}
	wg.Wait()
	if took := time.Since(begin); took >= 2*timeout {
		t.Errorf("all lookups took %v, as if one after the other", took)
	}
}
