package dmarc

import "fmt"

// Consequence tells what receivers that follow RFC 9989 and those that still
// follow RFC 7489 make of one of the record's problems, in words.
func (r Record) Consequence(p Problem) (rfc9989, rfc7489 string) {
	both := func(s string) (string, string) { return s, s }
	policy := p.Tag == "p" || p.Tag == "sp" || p.Tag == "np"
	switch p.Kind {
	case VersionMissing, VersionInvalid, VersionCase, VersionNotFirst, LeadingText, Quoted:
		return both("receivers ignore the whole text, as if there were no record")
	case TooLong:
		return both("receivers may ignore the record, or the part past their limits")
	case PolicyMissing:
		return r.Effect().Why, "receivers do no DMARC, as p was required, or take p=none; Gmail refuses bulk mail of such a domain (550 5.7.40)"
	case PolicyInvalid:
		if p.Tag == "np" {
			return r.Effect().Why, "receivers do not know np, so it changes nothing"
		}
		return r.Effect().Why, r.EffectRFC7489().Why
	case PolicyNotSecond:
		return "receivers read it: tags may stand in any order behind v", "receivers may ignore the record, as p had to follow v"
	case OptionInvalid:
		return r.optionConsequence(p.Tag)
	case EmptyValue:
		if policy {
			return r.Effect().Why, r.EffectRFC7489().Why
		}
		return both("receivers drop the tag, so its default counts")
	case DuplicateTag:
		return both("receivers differ: some ignore the record, some read the first copy, some the last")
	case TagCase:
		return both("receivers differ: names of tags are case-sensitive, so most ignore the tag")
	case UnknownTag:
		return both("receivers ignore the tag")
	case RemovedTag:
		return r.removedConsequence(p.Tag)
	case Junk:
		return both("receivers skip the segment; strict ones ignore the record")
	case BadCharacter:
		return both("receivers drop the tag, or ignore the record")
	case URIInvalid:
		return both("receivers ignore the entry: no reports go there")
	case URIScheme:
		return both("receivers ignore the entry if they do not support the scheme: only mailto is sure")
	case URISize:
		return "receivers ignore the size limit", "receivers may withhold reports that are larger"
	}
	return both("receivers ignore it")
}

// optionConsequence is about an invalid value (RFC 9989, Section 4.8: the
// default counts).
func (r Record) optionConsequence(tag string) (rfc9989, rfc7489 string) {
	fallback := map[string]string{"adkim": "r", "aspf": "r", "fo": "0", "t": "n", "psd": "u"}[tag]
	now := fmt.Sprintf("receivers take the default, %s=%s", tag, fallback)
	switch tag {
	case "pct":
		return "receivers ignore pct: the policy is for all mail", "receivers take the default, pct=100"
	case "t", "psd":
		return now, fmt.Sprintf("receivers do not know %s", tag)
	}
	return now, now
}

func (r Record) removedConsequence(tag string) (rfc9989, rfc7489 string) {
	switch {
	case tag == "rf":
		return "receivers ignore the tag", "receivers may send failure reports in that format"
	case tag == "ri":
		return "receivers ignore the tag, and report at least once a day", "receivers may report at that interval"
	case r.Percent == 0:
		return "receivers ignore the tag: the policy is for all mail", "receivers apply one level less to all mail that fails"
	case r.Percent < 100:
		return "receivers ignore the tag: the policy is for all mail", fmt.Sprintf("receivers apply the policy to %d%% of the mail that fails, and one level less to the rest", r.Percent)
	}
	return "receivers ignore the tag", "receivers apply the policy to all mail, as without the tag"
}
