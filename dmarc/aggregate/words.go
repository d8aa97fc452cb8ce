package aggregate

import (
	"bytes"
	"strings"
)

// Word is a word of an enumeration: what it means and what was written. Value is
// empty when Raw is empty or has no meaning known to this package.
type Word[T ~string] struct {
	Value T
	Raw   string
}

// Of is the word v as RFC 9990 writes it.
func Of[T ~string](v T) Word[T] { return Word[T]{v, string(v)} }

// String is the value, or the text as written if it has none.
func (w Word[T]) String() string {
	if w.Value != "" {
		return string(w.Value)
	}
	return w.Raw
}

// Disposition is what a policy asks for and what was done.
type Disposition string

// Dispositions. Pass is new in RFC 9990 and no policy: no action, as the message
// passed DMARC under an enforcing policy.
const (
	None       Disposition = "none"
	DMARCPass  Disposition = "pass"
	Quarantine Disposition = "quarantine"
	Reject     Disposition = "reject"
)

// Result is a result of DKIM or SPF (RFC 8601, Sections 2.7.1 and 2.7.2).
type Result string

// Results. SoftFail is SPF's alone.
const (
	ResultNone Result = "none"
	Pass       Result = "pass"
	Fail       Result = "fail"
	SoftFail   Result = "softfail"
	PolicyFail Result = "policy"
	Neutral    Result = "neutral"
	TempError  Result = "temperror"
	PermError  Result = "permerror"
)

// Override is the type of a reason.
type Override string

// Overrides. RFC 9990 dropped Forwarded and SampledOut and added PolicyTestMode.
const (
	Forwarded        Override = "forwarded"
	SampledOut       Override = "sampled_out"
	TrustedForwarder Override = "trusted_forwarder"
	MailingList      Override = "mailing_list"
	LocalPolicy      Override = "local_policy"
	PolicyTestMode   Override = "policy_test_mode"
	Other            Override = "other"
)

// Mode is an alignment mode.
type Mode string

// Modes.
const (
	Relaxed Mode = "r"
	Strict  Mode = "s"
)

// Scope is the identity that SPF checked. RFC 9990 has MailFrom only.
type Scope string

// Scopes.
const (
	MailFrom Scope = "mfrom"
	HELO     Scope = "helo"
)

// Discovery is the way the policy was found.
type Discovery string

// Ways.
const (
	PSL      Discovery = "psl"
	TreeWalk Discovery = "treewalk"
)

// Testing is the value of the record's t tag.
type Testing string

// Values.
const (
	TestingNo  Testing = "n"
	TestingYes Testing = "y"
)

// vocabulary is one enumeration: its words, and words seen in reports that mean
// one of them.
type vocabulary[T ~string] struct {
	words   []T
	aliases map[string]T
}

var (
	policyWords = vocabulary[Disposition]{
		words: []Disposition{None, Quarantine, Reject},
	}
	dispositionWords = vocabulary[Disposition]{
		words: []Disposition{None, Quarantine, Reject, DMARCPass},
	}
	// alignedWords: what is not an aligned pass is a fail; reporters copy the
	// unaligned result here.
	alignedWords = vocabulary[Result]{
		words: []Result{Pass, Fail},
		aliases: map[string]Result{
			"none": Fail, "softfail": Fail, "hardfail": Fail, "neutral": Fail, "policy": Fail,
			"temperror": Fail, "permerror": Fail, "failed": Fail, "passed": Pass,
		},
	}
	dkimWords = vocabulary[Result]{
		words: []Result{Pass, Fail, ResultNone, PolicyFail, Neutral, TempError, PermError},
		aliases: map[string]Result{
			"hardfail": Fail, "softfail": Fail, "error": TempError, "not.evaluated": ResultNone,
			"temp_error": TempError, "perm_error": PermError,
		},
	}
	// spfWords: RFC 7489, Appendix C notes that temperror is commonly written
	// error, and permerror is written unknown.
	spfWords = vocabulary[Result]{
		words: []Result{Pass, Fail, ResultNone, SoftFail, PolicyFail, Neutral, TempError, PermError},
		aliases: map[string]Result{
			"hardfail": Fail, "error": TempError, "unknown": PermError, "soft_fail": SoftFail,
			"temp_error": TempError, "perm_error": PermError, "not.evaluated": ResultNone,
		},
	}
	overrideWords = vocabulary[Override]{
		words: []Override{LocalPolicy, Forwarded, MailingList, SampledOut, TrustedForwarder, PolicyTestMode, Other},
	}
	modeWords = vocabulary[Mode]{
		words:   []Mode{Relaxed, Strict},
		aliases: map[string]Mode{"relaxed": Relaxed, "strict": Strict},
	}
	scopeWords = vocabulary[Scope]{
		words:   []Scope{MailFrom, HELO},
		aliases: map[string]Scope{"mailfrom": MailFrom, "mail_from": MailFrom, "ehlo": HELO},
	}
	discoveryWords = vocabulary[Discovery]{
		words:   []Discovery{PSL, TreeWalk},
		aliases: map[string]Discovery{"tree_walk": TreeWalk, "tree-walk": TreeWalk},
	}
	testingWords = vocabulary[Testing]{
		words:   []Testing{TestingNo, TestingYes},
		aliases: map[string]Testing{"no": TestingNo, "yes": TestingYes},
	}
)

// word reads b, which is trimmed. A word in its own spelling costs nothing; any
// other is noted.
func word[T ~string](p *parser, f field, v *vocabulary[T], b []byte) Word[T] {
	for _, w := range v.words {
		if string(b) == string(w) {
			return Word[T]{w, string(w)}
		}
	}
	if len(b) == 0 {
		if f.def().required {
			p.absent(EmptyValue, f)
		}
		return Word[T]{}
	}
	raw := p.intern(b)
	lower := strings.ToLower(string(bytes.Trim(b, " \t\r\n\"'.,;")))
	lower = strings.ReplaceAll(lower, "-", "_")
	for _, w := range v.words {
		if lower == string(w) {
			p.note(WordForm, f.path(), b)
			return Word[T]{w, raw}
		}
	}
	for _, key := range []string{strings.ToLower(raw), lower} {
		if w, ok := v.aliases[key]; ok {
			p.note(WordAlias, f.path(), b)
			return Word[T]{w, raw}
		}
	}
	p.note(WordUnknown, f.path(), b)
	return Word[T]{"", raw}
}
