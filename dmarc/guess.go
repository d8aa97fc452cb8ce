package dmarc

import (
	"slices"
	"strings"
)

// Tags of RFC 9989, Section 4.7, and the ones it removed.
var knownTags = []string{"v", "p", "sp", "np", "adkim", "aspf", "fo", "rua", "ruf", "t", "psd", "pct", "rf", "ri"}

func isKnown(name string) bool { return slices.Contains(knownTags, name) }

// words are what people write in place of a value.
var words = map[string]string{
	"strict": "s", "relaxed": "r", "strikt": "s", "relax": "r",
	"yes": "y", "no": "n", "true": "y", "false": "n", "on": "y", "off": "n", "1": "y", "0": "n",
	"unknown": "u", "undefined": "u",
	"monitor": "none", "monitoring": "none", "nothing": "none", "allow": "none",
	"spam": "quarantine", "junk": "quarantine", "quarantined": "quarantine",
	"block": "reject", "deny": "reject", "fail": "reject", "rejected": "reject", "drop": "reject", "discard": "reject",
}

// guessPolicy finds the policy that was meant, and puts in the semicolon behind
// it that was lost before another tag.
func guessPolicy(value string) string {
	word := strings.Trim(value, "\"'` \t.,:\u00a0")
	rest := ""
	if at := strings.IndexAny(word, " ,\t"); at > 0 {
		word, rest = word[:at], strings.Trim(word[at:], " ,\t")
	}
	if !strings.Contains(rest, "=") {
		rest = ""
	}
	word = strings.ToLower(word)
	policy := words[word]
	switch {
	case Policy(word) == None || Policy(word).Strength() > 0:
		policy = word
	case word == "no" || word == "n":
		policy = string(None)
	case Policy(policy) != None && Policy(policy).Strength() == 0:
		policy = nearest(word, string(None), string(Quarantine), string(Reject))
	}
	if policy != "" && rest != "" {
		policy += "; " + rest
	}
	return policy
}

// guessTag finds the tag that was meant, as a name or as a whole segment.
func guessTag(t Tag) string {
	low := strings.ToLower(t.Name)
	if rest, found := strings.CutPrefix(low, "mailto:"); found && (rest == "rua" || rest == "ruf") {
		return rest + "=mailto:" + t.Value
	}
	letters := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' {
			return c
		}
		return -1
	}, low)
	if letters != low && isKnown(letters) {
		return letters
	}
	switch low {
	case "dkim", "dkimalign":
		return "adkim"
	case "spf", "spfalign":
		return "aspf"
	case "policy":
		return "p"
	}
	if len(low) < 3 {
		return ""
	}
	return nearest(low, knownTags...)
}

// guessJunk finds what the segment i, which has no "=", was meant to be.
func (r *Record) guessJunk(i int) string {
	body := r.Tags[i].Value
	if i > 0 && (r.Tags[i-1].Name == "rua" || r.Tags[i-1].Name == "ruf") && strings.Contains(body, "@") && !strings.ContainsAny(body, " \t") {
		// A semicolon in place of a comma in a list of URIs.
		prev := r.Tags[i-1]
		if !strings.HasPrefix(strings.ToLower(body), mailto) {
			body = mailto + body
		}
		return prev.Name + "=" + prev.Value + "," + body
	}
	at := strings.IndexAny(body, ": \t")
	if at <= 0 {
		return ""
	}
	name, value := strings.ToLower(body[:at]), strings.Trim(body[at+1:], ": \t")
	if !isKnown(name) || value == "" {
		return ""
	}
	return name + "=" + value
}

// nearest is the option that s probably misspells.
func nearest(s string, options ...string) string {
	if len(s) < 2 || len(s) > maxGuess {
		return ""
	}
	best, at := "", 3
	for _, o := range options {
		d := distance(s, o)
		if d < at && d < len(o)-1 && d*2 <= len(s) {
			best, at = o, d
		}
	}
	return best
}

// distance counts the octets to insert, delete, replace or swap with their
// neighbour between a and b, both short.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
