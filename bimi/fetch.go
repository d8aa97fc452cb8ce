package bimi

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/internal/netguard"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// DefaultTimeout bounds one fetch.
const DefaultTimeout = 30 * time.Second

const (
	maxRedirects   = 3                // followed, all of them HTTPS
	maxAddrs       = 8                // addresses tried
	maxHeaderBytes = 32 << 10         // octets of the response's head
	maxHeaderText  = 1024             // octets kept of a field of the response
	connectTime    = 10 * time.Second // for one address, if there are more
)

// What is fetched.
const (
	PictureFile     What = "picture"     // behind l=
	CertificateFile What = "certificate" // behind a=
)

// What is the sort of document that [Fetch] gets.
type What string

// FetchOptions tune [Fetch]. The zero value is safe: it asks the network as a receiver
// does, and never a private address.
type FetchOptions struct {
	What What // decides the limit and the media type; empty: PictureFile

	// Dial connects to an address, "192.0.2.1:443"; it has to refuse what may not be
	// asked. Nil dials public addresses only.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	Roots     *x509.CertPool   // of the web; nil: those of the system
	Now       func() time.Time // nil: time.Now
	Timeout   time.Duration    // for all of it; 0: DefaultTimeout
	MaxBytes  int              // octets of the body; 0: what is read of a picture or certificate
	UserAgent string           // empty: "mailcheck"
}

// FaultKind is a sort of [Fault]. Kinds are stable words.
type FaultKind string

// Kinds of faults.
const (
	FaultURL         FaultKind = "url"          // not HTTPS, or not one that is fetched
	FaultHost        FaultKind = "host"         // the name has no address, or is unknown
	FaultConnect     FaultKind = "connect"      // no address could be connected
	FaultTLS         FaultKind = "tls"          // no TLS came about
	FaultCertificate FaultKind = "certificate"  // the certificate of the web server does not verify
	FaultHTTP        FaultKind = "http"         // no HTTP response came about
	FaultRedirect    FaultKind = "redirect"     // too many, or to something else than HTTPS
	FaultStatus      FaultKind = "status"       // not 200
	FaultContentType FaultKind = "content-type" // another media type than the one that is needed
	FaultSize        FaultKind = "size"         // more than is read
)

// Fault is one reason why receivers do not get the document, or may not.
type Fault struct {
	Kind FaultKind
	// Temporary says that it proves nothing: it may be gone on the next try or from
	// elsewhere.
	Temporary bool
	Effect    Effect
	Message   string // safe to show
	Err       error  // the cause, if there is one
}

// String is the message.
func (f Fault) String() string { return f.Message }

// Hop is one URL that was asked.
type Hop struct {
	URL         string
	Lookups     []resolve.Answer
	Peer        netip.AddrPort // that answered
	Chain       []*x509.Certificate
	Status      int    // of HTTP
	ContentType string // as sent: foreign text
	Location    string // of a redirect: foreign text
}

// Fetched is a document as its web server gives it.
type Fetched struct {
	URL string // that was asked for
	// State is Present if receivers get a document, Absent if it is proven that they
	// do not, and Unavailable if it could not be found out.
	State   resolve.State
	Faults  []Fault
	Why     string
	Hops    []Hop  // the URL and those that it redirects to
	Body    []byte // at most what is read
	At      time.Time
	Elapsed time.Duration
}

// Has reports whether there is a fault of one of the kinds.
func (f Fetched) Has(kinds ...FaultKind) bool {
	for _, x := range f.Faults {
		for _, k := range kinds {
			if x.Kind == k {
				return true
			}
		}
	}
	return false
}

// Fetch gets the document behind a URL as a receiver does: by HTTPS with a certificate
// that verifies, from port 443 of a public address. It follows three redirects, all of
// them HTTPS; the drafts say nothing about those, so each is told as a risk. There is no
// error: what could not be found out is Unavailable in the result.
func Fetch(ctx context.Context, r resolve.Resolver, location string, opt FetchOptions) Fetched {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Timeout <= 0 {
		opt.Timeout = DefaultTimeout
	}
	if opt.Dial == nil {
		opt.Dial = (&netguard.Dialer{}).DialContext
	}
	if opt.MaxBytes <= 0 {
		opt.MaxBytes = maxSVGRead
		if opt.What == CertificateFile {
			opt.MaxBytes = MaxEvidence
		}
	}
	ctx, cancel := context.WithTimeout(ctx, opt.Timeout)
	defer cancel()
	f := Fetched{URL: head(location), At: opt.Now()}
	if len(location) <= maxURL {
		f.URL = location
	}
	next := location
	for hop := 0; ; hop++ {
		if hop > maxRedirects {
			f.fault(FaultRedirect, fmt.Sprintf("there are more than %d redirects", maxRedirects), nil)
			break
		}
		if next = f.hop(ctx, r, next, opt); next == "" {
			break
		}
		f.Faults = append(f.Faults, Fault{Kind: FaultRedirect, Effect: AtRisk, Message: fmt.Sprintf("%s redirects to %s: receivers may not follow", clip(f.Hops[hop].URL), clip(next))})
	}
	f.Elapsed = opt.Now().Sub(f.At)
	f.settle()
	return f
}

