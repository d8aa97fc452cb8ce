package client_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// Each misbehaviour of a server ends in its own reason and never in absence.
func TestFaults(t *testing.T) {
	q := resolve.Question{Name: resolve.MustName("example.org"), Type: resolve.TypeTXT}
	for name, tt := range map[string]struct {
		fault  zonetest.Fault
		reason error
	}{
		"none":           {zonetest.Fault{}, nil},
		"slow":           {zonetest.Fault{Delay: 50 * time.Millisecond}, nil},
		"truncated":      {zonetest.Fault{Truncate: true}, nil},
		"truncated, TCP": {zonetest.Fault{Truncate: true, NoTCP: true}, resolve.ErrNetwork},
		"lost once":      {zonetest.Fault{Timeout: true, Times: 1}, nil},
		"timeout":        {zonetest.Fault{Timeout: true}, resolve.ErrTimeout},
		"malformed":      {zonetest.Fault{Malformed: true}, nil}, // see below
		"servfail":       {zonetest.Fault{RCode: resolve.ServFail}, resolve.ErrServFail},
		"refused":        {zonetest.Fault{RCode: resolve.Refused}, resolve.ErrRefused},
		"id once":        {zonetest.Fault{WrongID: true, Times: 1}, nil},
		"id":             {zonetest.Fault{WrongID: true}, resolve.ErrTimeout},
		"question once":  {zonetest.Fault{WrongQuestion: true, Times: 1}, nil},
		"question":       {zonetest.Fault{WrongQuestion: true}, resolve.ErrTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := zonetest.MustParse("example.org. 60 IN SOA ns h 1 2 3 4 60\n" + `example.org. 60 IN TXT "v=spf1 -all"`)
			z.Inject(q.Name, q.Type, tt.fault)
			s, err := zonetest.Serve(z, zonetest.ServerOptions{Recursive: true})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			c, err := client.New(client.Options{Servers: []string{s.Addr()}, Timeout: 2 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			a, err := c.Resolve(context.Background(), q)
			if tt.fault.Malformed {
				// Whether it is a response at all depends on how broken it is.
				if err == nil || errors.Is(err, resolve.ErrAbsent) {
					t.Errorf("%+v, %v", a, err)
				}
				return
			}
			if !errors.Is(err, tt.reason) || (err == nil) != (len(a.Records) == 1) {
				t.Errorf("%+v, %v", a, err)
			}
			if a.Truncated != tt.fault.Truncate {
				t.Errorf("truncated: %v", a.Truncated)
			}
		})
	}
}
