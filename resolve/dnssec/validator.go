package dnssec

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Limits of one validation, against zones made to exhaust validators (KeyTrap,
// CVE-2023-50387; CVE-2023-50868). Unbound and BIND have some of about the same
// size; an honest answer needs a tenth.
const (
	defaultTimeout       = 30 * time.Second
	defaultFetches       = 64  // queries
	defaultVerifications = 128 // signatures checked
	defaultIterations    = 50  // RFC 9276, Section 3.2: ours to choose

	maxZones        = 64 // names whose place in the tree is found out
	maxWalk         = 48 // labels asked for one by one; an address in ip6.arpa has 34
	maxSetChecks    = 8  // signatures checked for one RRset
	maxKeyCollision = 4  // keys of a zone with the same tag and algorithm
	maxKeys         = 64 // of one zone
	maxDigests      = 32 // keys hashed to match the DS records of one zone
	maxSigners      = 2  // different signers tried for one RRset
	maxDenials      = 12 // NSEC and NSEC3 records checked in one response
	maxRecords      = 4096
	maxSetRecords   = 512 // of one RRset; BIND stops at 100 since CVE-2024-1737
	maxMessage      = 65535
)

// Exchange puts a question to a resolver or a server of the zone with the bits
// DO and CD set and returns the octets of the response and how it came; it holds
// no records. Client.Exchange and Client.ExchangeAuthoritative of package
// resolve/client are two. The response belongs to the question and is not
// truncated. Errors are or wrap *resolve.Error.
type Exchange func(ctx context.Context, q resolve.Question) (resolve.Answer, []byte, error)

// Options says whom to ask and what to trust. Exchange is required.
type Options struct {
	Exchange Exchange
	Anchors  []Anchor         // nil: RootAnchors()
	Clock    func() time.Time // nil: time.Now

	// Limits of one validation; 0 means the default given.
	Timeout       time.Duration // 30 s
	Fetches       int           // queries: 64
	Verifications int           // signatures checked: 128
	Iterations    int           // NSEC3 with more are insecure: 50; negative: 0

	// Resolver and TrustAD serve [Validator.Status]: the AD bit of an answer from
	// Resolver is believed if TrustAD of its Server is true. Nil: never.
	Resolver resolve.Resolver
	TrustAD  func(server string) bool
}

// Validator validates answers. It keeps the keys of zones that it has
// validated, and is safe for concurrent use.
type Validator struct {
	opt     Options
	anchors map[resolve.Name][]Anchor
	cache   nodeCache
}

// New makes a validator. It fails without Exchange and for an anchor that could
// never match (*[AnchorError]). Nothing is asked yet.
func New(opt Options) (*Validator, error) {
	if opt.Exchange == nil {
		return nil, errors.New("dnssec: no Exchange to ask with")
	}
	if opt.Anchors == nil {
		opt.Anchors = RootAnchors()
	}
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	if opt.Timeout <= 0 {
		opt.Timeout = defaultTimeout
	}
	if opt.Fetches <= 0 {
		opt.Fetches = defaultFetches
	}
	if opt.Verifications <= 0 {
		opt.Verifications = defaultVerifications
	}
	if opt.Iterations == 0 {
		opt.Iterations = defaultIterations
	}
	opt.Iterations = max(opt.Iterations, 0)
	v := &Validator{opt: opt, anchors: map[resolve.Name][]Anchor{}}
	for _, a := range opt.Anchors {
		if err := a.check(); err != nil {
			return nil, err
		}
		v.anchors[a.zone()] = append(v.anchors[a.zone()], a)
	}
	return v, nil
}

// Status says whether the answer to q is secure. It asks Options.Resolver and
// believes its AD bit if TrustAD allows it; in every other case, also when a
// trusted resolver does not set the bit, it is [Validator.Validate].
func (v *Validator) Status(ctx context.Context, q resolve.Question) Result {
	if v.opt.Resolver != nil && v.opt.TrustAD != nil {
		a, err := v.opt.Resolver.Resolve(ctx, q)
		// RFC 6840, Section 5.8: AD speaks for the answer and for a denial alike.
		if resolve.StateOf(err) != resolve.Unavailable && a.AuthenticData && a.Server != "" && v.opt.TrustAD(a.Server) {
			return Result{Question: q, Status: Secure, Reason: ReasonResolver, At: q.Name, Answer: a, Err: err,
				Detail: "validated by " + shorten(a.Server)}
		}
	}
	return v.Validate(ctx, q)
}

// Resolve makes the validator a [resolve.Resolver] that fails as a validating
// resolver does: an answer that is bogus or indeterminate is
// resolve.ErrServFail, and AuthenticData tells secure from insecure.
func (v *Validator) Resolve(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
	res := v.Validate(ctx, q)
	if resolve.StateOf(res.Err) == resolve.Unavailable {
		res.Answer.Records, res.Answer.Signatures, res.Answer.SOA = nil, nil, nil
	}
	return res.Answer, res.Err
}

// run is the work of one validation.
type run struct {
	v                          *Validator
	now                        time.Time
	fetches, checks, nodes     atomic.Int64
	maxFetches, maxChecks, max int64
}

func (v *Validator) newRun() *run {
	return &run{v: v, now: v.opt.Clock(), maxFetches: int64(v.opt.Fetches), maxChecks: int64(v.opt.Verifications), max: maxZones}
}

var errLimit = errors.New("more queries than one answer may need")

// fetch asks for q.
func (r *run) fetch(ctx context.Context, q resolve.Question) (*reply, error) {
	if r.fetches.Add(1) > r.maxFetches {
		return nil, &resolve.Error{Reason: resolve.ErrServFail, Question: q, Detail: "the limit of queries for one validation is reached", Err: errLimit}
	}
	if err := ctx.Err(); err != nil {
		reason := resolve.ErrCanceled
		if errors.Is(err, context.DeadlineExceeded) {
			reason = resolve.ErrTimeout
		}
		return nil, &resolve.Error{Reason: reason, Question: q, Err: err}
	}
	meta, msg, err := r.v.opt.Exchange(ctx, q)
	if err != nil {
		return &reply{meta: meta}, err
	}
	return parseReply(meta, msg, q)
}

// unfetched is the verdict when a record cannot be had.
func unfetched(at resolve.Name, err error) verdict {
	if errors.Is(err, errLimit) {
		return unknown(ReasonLimit, at, err.Error(), err)
	}
	return unknown(ReasonLookup, at, err.Error(), err)
}
