package content

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/mailcheck-go/mailcheck/message/facts"
	"golang.org/x/net/publicsuffix"
)

// shorteners are hosts that lead elsewhere. The list is of the usual ones; a host
// that is not here may be one too.
var shorteners = words("bit.ly tinyurl.com t.co goo.gl ow.ly is.gd v.gd buff.ly rebrand.ly cutt.ly tiny.cc lnkd.in rb.gy shorturl.at s.id t.ly bl.ink " +
	"tr.im adf.ly j.mp qr.ae soo.gd clck.ru short.io surl.li urlz.fr u.to x.co fb.me amzn.to youtu.be wp.me dlvr.it ift.tt trib.al shorte.st")

// link adds a link with its problems.
func (c *Content) link(l Link) {
	if len(c.Links) >= MaxLinks {
		c.Cut = true
		return
	}
	l.URL = strings.TrimSpace(l.URL)
	note := func(is bool, word string) {
		if is {
			l.Problems = append(l.Problems, word)
		}
	}
	compact := strings.NewReplacer("\n", "", "\r", "", "\t", "").Replace(l.URL)
	note(compact == "" || compact == "#", Empty)
	note(facts.IsPlaceholder(l.URL), Placeholder)
	u, err := url.Parse(compact)
	if err != nil {
		note(true, Unparsed)
		if i := strings.IndexByte(compact, ':'); i > 0 && i < 20 {
			l.Scheme = strings.ToLower(compact[:i])
		}
	} else {
		l.Scheme, l.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Hostname())
		note(u.User != nil && l.Scheme != "mailto", UserInfo)
		note(u.Port() != "" && u.Port() != "80" && u.Port() != "443", OddPort)
	}
	switch l.Scheme {
	case "javascript", "vbscript", "data", "file":
		note(true, Dangerous)
	case "http":
		note(true, PlainHTTP)
	}
	note(addressHost(l.Host), IPHost)
	note(odd(l.Host), Punycode)
	note(shorteners[strings.TrimPrefix(l.Host, "www.")], Shortener)
	note(l.HTML && mismatch(l), Mismatch)
	l.Text, l.URL = shorten(l.Text, maxShown), shorten(l.URL, 2048)
	c.Links = append(c.Links, l)
}

// addressHost reports whether a host is an address in one of the forms that
// programs take for one: 192.0.2.1, 3221225985, 0xc0.1, ::ffff:192.0.2.1.
func addressHost(host string) bool {
	if host == "" {
		return false
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	for _, label := range strings.Split(strings.TrimSuffix(host, "."), ".") {
		if _, err := strconv.ParseUint(label, 0, 64); err != nil {
			if _, err := strconv.ParseUint(label, 10, 64); err != nil { // 08 is no octal number
				return false
			}
		}
	}
	return true
}

func odd(host string) bool {
	for _, label := range strings.Split(host, ".") {
		if strings.HasPrefix(label, "xn--") {
			return true
		}
	}
	return strings.IndexFunc(host, func(r rune) bool { return r >= 0x80 }) >= 0
}

// mismatch reports whether the text of a link is a URL or a host, and of another
// organisation than the target.
func mismatch(l Link) bool {
	if l.Host == "" {
		return false
	}
	text := strings.TrimSpace(l.Text)
	if text == "" || strings.ContainsAny(text, " \t\n@") || !strings.Contains(text, ".") {
		return false
	}
	shown := strings.ToLower(text)
	if !strings.Contains(shown, "://") {
		shown = "//" + shown
	}
	u, err := url.Parse(shown)
	if err != nil || u.Hostname() == "" {
		return false
	}
	suffix, managed := publicsuffix.PublicSuffix(u.Hostname())
	if !managed && !strings.Contains(shown, "://") || suffix == u.Hostname() {
		return false // a word with a dot, not a host
	}
	return organisation(u.Hostname()) != organisation(l.Host)
}

func organisation(host string) string {
	org, err := publicsuffix.EffectiveTLDPlusOne(strings.TrimSuffix(host, "."))
	if err != nil {
		return host
	}
	return org
}

// plainURLs finds the URLs of a text.
func plainURLs(s string) []string {
	var out []string
	for len(out) < MaxLinks {
		i := strings.Index(s, "://")
		if i < 0 {
			break
		}
		start := i
		for start > 0 && (s[start-1] >= 'a' && s[start-1] <= 'z' || s[start-1] >= 'A' && s[start-1] <= 'Z') {
			start--
		}
		end := i + 3
		for end < len(s) && !strings.ContainsRune(" \t\r\n<>\"'`|\\^", rune(s[end])) {
			end++
		}
		u := strings.TrimRight(s[start:end], ".,;:!?)]}")
		switch strings.ToLower(s[start:i]) {
		case "http", "https", "ftp":
			if len(u) > i-start+3 {
				out = append(out, u)
			}
		}
		s = s[end:]
	}
	return out
}

// unsubscribes reports whether a link says that it ends mail.
func unsubscribes(l Link) bool {
	s := strings.ToLower(l.Text + " " + l.URL)
	for _, w := range []string{"unsubscribe", "opt-out", "optout", "opt out", "abmelden", "abbestellen", "désabonn", "desabonn", "se désinscrire", "darse de baja", "cancelar suscri", "disiscri", "afmelden", "配信停止", "отписаться", "email preferences", "manage preferences"} {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}