// target reads a URL that may be fetched.
func target(location string) (*url.URL, resolve.Name, error) {
	if why := urlProblem(location); why != "" {
		return nil, resolve.Name{}, fmt.Errorf("%w: %s", ErrURL, why)
	}
	u, err := url.Parse(location)
	if err != nil {
		return nil, resolve.Name{}, fmt.Errorf("%w: it is no URL", ErrURL)
	}
	if p := u.Port(); p != "" && p != "443" {
		// Ours: a stranger's record must not choose a port on somebody's machine.
		return nil, resolve.Name{}, fmt.Errorf("%w: port %s is not asked, only 443", ErrURL, clip(p))
	}
	name, err := resolve.ParseName(u.Hostname())
	if err != nil {
		return nil, resolve.Name{}, fmt.Errorf("%w: its host is no domain name", ErrURL)
	}
	return u, name, nil
}

// hop asks one URL and returns where it redirects to.
func (f *Fetched) hop(ctx context.Context, r resolve.Resolver, location string, opt FetchOptions) string {
	h := Hop{URL: location[:min(len(location), maxURL)]}
	defer func() { f.Hops = append(f.Hops, h) }()
	u, name, err := target(location)
	if err != nil {
		f.fault(FaultURL, fmt.Sprintf("%s is not fetched: %s", clip(location), strings.TrimPrefix(err.Error(), ErrURL.Error()+": ")), err)
		return ""
	}
	addrs := f.lookup(ctx, r, name, &h)
	if len(addrs) == 0 {
		return ""
	}
	conn := f.connect(ctx, addrs, name, opt, &h)
	if conn == nil {
		return ""
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline) // the wall behind the context
	}
	secured := f.handshake(ctx, conn, name, opt, &h)
	if secured == nil {
		return ""
	}
	defer secured.Close()
	return f.request(ctx, secured, u, opt, &h)
}

// lookup finds the addresses of a host.
func (f *Fetched) lookup(ctx context.Context, r resolve.Resolver, name resolve.Name, h *Hop) []netip.Addr {
	var addrs []netip.Addr
	var failed error
	for _, t := range []resolve.Type{resolve.TypeAAAA, resolve.TypeA} {
		a, err := r.Resolve(ctx, resolve.Question{Name: name, Type: t})
		h.Lookups = append(h.Lookups, a)
		if err != nil && resolve.StateOf(err) == resolve.Unavailable {
			failed = err
		}
		if err == nil {
			for _, x := range a.Addrs() {
				addrs = append(addrs, x.Addr)
			}
		}
	}
	switch {
	case len(addrs) > 0:
	case failed != nil:
		f.unsure(FaultHost, fmt.Sprintf("the addresses of %s are unknown", name), failed)
	default:
		f.fault(FaultHost, fmt.Sprintf("%s has no address", name), nil)
	}
	return addrs
}

// connect takes the first address that can be connected.
func (f *Fetched) connect(ctx context.Context, addrs []netip.Addr, name resolve.Name, opt FetchOptions, h *Hop) net.Conn {
	addrs = addrs[:min(len(addrs), maxAddrs)]
	var last error
	private := 0
	for i, a := range addrs {
		to := netip.AddrPortFrom(a, 443)
		limit := opt.Timeout / 2
		if i < len(addrs)-1 {
			limit = min(limit, connectTime)
		}
		attempt, cancel := context.WithTimeout(ctx, limit)
		conn, err := opt.Dial(attempt, "tcp", to.String())
		cancel()
		if err == nil {
			h.Peer = to
			return conn
		}
		if last = err; errors.Is(err, netguard.ErrForbidden) {
			private++
		}
		if ctx.Err() != nil {
			break
		}
	}
	if private == len(addrs) {
		f.fault(FaultConnect, fmt.Sprintf("%s has no public address (%s)", name, addrs[0]), last)
		return nil
	}
	f.unsure(FaultConnect, fmt.Sprintf("no connection to %s", name), last)
	return nil
}

// fault adds a proven fault that keeps receivers from the document.
func (f *Fetched) fault(k FaultKind, message string, err error) {
	f.Faults = append(f.Faults, Fault{Kind: k, Effect: Ignored, Message: message, Err: err})
}

// unsure adds a fault that proves nothing.
func (f *Fetched) unsure(k FaultKind, message string, err error) {
	f.Faults = append(f.Faults, Fault{Kind: k, Effect: Ignored, Temporary: true, Message: message, Err: err})
}

// settle chooses the state. What is proven outweighs what is unknown.
func (f *Fetched) settle() {
	f.State, f.Why = resolve.Present, "the document can be fetched"
	for _, x := range f.Faults {
		switch {
		case x.Effect != Ignored:
		case !x.Temporary:
			f.State, f.Why = resolve.Absent, x.Message
			return
		case f.State == resolve.Present:
			f.State, f.Why = resolve.Unavailable, x.Message
		}
	}
}

func statusText(code int) string { return strconv.Itoa(code) + " " + http.StatusText(code) }
