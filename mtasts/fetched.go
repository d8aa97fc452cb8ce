package mtasts

import (
	"crypto/x509"
	"net/netip"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Fetched is the policy of a domain as its web server gives it.
type Fetched struct {
	Domain resolve.Name
	Host   resolve.Name // mta-sts.example.org
	URL    string

	// State is Present if senders get a policy they can use, Absent if it is proven
	// that they do not, and Unavailable if it could not be found out.
	State  resolve.State
	Faults []Fault // all of them, in the order of the steps
	Why    string

	// Policy is what was read, also when a fault keeps senders from using it.
	Policy Policy

	Lookups  []resolve.Answer // of the host's addresses
	Attempts []Attempt
	Peer     netip.AddrPort // that answered

	TLSVersion  uint16              // of crypto/tls
	Chain       []*x509.Certificate // as the server sent it, the host's own first
	Status      int                 // of HTTP
	ContentType string              // as sent: foreign text
	Location    string              // of a redirect, which is not followed: foreign text
	Body        []byte              // at most the 64 KiB that senders read
	At          time.Time
	Elapsed     time.Duration
}

// Attempt is one address that was tried.
type Attempt struct {
	Addr netip.AddrPort
	Err  error // nil if the connection stood
}

// FaultKind is a sort of [Fault]. Kinds are stable words.
type FaultKind string

// Kinds of faults.
const (
	FaultHost        FaultKind = "host"         // the name has no address, or is unknown
	FaultConnect     FaultKind = "connect"      // no address could be connected
	FaultTLS         FaultKind = "tls"          // no TLS came about
	FaultName        FaultKind = "name"         // the certificate is for other names
	FaultExpired     FaultKind = "expired"      // it is expired, or not valid yet
	FaultChain       FaultKind = "chain"        // it does not lead to a root that is trusted
	FaultHTTP        FaultKind = "http"         // no HTTP response came about
	FaultRedirect    FaultKind = "redirect"     // 3xx: senders do not follow
	FaultStatus      FaultKind = "status"       // not 200
	FaultContentType FaultKind = "content-type" // not text/plain
	FaultSize        FaultKind = "size"         // more than senders read
	FaultPolicy      FaultKind = "policy"       // the policy is not valid
)

// Fault is one reason why senders get no policy, or may get none.
type Fault struct {
	Kind FaultKind

	// Temporary says that it proves nothing: it may be gone on the next try or from
	// elsewhere.
	Temporary bool
	Effect    Effect // Ignored, or AtRisk if only some senders mind
	Message   string // safe to show
	Err       error  // the cause, if there is one
}

// String is the message.
func (f Fault) String() string { return f.Message }

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

// fault adds a proven fault that keeps senders from the policy.
func (f *Fetched) fault(k FaultKind, message string, err error) {
	f.Faults = append(f.Faults, Fault{Kind: k, Effect: Ignored, Message: message, Err: err})
}

// unsure adds a fault that proves nothing.
func (f *Fetched) unsure(k FaultKind, message string, err error) {
	f.Faults = append(f.Faults, Fault{Kind: k, Effect: Ignored, Temporary: true, Message: message, Err: err})
}

// settle chooses the state. What is proven outweighs what is unknown.
func (f *Fetched) settle() {
	f.State, f.Why = resolve.Present, "the policy can be used"
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
