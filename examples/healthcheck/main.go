// Command healthcheck answers GET /mail/example.org with what is wrong with a domain's
// mail records, for a monitor: 200 in order, 503 at least one error, 500 unknown.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/audit/rules"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
)

// timeout bounds one audit: a monitor does not wait longer.
const timeout = 20 * time.Second

type answer struct {
	Domain   resolve.Name `json:"domain"`
	Problems []string     `json:"problems"`
	Complete bool         `json:"complete"` // false: something could not be known
}

// handler audits the domains that are ours and no others: an open one would let
// strangers send DNS questions through us.
func handler(r resolve.Resolver, ours ...resolve.Name) http.Handler {
	mux := http.NewServeMux()
	for _, domain := range ours {
		mux.HandleFunc("GET /mail/"+domain.String(), func(w http.ResponseWriter, req *http.Request) {
			ctx, cancel := context.WithTimeout(req.Context(), timeout)
			defer cancel()
			report := audit.Run(facts.Gather(ctx, r, domain, facts.Options{}), rules.All(), audit.Options{})
			a := answer{Domain: domain, Problems: []string{}, Complete: !report.Incomplete()}
			for _, f := range report.Findings {
				if f.Severity == audit.Error && f.Suppressed == nil {
					a.Problems = append(a.Problems, string(f.Rule)+": "+f.Message)
				}
			}
			w.Header().Set("Content-Type", "application/json")
			switch {
			case len(a.Problems) > 0:
				w.WriteHeader(http.StatusServiceUnavailable)
			case !a.Complete:
				w.WriteHeader(http.StatusInternalServerError)
			}
			if err := json.NewEncoder(w).Encode(a); err != nil {
				log.Print(err) // the monitor has gone
			}
		})
	}
	return mux
}

func run(ctx context.Context, addr string, args []string, r resolve.Resolver) error {
	if len(args) == 0 {
		return errors.New("usage: healthcheck DOMAIN [DOMAIN...]")
	}
	var ours []resolve.Name
	for _, arg := range args {
		domain, err := resolve.ParseName(arg)
		if err != nil {
			return err
		}
		ours = append(ours, domain)
	}
	server := &http.Server{Addr: addr, Handler: handler(r, ours...), ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r, err := client.New(client.Options{}) // the system's resolver
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	if err := run(ctx, "127.0.0.1:8025", os.Args[1:], r); err != nil {
		log.Fatal(err)
	}
}
