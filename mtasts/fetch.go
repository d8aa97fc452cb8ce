package mtasts

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// DefaultTimeout bounds one fetch as RFC 8461, Section 3.3 suggests it to senders.
const DefaultTimeout = time.Minute

const (
	wellKnown      = "/.well-known/mta-sts.txt" // RFC 8461, Section 3.3
	maxAddrs       = 8                          // addresses tried
	maxHeaderBytes = 32 << 10                   // octets of the response's head
	connectTime    = 10 * time.Second           // for one address, if there are more
)

// Options tune [Fetch]. The zero value is safe: it asks the network as a sender
// does, and never a private address.
type Options struct {
	// Dial connects to an address, "192.0.2.1:443"; it has to refuse what may not be
	// asked. Nil dials public addresses only.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	Roots   *x509.CertPool   // nil: those of the system
	Now     func() time.Time // nil: time.Now
	Timeout time.Duration    // for all of it; 0: DefaultTimeout

	// Addrs are asked in place of those in DNS, to see each of them.
	Addrs []netip.Addr

	UserAgent string // empty: "mailcheck"
}

// Fetch gets the policy of a domain as a sender does (RFC 8461, Section 3.3): from
// its mta-sts host, by HTTPS with a certificate that verifies, without following
// redirects, at most 64 KiB. When the certificate does not verify it goes on to
// see all that is wrong; the policy is not Present then. There is no error: what
// could not be found out is Unavailable in the result.
func Fetch(ctx context.Context, r resolve.Resolver, domain resolve.Name, opt Options) Fetched {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Timeout <= 0 {
		opt.Timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, opt.Timeout)
	defer cancel()
	f := Fetched{Domain: domain, At: opt.Now()}
	defer func() { f.Elapsed = opt.Now().Sub(f.At) }()
	f.run(ctx, r, opt)
	f.settle()
	return f
}

func (f *Fetched) run(ctx context.Context, r resolve.Resolver, opt Options) {
	host, err := f.Domain.Below("mta-sts")
	if err != nil || f.Domain.IsRoot() || !isHost(host.String()) {
		f.fault(FaultHost, fmt.Sprintf("no host name can be made of %s", clip(f.Domain.String())), err)
		return
	}
	f.Host, f.URL = host, "https://"+host.String()+wellKnown
	addrs := opt.Addrs
	if addrs == nil {
		addrs = f.lookup(ctx, r)
	}
	if len(addrs) == 0 {
		return
	}
	conn := f.connect(ctx, addrs, opt)
	if conn == nil {
		return
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline) // the wall behind the context
	}
	secured := f.handshake(ctx, conn, opt)
	if secured == nil {
		return
	}
	defer secured.Close()
	f.request(ctx, secured, opt)
}

// lookup finds the addresses of the host.
func (f *Fetched) lookup(ctx context.Context, r resolve.Resolver) []netip.Addr {
	type result struct {
		answer resolve.Answer
		err    error
	}
	ask := func(t resolve.Type) chan result {
		c := make(chan result, 1)
		go func() {
			a, err := r.Resolve(ctx, resolve.Question{Name: f.Host, Type: t})
			c <- result{a, err}
		}()
		return c
	}
	six, four := ask(resolve.TypeAAAA), ask(resolve.TypeA)
	var addrs []netip.Addr
	var failed error
	for _, c := range []chan result{six, four} {
		res := <-c
		f.Lookups = append(f.Lookups, res.answer)
		if res.err != nil && resolve.StateOf(res.err) == resolve.Unavailable {
			failed = res.err
		}
		if res.err == nil {
			for _, a := range res.answer.Addrs() {
				addrs = append(addrs, a.Addr)
			}
		}
	}
	switch {
	case len(addrs) > 0:
	case failed != nil:
		f.unsure(FaultHost, fmt.Sprintf("the addresses of %s are unknown", f.Host), failed)
	default:
		f.fault(FaultHost, fmt.Sprintf("%s has no address, so there is no policy", f.Host), nil)
	}
	return addrs
}

// connect takes the first address that can be connected.
func (f *Fetched) connect(ctx context.Context, addrs []netip.Addr, opt Options) net.Conn {
	dial := opt.Dial
	if dial == nil {
		dial = dialPublic
	}
	addrs = addrs[:min(len(addrs), maxAddrs)]
	for i, a := range addrs {
		to := netip.AddrPortFrom(a, 443)
		limit := opt.Timeout / 2
		if i < len(addrs)-1 {
			limit = min(limit, connectTime)
		}
		attempt, cancel := context.WithTimeout(ctx, limit)
		conn, err := dial(attempt, "tcp", to.String())
		cancel()
		f.Attempts = append(f.Attempts, Attempt{Addr: to, Err: err})
		if err == nil {
			f.Peer = to
			return conn
		}
		if ctx.Err() != nil {
			break
		}
	}
	last := f.Attempts[len(f.Attempts)-1]
	f.unsure(FaultConnect, fmt.Sprintf("no connection to %s (%s)", f.Host, last.Addr), last.Err)
	return nil
}

