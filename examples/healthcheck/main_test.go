package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

const zone = `
parked.example.         MX  0 .
parked.example.         TXT "v=spf1 -all"
_dmarc.parked.example.  TXT "v=DMARC1; p=reject; sp=reject; np=reject"
bad.example.            MX  10 mx.bad.example.
mx.bad.example.         A   192.0.2.1
bad.example.            TXT "v=spf1 +all"
`

func TestHandler(t *testing.T) {
	world, err := zonetest.Parse(zone, zonetest.Options{World: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, path string
		resolver   resolve.Resolver
		status     int
		problem    string
	}{
		{"in order", "/mail/parked.example", world, 200, ""},
		{"errors", "/mail/bad.example", world, 503, "DMARC001"},
		{"unknown is not in order", "/mail/parked.example", resolve.Offline, 500, ""},
		{"not ours", "/mail/other.example", world, 404, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			h := handler(test.resolver, resolve.MustName("parked.example"), resolve.MustName("bad.example"))
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, test.path, nil))
			if w.Code != test.status {
				t.Fatalf("status %d, want %d: %s", w.Code, test.status, w.Body)
			}
			if w.Code == http.StatusNotFound {
				return
			}
			var a answer
			if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
				t.Fatal(err)
			}
			found := slices.ContainsFunc(a.Problems, func(s string) bool { return strings.HasPrefix(s, test.problem+":") })
			if test.problem != "" && !found || test.problem == "" && len(a.Problems) > 0 {
				t.Errorf("problems %q, want %q", a.Problems, test.problem)
			}
		})
	}
}

func TestRun(t *testing.T) {
	for _, args := range [][]string{nil, {"no domain"}} {
		if err := run(context.Background(), "127.0.0.1:0", args, resolve.Offline); err == nil {
			t.Errorf("run(%q) is no error", args)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := run(ctx, "127.0.0.1:0", []string{"example.org"}, resolve.Offline); err != nil {
		t.Errorf("a server that was stopped: %v", err)
	}
}
