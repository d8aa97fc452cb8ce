package zonetest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/internal/wire"
)

// Limits of what is read. They are ours: a zone under test is far smaller, and a
// stranger's file must not fill the memory.
const (
	MaxText    = 64 << 20 // octets of one file
	MaxRecords = 1 << 20  // records of one file
	maxNodes   = 4 << 20  // names of one zone with the empty ones between them
	maxWarn    = 1000     // warnings kept
)

// defaultTTL is the TTL of records when the text gives none, in seconds.
const defaultTTL = 3600

// Options say how a zone is read and what it speaks for.
type Options struct {
	// Origin completes relative names until the text sets $ORIGIN. Zero: the root.
	Origin resolve.Name
	// File is shown in errors and is Answer.Server. Empty: "zone".
	File string
	// World makes the zone speak for the whole tree: a name outside every origin
	// is NXDOMAIN rather than [resolve.ErrReferral], and NS records below an
	// origin are plain data, not delegations. It is for tests.
	World bool
	// Clock gives Answer.At. Nil: answers have the zero time.
	Clock func() time.Time
}

// ParseError tells where a text is not a zone file.
type ParseError struct {
	File         string // empty if the text has no name
	Line, Column int    // from 1; columns count octets; 0 if unknown
	Token        string // the offending text, shortened; may be empty
	Reason       string
}

// Error is "zone.txt:3:14: bad MX Mx: \"x..y\"". Foreign text is quoted.
func (e *ParseError) Error() string {
	var b strings.Builder
	b.WriteString(cmp.Or(e.File, defaultFile))
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	b.WriteString(": " + e.Reason)
	if e.Token != "" {
		fmt.Fprintf(&b, ": %q", e.Token)
	}
	return b.String()
}

const defaultFile = "zone"

// Parse reads master file text (RFC 1035, Section 5). $ORIGIN and $TTL are
// honoured, $INCLUDE and $GENERATE refused; records of other classes than IN are
// left out with a warning. Errors are *[ParseError].
func Parse(text string, opt Options) (z *Zone, err error) {
	if len(text) > MaxText {
		return nil, &ParseError{File: opt.File, Reason: fmt.Sprintf("text of %d octets, the limit is %d", len(text), MaxText)}
	}
	p := &parser{opt: opt, file: cmp.Or(opt.File, defaultFile)}
	p.scan = &scanner{text: text, file: opt.File, line: 1, warn: p.warn}
	defer func() {
		// The zone parser is not ours, and the text is anybody's.
		if v := recover(); v != nil {
			z, err = nil, &ParseError{File: opt.File, Line: p.scan.entryLine, Column: p.scan.entryCol, Reason: "cannot be read"}
		}
	}()
	if err := p.run(); err != nil {
		return nil, err
	}
	z = newZone(p.file, opt)
	z.records, z.early = p.records, p.warnings
	z.decls = declare(p.records, p.stated(), p.file)
	z.index()
	if len(z.nodes) >= maxNodes {
		return nil, &ParseError{File: opt.File, Reason: fmt.Sprintf("more than %d names", maxNodes)}
	}
	return z, nil
}

// MustParse is Parse with World set, for tests. It panics on an error.
func MustParse(text string) *Zone {
	z, err := Parse(text, Options{World: true})
	if err != nil {
		panic(err)
	}
	return z
}

// Load reads and merges files; see [Merge]. Errors are *[ParseError] or come
// from the file system.
func Load(files ...string) (*Zone, error) {
	if len(files) == 0 {
		return nil, errors.New("zonetest: no zone file given")
	}
	zones := make([]*Zone, 0, len(files))
	for _, name := range files {
		text, err := readFile(name)
		if err != nil {
			return nil, fmt.Errorf("zonetest: %w", err)
		}
		z, err := Parse(text, Options{File: name})
		if err != nil {
			return nil, err
		}
		zones = append(zones, z)
	}
	if len(zones) == 1 {
		return zones[0], nil
	}
	return Merge(zones...), nil
}

func readFile(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxText+1)) // one more, so that Parse sees the excess
	return string(b), err
}

// source is a record and where it stands.
type source struct {
	resolve.Record
	file string
	line int // 0: it was not read from text
}

func (s source) place() string {
	if s.line == 0 {
		return s.file
	}
	return s.file + ":" + strconv.Itoa(s.line)
}

type parser struct {
	opt      Options
	file     string
	scan     *scanner
	records  []source
	warnings []string
	origin   resolve.Name // what stated found, once the text had an $ORIGIN
}

func (p *parser) warn(line int, format string, args ...any) {
	if len(p.warnings) < maxWarn {
		p.warnings = append(p.warnings, fmt.Sprintf("%s:%d: ", p.file, line)+fmt.Sprintf(format, args...))
	}
}

