package trace

import (
	"strings"
)

// comment reads what systems put into comments: TLS, the envelope sender, a login.
// A comment behind "from" can hold the peer's words, in the place of its name:
// those are not looked at for TLS.
func (h *Hop) comment(clause, text string) {
	lower := strings.ToLower(text)
	if i := strings.Index(lower, "envelope-from"); i >= 0 && h.EnvelopeFrom == "" && !h.NullSender {
		h.envelope(text[i+len("envelope-from"):])
	} else if i := strings.Index(lower, "envelope-sender"); i >= 0 && h.EnvelopeFrom == "" && !h.NullSender {
		h.envelope(text[i+len("envelope-sender"):])
	}
	for _, p := range []string{"authenticated sender: ", "authenticated as ", "authenticated user ", "account "} {
		if i := strings.Index(lower, p); i >= 0 && h.User == "" {
			if words := strings.Fields(text[i+len(p):]); len(words) > 0 {
				h.User = strings.Trim(words[0], "<>,;")
			}
		}
	}
	if clause == "from" && strings.Contains(lower, "helo") {
		return
	}
	h.TLS.comment(text, lower)
}

func (h *Hop) envelope(rest string) {
	rest = strings.TrimLeft(rest, " =:")
	words := strings.Fields(rest)
	if len(words) == 0 {
		return
	}
	w := strings.Trim(words[0], ";,")
	if w == "<>" {
		h.NullSender = true
		return
	}
	h.EnvelopeFrom = strings.Trim(w, "<>")
}

// comment looks for the forms of TLS:
//
//	using TLSv1.3 with cipher X (256/256 bits) key-exchange …   Postfix, Stalwart, courier
//	version=TLS1_3 cipher=X bits=256/256 verify=NO              Gmail, sendmail, Haraka, Exchange with commas
//	TLS1.3                                                      Exim
//	TLSv1.3:X:256                                               others
func (t *TLS) comment(text, lower string) {
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t,;()", r) })
	for i, w := range words {
		lw := strings.ToLower(w)
		key, val, pair := strings.Cut(w, "=")
		switch key = strings.ToLower(key); {
		case pair && key == "version":
			if v := version(val); v != "" {
				t.seen(v, "comment")
			}
		case pair && key == "cipher" && strings.ToUpper(val) != "NONE" && val != "":
			if strings.Contains(lower, "version=") {
				t.Cipher = cipher(val)
			}
		case pair && key == "bits" && t.Bits == 0:
			t.Bits = bits(val)
		case pair && key == "verify" && strings.Contains(lower, "version="):
			t.verify(val)
		case lw == "using" && i+1 < len(words):
			if v := version(words[i+1]); v != "" {
				t.seen(v, "comment")
			}
		case lw == "cipher" && i+1 < len(words) && t.Used && t.Cipher == "":
			t.Cipher = cipher(words[i+1])
		case lw == "bits" && i > 0 && t.Used && t.Bits == 0:
			t.Bits = bits(words[i-1])
		case i == 0 && version(firstColon(w)) != "":
			// Exim, and forms with colons.
			t.seen(version(firstColon(w)), "comment")
			if parts := strings.Split(w, ":"); len(parts) >= 2 && t.Cipher == "" {
				t.Cipher = cipher(parts[1])
				if len(parts) > 2 && t.Bits == 0 {
					t.Bits = bits(parts[2])
				}
			}
		}
	}
	switch {
	case strings.Contains(lower, "verified ok"):
		t.Verified = "yes"
	case strings.Contains(lower, "not verified"), strings.Contains(lower, "no client certificate"), strings.Contains(lower, "did not present a certificate"):
		if t.Verified == "" {
			t.Verified = "no"
		}
	}
}

// word reads "tls NAME", where the name is of a cipher (exim 4.96, Haraka).
func (t *TLS) word(words []string) {
	if len(words) == 0 {
		return
	}
	t.Used = true
	if t.Evidence == "" {
		t.Evidence = "word"
	}
	if t.Cipher == "" {
		t.Cipher = cipher(words[0])
	}
}

func (t *TLS) seen(version, evidence string) {
	t.Used = true
	if t.Version == "" {
		t.Version, t.Evidence = version, evidence
	}
}

func (t *TLS) verify(v string) {
	switch strings.ToUpper(strings.Trim(v, ".)")) {
	case "OK", "YES", "TRUE":
		t.Verified = "yes"
	case "NO", "FAIL", "NOT", "FALSE", "NONE":
		t.Verified = "no"
	}
}

