// Command verify reads a mail on standard input and tells what DKIM and DMARC make of
// it. The SPF result is that of the server which took the mail, since only it saw the
// client.
//
//	verify bounce.example.org pass <mail.eml
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
)

func run(ctx context.Context, w io.Writer, in io.Reader, args []string, r resolve.Resolver) error {
	if len(args) != 0 && len(args) != 2 {
		return errors.New("usage: verify [MAIL-FROM-DOMAIN SPF-RESULT] <MAIL")
	}
	mail, err := message.Read(in, message.Options{}) // bounded
	if err != nil {
		return err
	}
	author := mail.Author()
	if len(author.Domains) == 0 {
		return errors.New("the mail has no usable From field, so DMARC says nothing of it")
	}
	ids := dmarc.Identifiers{From: author.Domains}
	if len(args) == 2 {
		domain, err := resolve.ParseName(args[0])
		if err != nil {
			return err
		}
		ids.SPF = dmarc.Identifier{Domain: domain, Result: args[1]}
	}

	v, err := dkim.Verify(ctx, bytes.NewReader(mail.Bytes()), r, dkim.VerifyOptions{Explain: true})
	if err != nil {
		return err
	}
	for _, s := range v.Signatures {
		// What a mail says of itself is foreign text: %q keeps it off the terminal.
		fmt.Fprintf(w, "dkim=%s d=%q s=%q %q\n", s.Status, s.Domain, s.Selector, s.Explanation)
		if domain, err := resolve.ParseName(s.Domain); err == nil {
			ids.DKIM = append(ids.DKIM, dmarc.Identifier{Domain: domain, Result: string(s.Status)})
		}
	}

	e := dmarc.Evaluate(ctx, r, ids, dmarc.Discover(ctx, r, author.Domains[0], dmarc.Options{}))
	fmt.Fprintf(w, "dmarc=%s from=%s disposition=%s\n", e.Now.Result, e.Author, e.Now.Disposition)
	fmt.Fprintf(w, "%q\n", e.Now.Why)
	return nil
}

func main() {
	r, err := client.New(client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	if err := run(context.Background(), os.Stdout, os.Stdin, os.Args[1:], r); err != nil {
		log.Fatal(err)
	}
}
