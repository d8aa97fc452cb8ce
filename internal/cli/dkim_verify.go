package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/arc"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

type verifyOptions struct {
	lookupOptions
	clock
}

func newDKIMVerify(s Streams) *cobra.Command {
	o := &verifyOptions{}
	cmd := &cobra.Command{
		Use:   "verify FILE|-",
		Short: "Verify the signatures of a message, and say why one fails",
		Long: `Verify the DKIM signatures and the ARC chain of a message. When a signature fails,
say what kind of change explains it: a re-folded header field, a changed subject, a
footer, other line ends, or a key that does not belong to it.

Keys are looked up in DNS. --zone and --offline take them from a file instead, and
--at sets the clock, so that old mail can be verified.
Exit status: 0 a signature passes, 1 none does or there is none, 2 not known because
a key could not be read or a limit was reached, 3 wrong usage.`,
		Example: `  mailcheck dkim verify message.eml
  mailcheck dkim verify - -o json < message.eml
  mailcheck dkim verify old.eml --zone keys.zone --offline --at 2020-01-31T12:00:00Z`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.lookupOptions.add(cmd)
	o.clock.add(cmd)
	return cmd
}

// verifyView is the document of schema mailcheck.dkim-verify/1.
type verifyView struct {
	Schema     string          `json:"schema"`
	Status     string          `json:"status"`
	Signatures []signatureView `json:"signatures"`
	ARC        arcView         `json:"arc"`
	Notes      []noteView      `json:"notes"`
	Limits     []limitView     `json:"limits"`
}

type signatureView struct {
	Domain           nullable    `json:"domain"`
	Selector         nullable    `json:"selector"`
	Identity         nullable    `json:"identity"`
	Algorithm        nullable    `json:"algorithm"`
	Canonicalization nullable    `json:"canonicalization"`
	Status           string      `json:"status"`
	Reason           nullable    `json:"reason"`
	Explanation      nullable    `json:"explanation"`
	KeyBits          int         `json:"key_bits"`
	Testing          bool        `json:"testing"`
	SignedHeaders    []string    `json:"signed_headers"`
	Expires          nullable    `json:"expires"`
	Time             nullable    `json:"time"`
	BodyLength       *int64      `json:"body_length"` // l=, null without it
	BodyHash         nullable    `json:"body_hash"`   // same or differs
	HeaderHash       nullable    `json:"header_hash"`
	Change           *changeSeen `json:"change"` // what explains a failure
	KeyName          nullable    `json:"key_name"`
	Notes            []noteView  `json:"notes"`
}

type changeSeen struct {
	Kind   string   `json:"kind"`
	Field  nullable `json:"field"`
	Detail string   `json:"detail"`
}

type noteView struct {
	Kind   string   `json:"kind"`
	Fields []string `json:"fields"`
	Detail string   `json:"detail"`
}

type limitView struct {
	Kind  string `json:"kind"`
	Limit int64  `json:"limit"`
	Found int64  `json:"found"`
	Text  string `json:"text"`
}

type arcView struct {
	Status      string    `json:"status"`
	Reason      nullable  `json:"reason"`
	Explanation nullable  `json:"explanation"`
	Instance    int       `json:"instance"`
	OldestPass  int       `json:"oldest_pass"`
	ChangedBy   nullable  `json:"changed_by"`
	Sealer      nullable  `json:"sealer"`
	Sets        []setView `json:"sets"`
}

type setView struct {
	Instance    int         `json:"instance"`
	CV          nullable    `json:"cv"`
	AuthResults nullable    `json:"authentication_results"`
	Message     arcSignView `json:"message_signature"`
	Seal        arcSignView `json:"seal"`
}

type arcSignView struct {
	Domain      nullable `json:"domain"`
	Selector    nullable `json:"selector"`
	Algorithm   nullable `json:"algorithm"`
	Status      string   `json:"status"`
	Reason      nullable `json:"reason"`
	Explanation nullable `json:"explanation"`
}

func (o *verifyOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	now, err := o.now()
	if err != nil {
		return err
	}
	in, path, err := openMessage(cmd, s, args)
	if err != nil {
		return err
	}
	defer in.Close()
	ctx, res, done, err := o.session(cmd.Context(), s)
	if err != nil {
		return err
	}
	defer done()
	v, chain, err := verifyBoth(ctx, in, res, now)
	if e := interrupted(cmd); e != nil {
		return e
	}
	if err != nil {
		return usage("name a readable message file, or - for standard input", "%s: %w", path, err)
	}
	view := viewVerify(v, chain)
	if o.format == "json" {
		err = printJSON(s.Out, view)
	} else {
		err = view.text(s)
	}
	if err != nil {
		return err
	}
	switch v.Status() {
	case dkim.Pass:
		return nil
	case dkim.TempError, dkim.Neutral:
		return exit(ExitIncomplete)
	}
	return exit(ExitFindings)
}

// openMessage opens the one argument: a file, or - for standard input.
func openMessage(cmd *cobra.Command, s Streams, args []string) (io.ReadCloser, string, error) {
	switch {
	case len(args) > 1:
		return nil, "", usage("run it once for each message", "'%s' takes one message, not %d", cmd.CommandPath(), len(args))
	case len(args) == 0:
		return nil, "", usage(cmd.CommandPath()+" message.eml, or - for standard input", "no message given")
	case args[0] == "-":
		return io.NopCloser(s.In), "standard input", nil
	}
	f, err := os.Open(args[0])
	if err != nil {
		return nil, "", usage("name a readable message file, or - for standard input", "%w", err)
	}
	return f, args[0], nil
}

// verifyBoth reads the message once, for its signatures and for its chain.
func verifyBoth(ctx context.Context, in io.Reader, r resolve.Resolver, now func() time.Time) (dkim.Verification, arc.Result, error) {
	pr, pw := io.Pipe()
	var chain arc.Result
	var arcErr error
	var wg sync.WaitGroup
	wg.Go(func() {
		chain, arcErr = arc.Validate(ctx, pr, r, arc.Options{Now: now})
		io.Copy(io.Discard, pr) // it stops early where there is no chain
	})
	tee := io.TeeReader(in, pw)
	v, err := dkim.Verify(ctx, tee, r, dkim.VerifyOptions{Now: now, Explain: true})
	if err == nil {
		_, err = io.Copy(io.Discard, tee) // and this stops early where no body is needed
	}
	pw.CloseWithError(err) // nil: the end of the message
	wg.Wait()
	if err == nil {
		err = arcErr
	}
	return v, chain, err
}

func timeOrNull(t time.Time) nullable {
	if t.IsZero() {
		return ""
	}
	return nullable(t.UTC().Format(time.RFC3339))
}

func shown(l []string) []string {
	out := make([]string, 0, len(l))
	for _, s := range l {
		out = append(out, safe.Text(s))
	}
	return out
}

func viewNotes(l []dkim.Note) []noteView {
	out := []noteView{}
	for _, n := range l {
		out = append(out, noteView{string(n.Kind), shown(n.Fields), safe.Text(n.Detail)})
	}
	return out
}

func viewVerify(v dkim.Verification, chain arc.Result) *verifyView {
	out := &verifyView{
		Schema: "mailcheck.dkim-verify/1", Status: string(v.Status()), Signatures: []signatureView{}, Notes: viewNotes(v.Notes), Limits: []limitView{},
		ARC: arcView{
			Status: string(chain.Status), Reason: nullable(chain.Reason), Explanation: nullable(chain.Explanation), Instance: chain.Instance,
			OldestPass: chain.OldestPass, ChangedBy: nullable(chain.ChangedBy), Sealer: nullable(chain.Sealer), Sets: []setView{},
		},
	}
	for _, l := range v.Limits {
		out.Limits = append(out.Limits, limitView{l.Kind, l.Limit, l.Found, safe.Text(l.Text)})
	}
	for _, x := range v.Signatures {
		sig := signatureView{
			Domain: nullable(x.Domain), Selector: nullable(x.Selector), Identity: nullable(x.Identity), Algorithm: nullable(x.Algorithm),
			Canonicalization: nullable(x.Canonicalization), Status: string(x.Status), Reason: nullable(x.Reason), Explanation: nullable(x.Explanation),
			KeyBits: x.KeyBits, Testing: x.Testing, SignedHeaders: shown(x.SignedHeaders), Expires: timeOrNull(x.Expires), Time: timeOrNull(x.Time),
			BodyHash: nullable(x.BodyHash), HeaderHash: nullable(x.HeaderHash), KeyName: nameOrNull(x.Key.Name), Notes: viewNotes(x.Notes),
		}
		if x.BodyLength >= 0 {
			sig.BodyLength = &x.BodyLength
		}
		if c := x.Change; c != nil {
			sig.Change = &changeSeen{string(c.Kind), nullable(c.Field), safe.Text(c.Detail)}
		}
		out.Signatures = append(out.Signatures, sig)
	}
	for _, x := range chain.Sets {
		out.ARC.Sets = append(out.ARC.Sets, setView{x.Instance, nullable(x.CV), nullable(x.AuthResults), viewARCSign(x.Message), viewARCSign(x.Seal)})
	}
	return out
}

func viewARCSign(x arc.Signature) arcSignView {
	return arcSignView{nullable(x.Domain), nullable(x.Selector), nullable(x.Algorithm), string(x.Status), nullable(x.Reason), nullable(x.Explanation)}
}

func (v *verifyView) text(s Streams) error {
	p := newSheet(s)
	p.field("DKIM", "%s", v.Status)
	if v.Status == string(dkim.None) {
		p.para("The message has no DKIM signature.")
	}
	for i, x := range v.Signatures {
		x.write(p, i+1)
	}
	for _, n := range v.Notes {
		p.WriteByte('\n')
		p.para("%s", n.Detail)
	}
	for _, l := range v.Limits {
		p.WriteByte('\n')
		p.para("Limit reached (%s, %d): %s", l.Kind, l.Limit, l.Text)
	}
	p.WriteByte('\n')
	p.field("ARC", "%s", v.ARC.Status)
	if v.ARC.Explanation != "" {
		p.para("%s", v.ARC.Explanation)
	}
	for _, x := range v.ARC.Sets {
		p.item("%d: sealed by %s (cv=%s): seal %s, message signature %s", x.Instance, dash(x.Seal.Domain), dash(x.CV), x.Seal.Status, x.Message.Status)
	}
	return p.flush(s.Out)
}

func dash(n nullable) string {
	if n == "" {
		return "-"
	}
	return string(n)
}

func (x signatureView) write(p *sheet, n int) {
	p.WriteByte('\n')
	reason := ""
	if x.Reason != "" {
		reason = fmt.Sprintf(" (%s)", x.Reason)
	}
	p.para("Signature %d: %s%s", n, x.Status, reason)
	put := func(label string, text string) {
		if text != "" {
			p.hang("  ", label, sheetHang+2, text)
		}
	}
	put("domain", string(x.Domain))
	put("selector", string(x.Selector))
	if x.Identity != "" && string(x.Identity) != "@"+string(x.Domain) {
		put("identity", string(x.Identity))
	}
	key := ""
	if x.KeyBits > 0 {
		key = fmt.Sprintf(", key of %d bits", x.KeyBits)
	}
	put("algorithm", strings.TrimPrefix(string(x.Algorithm)+key, ", "))
	put("signed fields", strings.Join(x.SignedHeaders, ", "))
	put("expires", string(x.Expires))
	put("why", string(x.Explanation))
	for _, n := range x.Notes {
		put("note", n.Detail)
	}
}
