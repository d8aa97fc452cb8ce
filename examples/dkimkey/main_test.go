package main

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/keys"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

func TestRun(t *testing.T) {
	dir, now, domain := t.TempDir(), time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), resolve.MustName("example.org")
	world, err := zonetest.Parse(`example.org. TXT "v=spf1 -all"`, zonetest.Options{World: true})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(context.Background(), &out, []string{"example.org", dir}, world, now); err != nil {
		t.Fatal(err)
	}

	// What is printed is a zone, and its record is that of the key in the file.
	published := zonetest.MustParse(out.String())
	files, err := filepath.Glob(filepath.Join(dir, "*.pem"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %q, error %v", files, err)
	}
	key, _, err := keys.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	selector := keys.SelectorFor(key.Type(), now)
	found := dkim.Lookup(context.Background(), published, domain, selector)
	if len(found.Records) != 1 || !key.Matches(found.Records[0].Key) {
		t.Errorf("the record does not match the key: %+v", found)
	}

	for name, r := range map[string]resolve.Resolver{"in use": published, "unknown": resolve.Offline, "the file is there": world} {
		if err := run(context.Background(), &out, []string{"example.org", dir}, r, now); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, args := range [][]string{nil, {"no domain", dir}, {"example.org", filepath.Join(dir, "none")}} {
		if err := run(context.Background(), &out, args, world, now); err == nil {
			t.Errorf("run(%q) is no error", args)
		}
	}
}