func (p *parser) run() error {
	origin := "."
	if !p.opt.Origin.IsZero() {
		origin = p.opt.Origin.FQDN()
	}
	zp := dns.NewZoneParser(p.scan, origin, "")
	zp.SetDefaultTTL(defaultTTL)
	for rr, ok := zp.Next(); ok; rr, ok = zp.Next() {
		if err := p.add(rr); err != nil {
			return err
		}
	}
	if p.scan.err != nil {
		return p.scan.err
	}
	if err := zp.Err(); err != nil {
		return p.locate(err)
	}
	return nil
}

func (p *parser) add(rr dns.RR) error {
	s := p.scan
	// One entry is one record at most, as no directive multiplies them.
	if len(p.records) >= s.entries || len(p.records) >= MaxRecords {
		s.fail(s.entryLine, s.entryCol, "", fmt.Sprintf("more than %d records", MaxRecords))
		return s.err
	}
	if c := rr.Header().Class; c != dns.ClassINET {
		p.warn(s.entryLine, "class %s is not IN: the record is left out", dns.Class(c))
		return nil
	}
	r, err := wire.FromRR(rr)
	if err != nil {
		s.fail(s.entryLine, s.entryCol, rr.Header().Name, strings.TrimPrefix(err.Error(), "wire: "))
		return s.err
	}
	if twice(r.Name, p.stated()) {
		p.warn(s.entryLine, "the name %s ends in its origin twice: a final dot is missing", r.Name)
	}
	p.records = append(p.records, source{Record: r, file: p.file, line: s.entryLine})
	return nil
}

// twice reports a name such as mail.example.com.example.com, which is what
// "mail.example.com" without its final dot becomes below $ORIGIN example.com.
func twice(n, origin resolve.Name) bool {
	if origin.NumLabels() < 2 || !n.Within(origin) || n == origin {
		return false
	}
	s, o := n.String(), origin.String()
	head := s[:len(s)-len(o)-1]
	return head == o || strings.HasSuffix(head, "."+o)
}

// stated is the origin that the text or the options name; zero if none.
func (p *parser) stated() resolve.Name {
	if !p.scan.hasOrigin {
		return p.opt.Origin
	}
	if p.origin.IsZero() {
		p.origin = p.firstOrigin()
	}
	return p.origin
}

func (p *parser) firstOrigin() resolve.Name {
	s := p.scan.origin
	if s == "@" {
		return p.opt.Origin
	}
	if !dns.IsFqdn(s) && !p.opt.Origin.IsZero() && !p.opt.Origin.IsRoot() {
		s += "." + p.opt.Origin.FQDN()
	}
	n, err := resolve.NameFromMaster(s)
	if err != nil {
		return resolve.Name{} // the parser refuses it
	}
	return n
}

// libraryError is how the zone parser prints an error: reason, quoted token, line
// and column after the token.
var libraryError = regexp.MustCompile(`(?s)^dns: (.*): ("(?:[^"\\]|\\.)*") at line: (\d+):(\d+)$`)

// clearer replaces reasons that speak of the parser rather than of the text.
var clearer = map[string]string{
	"not a TTL": "neither a record type, a class nor a TTL",
	"expecting RR type, TTL or class, not this...": "neither a record type, a class nor a TTL",
	"expecting RR type or class, not this...":      "neither a record type nor a class",
	"expecting RR type or TTL, not this...":        "neither a record type nor a TTL",
	"expecting $TTL value, not this...":            "no value of $TTL",
	"expecting $ORIGIN value, not this...":         "no value of $ORIGIN",
}

func (p *parser) locate(err error) error {
	m := libraryError.FindStringSubmatch(err.Error())
	if m == nil {
		return &ParseError{File: p.opt.File, Line: p.scan.entryLine, Column: p.scan.entryCol, Reason: shorten(err.Error())}
	}
	token, _ := strconv.Unquote(m[2])
	line, _ := strconv.Atoi(m[3])
	col, _ := strconv.Atoi(m[4])
	reason := shorten(m[1])
	if c, ok := clearer[reason]; ok {
		reason = c
	}
	if token == "\n" || token == "" {
		token, reason = "", reason+": the line ends too early"
	}
	if p.scan.brace > 0 && p.scan.braceLine < line {
		reason += fmt.Sprintf(" (inside the parenthesis of line %d)", p.scan.braceLine)
	}
	// The library counts up to the end of the token.
	if text := nthLine(p.scan.text, line); token != "" {
		if at := strings.LastIndex(text[:min(col, len(text))], token); at >= 0 {
			col = at + 1
		}
	}
	return &ParseError{File: p.opt.File, Line: line, Column: max(col, 1), Token: shorten(token), Reason: reason}
}

func nthLine(text string, n int) string {
	for ; n > 1; n-- {
		_, text, _ = strings.Cut(text, "\n")
	}
	line, _, _ := strings.Cut(text, "\n")
	return line
}
