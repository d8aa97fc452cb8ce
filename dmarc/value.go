package dmarc

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// readValue takes the meaning of a known tag.
func (r *Record) readValue(t Tag) {
	value := strings.ToLower(t.Value) // RFC 5234, Section 2.3: literals are case-insensitive
	switch t.Name {
	case "p":
		r.P = r.policy(t, value)
	case "sp":
		r.SP = r.policy(t, value)
	case "np":
		r.NP = r.policy(t, value)
	case "adkim":
		r.StrictDKIM = r.option(t, value, "r", "s") == "s"
	case "aspf":
		r.StrictSPF = r.option(t, value, "r", "s") == "s"
	case "t":
		r.Testing = r.option(t, value, "n", "y") == "y"
	case "psd":
		r.PSD = r.option(t, value, "u", "y", "n")
	case "fo":
		r.failureOptions(t, value)
	case "rua":
		r.RUA = r.uris(t)
	case "ruf":
		r.RUF = r.uris(t)
	case "pct", "rf", "ri":
		r.removed(t)
	}
}

func (r *Record) policy(t Tag, value string) Policy {
	switch p := Policy(value); p {
	case None, Quarantine, Reject:
		return p
	}
	if value != "" {
		r.problem(PolicyInvalid, t.Name, t.valueOffset(), fmt.Sprintf("%s is no policy for %s: one of none, quarantine, reject is needed, or the whole policy is off", clip(t.Value), t.Name), guessPolicy(t.Value))
	}
	return ""
}

// option reads a value out of a few; the first is the default, which replaces a
// value that is not valid (RFC 9989, Section 4.8).
func (r *Record) option(t Tag, value string, valid ...string) string {
	if slices.Contains(valid, value) {
		return value
	}
	if value != "" {
		suggestion := ""
		if words[value] != "" && slices.Contains(valid, words[value]) {
			suggestion = words[value]
		}
		r.problem(OptionInvalid, t.Name, t.valueOffset(), fmt.Sprintf("%s is no value for %s: one of %s is needed, so %s counts", clip(t.Value), t.Name, strings.Join(valid, ", "), valid[0]), suggestion)
	}
	return valid[0]
}

// failureOptions reads fo.
func (r *Record) failureOptions(t Tag, value string) {
	if value == "" {
		return
	}
	if validFO(value) {
		r.FO = value
		return
	}
	loose := strings.FieldsFunc(value, func(c rune) bool { return strings.ContainsRune(" \t:,/", c) })
	if slices.Contains(loose, "0") && slices.Contains(loose, "1") {
		loose = slices.DeleteFunc(loose, func(s string) bool { return s == "0" })
	}
	slices.Sort(loose)
	suggestion := strings.Join(slices.Compact(loose), ":")
	if !validFO(suggestion) {
		suggestion = ""
	}
	r.problem(OptionInvalid, "fo", t.valueOffset(), fmt.Sprintf("%s is no value for fo: one of 0 and 1, with d and s behind colons, so 0 counts", clip(t.Value)), suggestion)
}

// validFO follows dmarc-fo (RFC 9989, Section 4.8): 0 or 1 but not both, d and s
// at most once each, colons without white space.
func validFO(value string) bool {
	count := map[string]int{}
	for o := range strings.SplitSeq(value, ":") {
		switch o {
		case "0", "1":
			count["level"]++
		case "d", "s":
			count[o]++
		default:
			return false
		}
	}
	return count["level"] <= 1 && count["d"] <= 1 && count["s"] <= 1
}

// removed reads the tags that RFC 9989, Section 9.3 made historic.
func (r *Record) removed(t Tag) {
	what := map[string]string{
		"rf": "it named the format of failure reports",
		"ri": "it asked for a report interval, now at least one report a day is normal",
	}[t.Name]
	if t.Name == "pct" {
		n, err := strconv.ParseUint(t.Value, 10, 16)
		switch {
		case t.Value == "":
		case err != nil || n > 100 || len(t.Value) > 3:
			r.problem(OptionInvalid, t.Name, t.valueOffset(), fmt.Sprintf("%s is no value for pct: it was a number from 0 to 100", clip(t.Value)), "")
		default:
			r.Percent = int(n)
		}
		what = "receivers of today apply the policy to all mail, older ones to that share"
	}
	r.problem(RemovedTag, t.Name, t.Offset, fmt.Sprintf("tag %s was removed by RFC 9989: %s", t.Name, what), "")
}