// request asks for the policy and reads it.
func (f *Fetched) request(ctx context.Context, conn net.Conn, opt Options) {
	used := false
	rt := &http.Transport{
		// The one connection: a transport that has to dial again fails.
		DialTLSContext: func(context.Context, string, string) (net.Conn, error) {
			if used {
				return nil, errors.New("mtasts: connection closed")
			}
			used = true
			return conn, nil
		},
		DisableKeepAlives:      true,
		DisableCompression:     true, // a small answer must not become a large one
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
	defer rt.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL, nil)
	if err != nil {
		f.fault(FaultHTTP, "no request can be made", err)
		return
	}
	req.Header.Set("User-Agent", "mailcheck")
	if opt.UserAgent != "" {
		req.Header.Set("User-Agent", opt.UserAgent)
	}
	resp, err := rt.RoundTrip(req) // never follows a redirect
	if err != nil {
		f.unsure(FaultHTTP, fmt.Sprintf("%s gave no HTTP response%s", f.Host, late(ctx)), err)
		return
	}
	defer resp.Body.Close()
	f.Status = resp.StatusCode
	f.ContentType, f.Location = cut(resp.Header.Get("Content-Type")), cut(resp.Header.Get("Location"))
	if !f.judgeStatus() {
		return
	}
	f.judgeType(resp.Header)
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPolicy+1))
	f.Body = body[:min(len(body), maxPolicy)]
	if err == nil {
		// When time is up our end closes the connection, and a body that was cut by
		// that may look whole.
		err = ctx.Err()
	}
	switch {
	case len(body) > maxPolicy:
		// RFC 8461, Section 3.3: senders may stop at 64 KiB.
		f.fault(FaultSize, fmt.Sprintf("%s sends more than the %d octets that senders read", f.Host, maxPolicy), nil)
		return
	case err != nil:
		f.unsure(FaultHTTP, fmt.Sprintf("%s did not finish its response%s", f.Host, late(ctx)), err)
		return
	}
	f.Policy, err = ParsePolicy(string(body))
	if err != nil {
		f.fault(FaultPolicy, err.Error(), err)
	}
}

// judgeStatus reports whether there is a body to read.
func (f *Fetched) judgeStatus() bool {
	switch {
	case f.Status == http.StatusOK:
		return true
	case f.Status >= 300 && f.Status < 400:
		// RFC 8461, Section 3.3: redirects must not be followed.
		f.fault(FaultRedirect, fmt.Sprintf("%s redirects to %s with status %d: senders do not follow, so there is no policy", f.Host, clip(f.Location), f.Status), nil)
	case f.Status >= 500 || f.Status == http.StatusTooManyRequests || f.Status == http.StatusRequestTimeout:
		f.unsure(FaultStatus, fmt.Sprintf("%s has an error of its own: status %d; senders get no policy while it lasts", f.Host, f.Status), nil)
	default:
		// RFC 8461, Section 3.3: only 200 is a policy.
		f.fault(FaultStatus, fmt.Sprintf("%s answers with status %d: only 200 is a policy", f.Host, f.Status), nil)
	}
	return false
}

// judgeType looks at the media type. RFC 8461, Section 3.2: it must be text/plain,
// and parameters do not matter; Section 3.3: senders should check it.
func (f *Fetched) judgeType(h http.Header) {
	media, _, err := mime.ParseMediaType(f.ContentType)
	if err != nil {
		media, _, _ = strings.Cut(f.ContentType, ";")
	}
	x := Fault{Kind: FaultContentType, Effect: Ignored}
	switch {
	case strings.EqualFold(strings.Trim(media, wsp), "text/plain"):
	case f.ContentType == "":
		x.Effect, x.Message = AtRisk, fmt.Sprintf("%s does not say that the policy is text/plain: some senders refuse it", f.Host)
		f.Faults = append(f.Faults, x)
	default:
		x.Message = fmt.Sprintf("%s calls the policy %s: text/plain is needed, so senders refuse it", f.Host, clip(f.ContentType))
		f.Faults = append(f.Faults, x)
	}
	if enc := h.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		x = Fault{Kind: FaultHTTP, Effect: AtRisk, Message: fmt.Sprintf("%s sends the policy as %s without being asked to", f.Host, clip(enc))}
		f.Faults = append(f.Faults, x)
	}
}

// late tells that the time was up.
func late(ctx context.Context) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return " in time"
	}
	return ""
}

const maxHeaderText = 1024 // octets kept of a field of the response

func cut(s string) string { return s[:min(len(s), maxHeaderText)] }
