package resolve

import (
	"context"
	"time"
)

// Resolver answers one DNS question, following CNAMEs to their end.
//
// Implementations are safe for concurrent use and honour the context's
// deadline. They return an error for every outcome but "records of the asked
// type exist"; see the package comment for the three states. Errors are, or
// wrap, *[Error].
type Resolver interface {
	Resolve(ctx context.Context, q Question) (Answer, error)
}

// Func adapts a function to [Resolver].
type Func func(ctx context.Context, q Question) (Answer, error)

// Resolve calls f.
func (f Func) Resolve(ctx context.Context, q Question) (Answer, error) { return f(ctx, q) }

// Question is what is asked: an absolute name and a type. The class is always IN.
type Question struct {
	Name Name
	Type Type
}

// String is "example.org TXT".
func (q Question) String() string { return q.Name.String() + " " + q.Type.String() }

// Transport names the way an answer came.
type Transport string

// The transports of an answer.
const (
	UDP   Transport = "udp"
	TCP   Transport = "tcp"
	TLS   Transport = "tls"   // RFC 7858
	HTTPS Transport = "https" // RFC 8484
	File  Transport = "file"  // a zone file given by the user, nothing was asked
)

// Alias is one CNAME that was followed.
type Alias struct {
	Name   Name
	Target Name
	TTL    uint32 // seconds
}

// ExtendedError is an Extended DNS Error option of the response (RFC 8914). It
// tells, for instance, why a SERVFAIL is one: code 6 is "DNSSEC Bogus".
type ExtendedError struct {
	Code uint16
	Text string // from the server: foreign text, escape before showing
}

// Answer is all that is known of one lookup.
type Answer struct {
	Question Question
	RCode    RCode    // of the last response; meaningless if Server is empty
	Records  []Record // of the asked type, owned by the end of the chain
	Chain    []Alias  // CNAMEs walked from Question.Name, in order

	// SOA is the zone's SOA of a negative answer, if one came; its Minimum and
	// TTL bound how long the absence may be cached (RFC 2308, Section 5).
	SOA *Record

	// Signatures are the RRSIG records beside Records, when they were asked for.
	Signatures []Record

	AuthenticData      bool // AD bit, as the server claims it (RFC 6840, Section 5.8)
	Authoritative      bool // AA bit
	RecursionAvailable bool // RA bit
	Extended           []ExtendedError

	Server    string    // "192.0.2.53:53", the URL of a DoH server or the file's name
	Transport Transport // how the answer came
	Truncated bool      // the UDP response was truncated, so TCP was used or tried
	Size      int       // octets of the response message; 0 if unknown
	Elapsed   time.Duration
	Cached    bool      // served from the cache: no query was sent for it now
	At        time.Time // when the response arrived
}

// Owner is the name that owns Records: the end of the CNAME chain.
func (a Answer) Owner() Name {
	if n := len(a.Chain); n > 0 {
		return a.Chain[n-1].Target
	}
	return a.Question.Name
}

// TXT lists the TXT records of the answer.
func (a Answer) TXT() []TXT { return pick[TXT](a.Records) }

// MX lists the MX records of the answer.
func (a Answer) MX() []MX { return pick[MX](a.Records) }

// Addrs lists the addresses of the answer's A or AAAA records.
func (a Answer) Addrs() []Addr { return pick[Addr](a.Records) }

// Hosts lists the targets of the answer's NS, PTR or CNAME records.
func (a Answer) Hosts() []Host { return pick[Host](a.Records) }

func pick[T Data](rs []Record) []T {
	var out []T
	for i := range rs {
		if d, ok := rs[i].Data.(T); ok {
			out = append(out, d)
		}
	}
	return out
}

// Observe returns a resolver that calls seen after each lookup of r, from the
// goroutine that asked. It serves traces, counters and progress.
func Observe(r Resolver, seen func(Answer, error)) Resolver {
	return Func(func(ctx context.Context, q Question) (Answer, error) {
		a, err := r.Resolve(ctx, q)
		seen(a, err)
		return a, err
	})
}
