// Command dkimkey makes a DKIM key, keeps the private half in a file of mode 0600, and
// prints the record to publish. It never replaces a file.
//
//	dkimkey example.org keys
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/keys"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
)

const ttl = 3600 // seconds

func run(ctx context.Context, w io.Writer, args []string, r resolve.Resolver, now time.Time) error {
	if len(args) != 2 {
		return errors.New("usage: dkimkey DOMAIN DIRECTORY")
	}
	domain, err := resolve.ParseName(args[0])
	if err != nil {
		return err
	}
	key, err := keys.Generate(keys.Options{}) // RSA of 2048 bits, which every receiver takes
	if err != nil {
		return err
	}
	record, err := key.Record()
	if err != nil {
		return err
	}

	// A selector that is in use belongs to another key: mail that is signed with it
	// would fail. Only proof that nothing is there will do; a timeout is none.
	selector := keys.SelectorFor(key.Type(), now)
	switch found := dkim.Lookup(ctx, r, domain, selector); found.State {
	case resolve.Absent:
	case resolve.Present:
		return fmt.Errorf("%s is in use", found.Name)
	default:
		return fmt.Errorf("nobody knows whether %s is in use: %w", found.Name, found.Err)
	}

	file := filepath.Join(args[1], domain.String()+"."+selector+".pem")
	if err := key.Create(file, keys.FormPKCS8); err != nil {
		return err
	}
	name, err := dkim.KeyName(domain, selector)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "; the private key is in %q: sign with it once the record is there\n", file)
	fmt.Fprintf(w, "%s %d IN TXT %s\n", name.FQDN(), ttl, resolve.SplitTXT(record.String()))
	return nil
}

func main() {
	r, err := client.New(client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	if err := run(context.Background(), os.Stdout, os.Args[1:], r, time.Now()); err != nil {
		log.Fatal(err)
	}
}
