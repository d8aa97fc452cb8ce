// Command watch tells what has changed in what a domain publishes for mail since it
// was run the last time. The first run remembers, and says nothing.
//
//	watch example.org baseline.json
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"time"

	"github.com/mailcheck-go/mailcheck/baseline"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
)

func load(path string) (*baseline.Baseline, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // the first run
	} else if err != nil {
		return nil, err
	}
	return baseline.Decode(data)
}

// save replaces the file in one step, so that a crash leaves the old or the new one.
func save(path string, b *baseline.Baseline) error {
	data, err := b.Encode()
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func run(ctx context.Context, w io.Writer, args []string, r resolve.Resolver) error {
	if len(args) != 2 {
		return errors.New("usage: watch DOMAIN FILE")
	}
	domain, err := resolve.ParseName(args[0])
	if err != nil {
		return err
	}
	old, err := load(args[1])
	if err != nil {
		return err
	}
	var opt baseline.Options
	if old != nil {
		if old.Domain != domain {
			return fmt.Errorf("%s is of %s", args[1], old.Domain)
		}
		opt.Facts.Selectors, opt.Facts.Addresses = old.Selectors, old.Addresses
	}
	now, err := baseline.Take(ctx, r, domain, opt)
	if err != nil {
		return err
	}
	if old == nil {
		return save(args[1], now)
	}
	diff := baseline.Compare(old, now)
	for _, c := range diff.Changes {
		fmt.Fprintf(w, "%s: %s %s: %q is now %q: %s\n", c.Severity, c.Kind, c.What, c.Old, c.New, c.Meaning)
	}
	for _, c := range diff.Unknown { // not gone: nobody answered
		fmt.Fprintf(w, "unknown: %s: %s\n", c.Kind, c.Meaning)
	}
	// What could not be read now stays as it was known.
	return save(args[1], baseline.Keep(old, now))
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	r, err := client.New(client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	if err := run(ctx, os.Stdout, os.Args[1:], r); err != nil {
		log.Fatal(err)
	}
}
