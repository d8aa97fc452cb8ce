//go:build story

package story

import (
	"fmt"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
)

// sending is one mail of a stream.
type sending struct {
	stream   string
	from     *host
	server   string
	mailFrom string
	author   string
	to       string
	receiver string
	signed   bool // by the newsletter's own machine
}

// streams sends a mail of each stream to each receiver, for real, and asks the
// receivers what they made of it.
func (a *act3) streams() []seen {
	m, w := a.w.mail, a.w
	w.t.Helper()
	a.round++
	a.refusals = nil
	local := "127.0.0.1:25"
	var list []sending
	for _, r := range []struct{ name, to, ip, alumni string }{
		{"big.example", "seed@big.example", bigIP, "alumni@forward.example"},
		{"second.example", "seed@second.example", secondIP, "alumni2@forward.example"},
	} {
		mx := r.ip + ":25"
		list = append(list,
			sending{"own6", m.admin, local, "anna@story.example", "anna@story.example", r.to, r.name, false},
			sending{"own4", m.admin, local, "anna@story.example", "anna@story.example", r.to, r.name, false},
			sending{"newsletter", m.news, mx, "bounce@news.example", "news@story.example", r.to, r.name, a.round > 1},
			sending{"forwarder", m.admin, local, "anna@story.example", "anna@story.example", r.alumni, r.name, false},
			sending{"spoofer", m.spoofer, mx, "boss@story.example", "boss@story.example", r.to, r.name, false},
			sending{"neighbour", m.neighbour, mx, "boss@story.example", "boss@story.example", r.to, r.name, false})
	}
	ids := make([]string, len(list))
	var out []seen
	family := ""
	for pass, want := range []string{"ipv6", "ipv4"} {
		for i, s := range list {
			if (s.stream == "own4") != (pass == 1) {
				continue
			}
			if s.from == m.admin && family != want {
				m.admin.must("sh", "-ec", "postconf -e smtp_address_preference="+want+"; postfix reload")
				family = want
			}
			if v, ok := a.deliver(s, i, ids); ok {
				out = append(out, v)
			}
		}
		// Postfix decides on the family when it sends.
		for i, s := range list {
			if ids[i] != "" && (s.stream == "own4") == (pass == 1) {
				out = append(out, a.verdict(s, ids[i]))
			}
		}
	}
	m.admin.must("sh", "-ec", "postconf -e smtp_address_preference=ipv6; postfix reload")
	return append(out, a.forwarderSaw(out)...)
}

// deliver sends; the result is a verdict only if the mail was refused.
func (a *act3) deliver(s sending, i int, ids []string) (seen, bool) {
	w := a.w
	id := fmt.Sprintf("act3.%d.%d.%s@%s", a.round, i, s.stream, s.author[strings.Index(s.author, "@")+1:])
	data := fmt.Sprintf("From: %s\nTo: %s\nSubject: %s\nDate: %s\nMessage-ID: <%s>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\nHello, this is %s.\n",
		s.author, s.to, s.stream, time.Now().UTC().Format(time.RFC1123Z), id, s.stream)
	if s.signed {
		data = a.sign(data)
	}
	helo := s.from.name
	if s.from == w.mail.admin {
		helo = "localhost"
	}
	code, text := s.from.send(letter{server: s.server, helo: helo, mailFrom: s.mailFrom, to: []string{s.to}, data: data})
	switch {
	case code == 250:
		ids[i] = id
		return seen{}, false
	case s.stream != "spoofer" && s.stream != "neighbour":
		w.t.Fatalf("%s: mail to %s is refused: %d %s", s.stream, s.receiver, code, text)
	case s.receiver == "big.example":
		v := w.mail.bySymbols(s.stream, id)
		v.refused = true
		a.refusals = append(a.refusals, text)
		return v, true
	}
	return seen{}, false // Exim refuses before it looks at the mail, and has nothing to report
}

func (a *act3) verdict(s sending, id string) seen {
	if s.receiver == "big.example" {
		a.w.mail.big.delivered("seed", id)
		return a.w.mail.bySymbols(s.stream, id)
	}
	return a.w.mail.byHeader(s.stream, id)
}

// forwarderSaw is what the forwarder's own users get from the admin's server. It has
// no filter that reports, so libspf2 is asked, and the signature is the one that Exim has seen.
func (a *act3) forwarderSaw(mails []seen) []seen {
	for _, m := range mails {
		if m.stream != "own4" || m.receiver != "second.example" {
			continue
		}
		out, _, _ := a.w.mail.forward.try(nil, "spfquery", "-ip="+adminIP, "-sender=anna@story.example", "-helo=mail.story.example")
		m.receiver, m.spf = "forward.example", aggregate.Result(strings.Fields(out + " none")[0])
		if m.spf != aggregate.Pass {
			a.w.t.Errorf("spfquery on %s: %s", m.ip, out)
		}
		m.pass = m.spfAligned() || m.dkimAligned()
		return []seen{m}
	}
	return nil
}

// expect compares the receivers' verdicts with what has to be.
func (a *act3) expect(mails []seen, pass map[string]bool) {
	w := a.w
	w.t.Helper()
	at := map[string]int{}
	for _, m := range mails {
		w.note("%s at %s: from %s, MAIL FROM %s: spf=%s dkim=%v refused=%t DMARC pass=%t", m.stream, m.receiver, m.ip, m.envelope, m.spf, m.dkim, m.refused, m.pass)
		if m.pass != pass[m.stream] {
			w.t.Errorf("%s at %s: pass=%t, want %t: %+v", m.stream, m.receiver, m.pass, pass[m.stream], m)
		}
		at[m.stream+" "+m.receiver]++
	}
	for _, s := range []string{"own6", "own4", "newsletter", "forwarder"} {
		for _, r := range []string{"big.example", "second.example"} {
			if at[s+" "+r] != 1 {
				w.t.Errorf("%s at %s: %d verdicts", s, r, at[s+" "+r])
			}
		}
	}
	if w.t.Failed() {
		w.t.FailNow()
	}
}

// sign signs on the newsletter's machine, with dkimpy.
func (a *act3) sign(data string) string {
	h := a.w.mail.news
	cmd := h.command("dkimsign", newsSelector, "story.example", newsKeyFile)
	cmd.Stdin = strings.NewReader(data)
	out, err := cmd.Output()
	if err != nil {
		a.w.t.Fatalf("dkimsign: %v %s", err, stderrOf(err))
	}
	return strings.ReplaceAll(string(out), "\r\n", "\n")
}
