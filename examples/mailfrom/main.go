// Command mailfrom is what an SMTP server does at MAIL FROM: it evaluates SPF for the
// client and says which reply to give.
//
//	mailfrom 192.0.2.1 mail.example.org someone@example.org
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/netip"
	"os"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
	"github.com/mailcheck-go/mailcheck/spf"
)

// reply is what a server says to the client.
func reply(res spf.Result) string {
	switch res.Status {
	case spf.Fail:
		// RFC 7208, Section 8.4: the domain says that the host may not. Many servers
		// leave the decision to DMARC, since forwarded mail fails too.
		return "550 5.7.23 SPF validation failed"
	case spf.TempError:
		// RFC 7208, Section 8.6: a name server did not answer; the client comes again.
		return "451 4.4.3 SPF cannot be looked up now"
	case spf.PermError:
		// RFC 7208, Section 8.7: the record is broken, which is no proof of forgery.
		return "250 2.1.0 OK, SPF record with an error"
	default: // pass, softfail, neutral, none
		return "250 2.1.0 OK"
	}
}

func run(ctx context.Context, w io.Writer, args []string, r resolve.Resolver) error {
	if len(args) != 3 {
		return errors.New("usage: mailfrom ADDRESS HELO MAILFROM")
	}
	ip, err := netip.ParseAddr(args[0])
	if err != nil {
		return err
	}
	// A server keeps one spf.Cache for all its mail: spf.Options{Cache: cache}.
	res := spf.Check(ctx, r, spf.Args{IP: ip, Helo: args[1], MailFrom: args[2]}, spf.Options{})
	fmt.Fprintln(w, reply(res))
	fmt.Fprintf(w, "spf=%s domain=%s lookups=%d\n", res.Status, res.Domain, res.Lookups)
	if res.Term != "" {
		fmt.Fprintf(w, "by %q in the record of %s\n", res.Term, res.Record)
	}
	if res.Err != nil {
		fmt.Fprintf(w, "because %q\n", res.Err.Error()) // it may quote a stranger's record
	}
	return nil
}

func main() {
	r, err := client.New(client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	if err := run(context.Background(), os.Stdout, os.Args[1:], r); err != nil {
		log.Fatal(err)
	}
}
