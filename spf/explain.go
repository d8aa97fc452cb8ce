package spf

import "github.com/mailcheck-go/mailcheck/resolve"

// maxExplanation bounds what a domain may say to its rejected senders: it ends
// up in an SMTP reply of 512 octets a line (RFC 5321, Section 4.5.3.1.5).
const maxExplanation = 2048

// explain fetches the explanation of a fail (RFC 7208, Section 6.2). Whatever
// goes wrong leaves it empty; nothing here counts against a limit.
func (e *evaluator) explain(c *compiled, d domainName) {
	ptr := ""
	t, x, err := c.target(c.exp, &e.vars, d, ptr)
	if x == expNeedsPTR {
		ptr = e.pointerName(d.name)
		t, x, err = c.target(c.exp, &e.vars, d, ptr)
	}
	if err != nil || x != expanded {
		return
	}
	rs, err := e.ask(t.name, resolve.TypeTXT)
	if err != nil {
		return
	}
	txts := resolve.Answer{Records: rs}.TXT()
	if len(txts) != 1 {
		return
	}
	text := txts[0].Joined()
	if _, _, f := scanMacros(text, true); f != ok {
		return
	}
	out, x := e.expand(nil, text, d.text, ptr, &e.opt)
	if x == expNeedsPTR {
		out, x = e.expand(nil, text, d.text, e.pointerName(d.name), &e.opt)
	}
	if x != expanded || len(out) > maxExplanation {
		return
	}
	for _, b := range out {
		// The sender's local part comes in by macros: still nothing but printable ASCII.
		if b < ' ' || b > '~' {
			return
		}
	}
	e.res.Explanation = string(out)
}
