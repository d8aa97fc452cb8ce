package dmarc

import "fmt"

// Effect is what receivers of one generation do with a record as it stands.
type Effect struct {
	// Applies is false when the receiver does no DMARC for mail that this record
	// governs.
	Applies bool

	// Off is set when the receiver acts as if the record said p=none and no more,
	// because p is missing or p, sp or np is not valid.
	Off bool

	// What is asked for: for the domain itself, for its subdomains that exist and
	// for those that do not; defaults, Off, t=y and pct=0 are taken into account.
	// Empty unless Applies.
	P, SP, NP Policy

	Testing bool // t=y lowered the policies by one level
	Percent int  // share of the failing mail that gets it, the rest one level less; 100 but for the pct of RFC 7489

	// Disputed is set when receivers of the generation are known to differ.
	Disputed bool

	Why string // in words
}

// Enforces reports whether neither the domain nor any of its subdomains is left
// at none (RFC 9989, Section 3.2.9).
func (e Effect) Enforces() bool {
	return e.P.Strength() > 0 && e.SP.Strength() > 0 && e.NP.Strength() > 0
}

// Effect is what a receiver that follows RFC 9989 does with the record.
func (r Record) Effect() Effect {
	e := r.judge([]string{"p", "sp", "np"})
	if e.Off || !e.Applies {
		return e
	}
	if r.Testing {
		// RFC 9989, Section 4.7: t=y asks for one level less, for p, sp and np alike.
		e.Testing = true
		e.P, e.SP, e.NP = e.P.lower(), e.SP.lower(), e.NP.lower()
		e.Why = fmt.Sprintf("t=y asks for one level less: the domain gets %s", e.P)
	}
	return e
}

// EffectRFC7489 is what a receiver that follows RFC 7489 does with the record:
// it knows pct, but neither np nor t.
func (r Record) EffectRFC7489() Effect {
	e := r.judge([]string{"p", "sp"})
	if r.Has(PolicyMissing, PolicyNotSecond) {
		// RFC 7489, Section 6.4: p has to follow v.
		e.Disputed = true
	}
	if e.Off || !e.Applies {
		return e
	}
	e.NP = e.SP
	e.Percent = r.Percent
	switch {
	case e.Percent == 0:
		// RFC 7489, Section 6.6.4: mail left out gets one level less, here all of it.
		e.P, e.SP, e.NP, e.Percent = e.P.lower(), e.SP.lower(), e.NP.lower(), 100
		e.Why = fmt.Sprintf("pct=0: one level less for all mail, so the domain gets %s", e.P)
	case e.Percent < 100:
		e.Why = fmt.Sprintf("pct=%d: that share of the mail that fails gets the policy, the rest one level less", e.Percent)
	}
	return e
}

// judge applies RFC 9989, Section 4.10.1, and RFC 7489, Section 6.6.3, which has
// the same rule without np.
func (r Record) judge(tags []string) Effect {
	e := Effect{Percent: 100, Disputed: r.Has(DuplicateTag, TagCase)}
	if !isRecord(r.text) || r.Has(TooLong) && len(r.Tags) == 0 {
		e.Why = "the text is not a DMARC record, so it is ignored"
		return e
	}
	e.Applies = true
	_, hasP := r.Tag("p")
	switch bad := r.invalidPolicy(tags); {
	case bad != "" && !anyValid(r.RUA):
		e.Applies = false
		e.Why = fmt.Sprintf("%s is not valid and there is no usable rua, so no DMARC is done", bad)
	case bad != "":
		e.Off, e.P, e.SP, e.NP = true, None, None, None
		e.Why = fmt.Sprintf("%s is not valid, so the record acts as p=none for all mail", bad)
	case !hasP:
		// RFC 9989, Section 4.7: without p, p=none counts. Section 4.10.1 reads as
		// if rua were needed for that, so receivers may differ without it.
		e.Off, e.P, e.SP, e.NP = true, None, None, None
		e.Why = "p is missing, so the record acts as p=none"
		if !anyValid(r.RUA) {
			e.Disputed = true
			e.Why += ", or is skipped as there is no usable rua"
		}
	default:
		e.P, e.SP, e.NP = r.P, or(r.SP, r.P), or(r.NP, or(r.SP, r.P))
		e.Why = fmt.Sprintf("the policy applies: %s for the domain", e.P)
	}
	return e
}

// invalidPolicy names the first of the tags that is there with a value that is
// no policy.
func (r Record) invalidPolicy(tags []string) string {
	for _, name := range tags {
		value := map[string]Policy{"p": r.P, "sp": r.SP, "np": r.NP}[name]
		if _, found := r.Tag(name); found && value == "" {
			return name
		}
	}
	return ""
}

func or(p, q Policy) Policy {
	if p != "" {
		return p
	}
	return q
}
