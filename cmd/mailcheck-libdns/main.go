package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // the response has an error
	exitUsage  = 3
)

// Limits. mailcheck waits a minute for one call and reads as much.
const (
	maxRequest = 8 << 20 // octets
	maxTime    = 50 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr, os.Getenv}))
}

// streams is all that the command reads and writes, but for the network.
type streams struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
}

func run(ctx context.Context, args []string, s streams) int {
	switch {
	case len(args) == 1 && (args[0] == "--help" || args[0] == "-h"):
		fmt.Fprint(s.out, help())
		return exitOK
	case len(args) == 2 && (args[1] == "--help" || args[1] == "-h") && find(args[0]) != nil:
		fmt.Fprint(s.out, find(args[0]).help())
		return exitOK
	case len(args) != 1 || strings.HasPrefix(args[0], "-"):
		fmt.Fprint(s.err, "mailcheck-libdns: error: it takes the name of one provider\nmailcheck-libdns: hint: mailcheck-libdns --help\n")
		return exitUsage
	case find(args[0]) == nil:
		fmt.Fprintf(s.err, "mailcheck-libdns: error: no provider %.40q\nmailcheck-libdns: hint: known are %s\n", args[0], strings.Join(names(), ", "))
		answer(s.out, response{Error: &problem{Kind: refused, Message: fmt.Sprintf("no provider %.40q", args[0])}}, nil)
		return exitUsage
	}
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	watch := &meter{ctx: ctx, base: http.DefaultTransport}
	http.DefaultTransport = watch
	defer func() { http.DefaultTransport = watch.base }()
	p := find(args[0])
	env := &environment{getenv: s.getenv}
	r, err := serve(ctx, p, env, s.in)
	if err != nil {
		r = response{Error: explain(err, watch.last())}
	}
	answer(s.out, r, env.secrets)
	if r.Error != nil {
		return exitFailed
	}
	return exitOK
}

// serve reads one request and carries it out. A package of a provider that
// panics, as some do for a zone that is not there, ends in an error.
func serve(ctx context.Context, p *provider, env *environment, in io.Reader) (r response, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fail(refused, "%s: the provider's package ended in %.200q; is the zone there, with this account?", p.name, fmt.Sprint(v))
		}
	}()
	data, err := io.ReadAll(io.LimitReader(in, maxRequest+1))
	if err != nil {
		return r, fail(temporary, "the request cannot be read: %v", err)
	}
	if len(data) > maxRequest {
		return r, fail(refused, "the request has more than %d octets", maxRequest)
	}
	var req request
	if err := json.Unmarshal(data, &req); err != nil {
		return r, fail(refused, "the request is not JSON: %v", err)
	}
	if req.Schema != schema {
		return r, fail(refused, "schema %.40q, want %q", req.Schema, schema)
	}
	st, err := p.open(env)
	if err != nil {
		return r, err
	}
	switch req.Op {
	case "get":
		return get(ctx, st, req)
	case "set":
		return response{Records: []datum{}}, set(ctx, st, req)
	}
	return r, fail(refused, "no operation %.40q", req.Op)
}

// maxMessage keeps what a provider says in bounds.
const maxMessage = 500 // octets

// answer writes the response. No value of a credential is in it, whatever a
// package puts into its errors.
func answer(w io.Writer, r response, secrets []string) {
	r.Schema = schema
	if r.Records == nil {
		r.Records = []datum{}
	}
	if r.Error != nil {
		for _, s := range secrets {
			r.Error.Message = strings.ReplaceAll(r.Error.Message, s, "[secret]")
		}
		// Only now: a secret that is cut is not found.
		if len(r.Error.Message) > maxMessage {
			r.Error.Message = r.Error.Message[:maxMessage] + "…"
		}
		r.Error.Message = strings.ToValidUTF8(r.Error.Message, "?")
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil && !errors.Is(err, syscall.EPIPE) {
		fmt.Fprintf(os.Stderr, "mailcheck-libdns: error: %v\n", err)
	}
}
