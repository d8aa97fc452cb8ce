package spf

import "strings"

// glued is several terms without the space between them.
func glued(q, body string) string {
	if rest, found := cutVersion(body); found {
		return split(rest)
	}
	if s := split(q + body); s != "" {
		return s
	}
	if _, rest := splitAll(body); rest != "" {
		if rest, found := cutVersion(rest); found {
			return split(rest)
		}
	}
	return ""
}

// strayText is text of another record glued to all.
func strayText(q, body string) string {
	if all, rest := splitAll(body); rest != "" {
		return q + all
	}
	return ""
}

func cutVersion(s string) (string, bool) {
	if len(s) > len(version) && fold(s[:len(version)], version) {
		return s[len(version):], true
	}
	return s, false
}

// split cuts a text into directives, each as long as possible; empty if it
// cannot be cut.
func split(s string) string {
	dead := make(map[int]bool) // lengths of ends that cannot be cut
	tries := 0
	var cut func(s string, pieces int) string
	cut = func(s string, pieces int) string {
		if directive(s) {
			return s
		}
		if pieces == 1 || dead[len(s)] {
			return ""
		}
		for k := len(s) - 1; k > 0; k-- {
			if tries++; tries > maxCuts {
				return ""
			}
			if !begins(s[k:]) || !directive(s[:k]) {
				continue
			}
			if rest := cut(s[k:], pieces-1); rest != "" {
				return s[:k] + " " + rest
			}
		}
		dead[len(s)] = true
		return ""
	}
	return cut(s, maxPieces)
}

// begins reports whether a directive may begin here.
func begins(s string) bool {
	q, body := cutQualifier(s)
	low := lower(body[:min(len(body), 9)])
	for _, word := range []string{"ip4:", "ip6:", "include:", "a:", "mx", "exists:", "ptr", "redirect=", "exp=", "all"} {
		if strings.HasPrefix(low, word) {
			return true
		}
	}
	rest, found := strings.CutPrefix(low, "a")
	if !found {
		return false
	}
	for _, word := range []string{"ip4:", "ip6:", "include:", "mx", "ptr", "+", "-", "~", "?"} {
		if strings.HasPrefix(rest, word) {
			return true
		}
	}
	return rest == "" && q != ""
}