func firstColon(w string) string {
	before, _, _ := strings.Cut(w, ":")
	return before
}

// version reads TLSv1.3, TLS1_3, TLS1.3, TLSv1, SSLv3 and returns "1.3"; empty if it
// is none.
func version(w string) string {
	u := strings.ToUpper(strings.Trim(w, "()[]:,;"))
	if i := strings.IndexByte(u, ':'); i > 0 {
		u = u[:i]
	}
	if rest, ok := strings.CutPrefix(u, "SSL"); ok {
		rest = strings.TrimPrefix(rest, "V")
		if rest == "2" || rest == "3" {
			return "SSLv" + rest
		}
		return ""
	}
	rest, ok := strings.CutPrefix(u, "TLS")
	if !ok {
		return ""
	}
	rest = strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(rest, "V"), "_"), "_", ".")
	switch rest {
	case "1", "1.0":
		return "1.0"
	case "1.1", "1.2", "1.3":
		return rest
	}
	return ""
}

func cipher(s string) string {
	s = strings.Trim(s, "();,\"")
	if i := strings.IndexByte(s, ':'); i > 0 { // exim: TLS1.2:ECDHE_…:256 comes cut already
		s = s[:i]
	}
	if len(s) > 80 {
		s = s[:80]
	}
	return s
}

// bits reads "256/256", "(256", "256".
func bits(s string) int {
	s, _, _ = strings.Cut(strings.Trim(s, "();,"), "/")
	return number(s)
}

// protocol reads the word behind "with" (RFC 3848; RFC 6531, Section 4.3).
func protocol(with string) Protocol {
	words := strings.Fields(with)
	if len(words) == 0 {
		return Protocol{}
	}
	w := strings.ToUpper(strings.Trim(words[0], ",;"))
	p := Protocol{Name: w}
	// Microsoft SMTP Server, Microsoft SMTP Server (TLS) id …, mapi.
	if w == "MICROSOFT" && len(words) > 1 {
		p.Name, p.Remote = strings.ToUpper(words[1]), strings.EqualFold(words[1], "SMTP")
		return p
	}
	for _, base := range []string{"UTF8SMTP", "UTF8LMTP", "ESMTP", "LMTP", "SMTP"} {
		rest, ok := strings.CutPrefix(w, base)
		if !ok {
			continue
		}
		switch rest {
		case "", "S", "A", "SA":
			p.Name = base
			p.TLS, p.Auth = strings.Contains(rest, "S"), strings.Contains(rest, "A")
			p.UTF8 = strings.HasPrefix(base, "UTF8")
			p.Remote = true
			return p
		}
	}
	switch w {
	case "SMTPSVC", "SMTPS", "QMQP", "HTTP", "HTTPS", "HTTPREST", "HTTPU", "MAPI", "XMITS", "ASMTP", "ESMTPX":
		p.Remote = true
		p.TLS = w == "SMTPS" || w == "HTTPS"
		p.Auth = w == "ASMTP"
	}
	return p
}

// software names the system that wrote the field, by its form alone.
func (h *Hop) software(text string) {
	if h.Software != "" {
		return
	}
	lower := strings.ToLower(text)
	has := func(s string) bool { return strings.Contains(lower, s) }
	switch {
	case has("amavis"):
		h.Software = "amavis"
	case has("microsoft smtp server") || has("with mapi") || has(".prod.outlook.com") && has(" id ") || has("microsoft smtpsvc"):
		h.Software = "exchange"
	case has("(postfix") || has("(unauthenticated using"):
		h.Software = "postfix"
	case has("(exim") || has("helo=") && has("envelope-from"):
		h.Software = "exim"
	case strings.HasSuffix(h.By, ".google.com") || h.By == "mx.google.com" || strings.HasPrefix(h.By, "2002:a") || strings.HasSuffix(h.By, "gmr.google.com"):
		h.Software = "gmail"
	case has("(helo ") && has("with smtp"):
		h.Software = "qmail"
	case has("(dovecot"):
		h.Software = "dovecot"
	case has("opensmtpd"):
		h.Software = "opensmtpd"
	case has("sendmail") || has("(8.1"):
		h.Software = "sendmail"
	case has("haraka"):
		h.Software = "haraka"
	case has("stalwart"):
		h.Software = "stalwart"
	case has("cyrus"):
		h.Software = "cyrus"
	case has("oracle communications messaging"):
		h.Software = "oracle"
	}
}
