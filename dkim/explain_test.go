package dkim

import (
	"strings"
	"testing"
	"time"
)

// long is a body of many lines, as real ones are.
var long = mail[:strings.Index(mail, "\r\n\r\n")+4] + strings.Repeat("A line of text that is about as long as lines are.\r\n", 200) + "The end.\r\n"

// TestExplainBody changes bodies in the ways of real transports.
func TestExplainBody(t *testing.T) {
	z := testZone(t)
	const simple = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=example.org; s=rsa; h=from:subject; bh=@; b="
	head, body, _ := strings.Cut(mail, "\r\n\r\n")
	from := func(b string) string { return head + "\r\n\r\n" + b }
	for _, c := range []struct {
		name, sig string
		signed    string // the message that was signed
		sent      string // the message that came, if another
		kind      ChangeKind
		text      string
	}{
		{"footer", rsaSig, mail, mail + "--\r\nYou get this mail because of the list.\r\n", ChangeAppended, `3 lines after line 5 were added after signing, beginning with "--"`},
		{"footer on a long one", rsaSig, long, long + "footer", ChangeAppended, `1 line after line 201 was added after signing, beginning with "footer"`},
		{"banner", rsaSig, mail, from("CAUTION: external sender\r\n\r\n" + body), ChangePrepended, `2 lines at the beginning were added after signing: "CAUTION: external sender"`},
		{"in the middle", rsaSig, mail, strings.Replace(mail, "here", "inserted\r\nhere", 1), ChangeInserted, `1 line after line 2 was added after signing: "inserted"`},
		{"white space", simple, mail, strings.Replace(mail, "are  they", "are they", 1), "", ""},
		{"signed relaxed", strings.Replace(simple, "relaxed/simple", "relaxed/relaxed", 1), mail, "", "", ""},
		{"empty", edit(simple, "bh=@", "bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="), mail, "", ChangeNoBody, "the signer saw no body"},
		{"empty, relaxed", edit(rsaSig, "bh=@", "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), mail, "", ChangeNoBody, "the signer saw no body"},
		{"dots", rsaSig, mail, strings.Replace(mail, "\r\n.\r\n", "\r\n..\r\n", 1), ChangeDots, "doubled"},
		{"dots gone", rsaSig, strings.Replace(mail, "\r\n.\r\n", "\r\n..\r\n", 1), mail, ChangeDots, "taken away"},
		{"From", rsaSig, mail, strings.Replace(mail, "\r\nFrom me", "\r\n>From me", 1), ChangeFromQuoted, `changed to ">From "`},
		{"length ignored", edit(rsaSig, "v=1;", "v=1; l=7;", "bh=@", "bh="+bodyHash(rsaSig, mail)), mail, "", ChangeLength, "in spite of l="},
		{"CR added", simple, from("one\r\ntwo\r\n"), from("one\r\r\ntwo\r\r\n"), ChangeLineEnds, "a CR was added to each line end"},
		{"unexplained", rsaSig, mail, strings.Replace(mail, "Hello", "Hullo", 1), "", "the body was altered after signing; the signed header fields are intact and the key fits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			msg := craft(t, c.sig, c.signed, rsaKeys(2048))
			if c.sent != "" {
				msg = strings.TrimSuffix(msg, c.signed) + c.sent
			}
			s := check(t, msg, z, VerifyOptions{Explain: true}).Signatures[0]
			switch {
			case c.name == "signed relaxed":
				if s.Status != Pass {
					t.Errorf("%+v", s)
				}
			case s.Status != Fail || s.Reason != ReasonBodyAltered || !strings.Contains(s.Explanation, c.text):
				t.Errorf("%s %s %s", s.Status, s.Reason, s.Explanation)
			case c.kind == "" && s.Change != nil || c.kind != "" && (s.Change == nil || s.Change.Kind != c.kind || s.Change.Field != ""):
				t.Errorf("%+v", s.Change)
			}
			plain := check(t, msg, z, VerifyOptions{}).Signatures[0]
			if plain.Status != s.Status || plain.Reason != s.Reason || plain.Change != nil {
				t.Errorf("without explaining: %s %s", plain.Status, plain.Reason)
			}
		})
	}
}

// TestExplainHashing has signers that hash bodies in wrong ways.
func TestExplainHashing(t *testing.T) {
	z := testZone(t)
	for _, c := range []struct {
		name, hashed string // the text that the signer hashed
		kind         ChangeKind
		text         string
	}{
		{"LF", "one\n\ntwo  x\n", ChangeLineEnds, "LF alone"},
		{"no final newline", "one\r\n\r\ntwo  x", ChangeFinalNewline, "left out"},
		{"blank lines kept", "one\r\n\r\ntwo  x\r\n\r\n\r\n", ChangeFinalNewline, "2 more line ends"},
		{"relaxed in spite of c=", "one\r\n\r\ntwo x\r\n", ChangeCanonicalization, "relaxed form of the body, c= says simple"},
	} {
		msg := mail[:strings.Index(mail, "\r\n\r\n")] + "\r\n\r\none\r\n\r\ntwo  x\r\n\r\n\r\n"
		field := "DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=example.org; s=rsa; h=from; bh=" + hash64(c.hashed) + "; b="
		s := check(t, craft(t, field, msg, rsaKeys(2048)), z, VerifyOptions{Explain: true}).Signatures[0]
		if s.Reason != ReasonBodyAltered || s.Change == nil || s.Change.Kind != c.kind || !strings.Contains(s.Explanation, c.text) {
			t.Errorf("%s: %s, %+v", c.name, s.Explanation, s.Change)
		}
	}
}

// TestExplainHeader changes one field each.
func TestExplainHeader(t *testing.T) {
	z := testZone(t)
	const simple = "DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=example.org; s=rsa; h=from:to:subject:date; bh=@; b="
	for _, c := range []struct {
		name, sig   string
		before, now []string // changes of mail before and after it was signed
		kind        ChangeKind
		field, text string
	}{
		{"list tag", rsaSig, nil, []string{"Subject: ", "Subject: [list] "}, ChangePrefix, "Subject", `"[list] " was put before the value`},
		{"spam tag", rsaSig, nil, []string{"Subject: ", "Subject: ***SPAM*** "}, ChangePrefix, "Subject", `"***SPAM*** " was put before the value`},
		{"tag without space", rsaSig, nil, []string{"Subject: ", "Subject: [EXTERNAL]"}, ChangePrefix, "Subject", `"[EXTERNAL]" was put before`},
		{"tag after Re", rsaSig, []string{"Subject: ", "Subject: Re: "}, []string{"Subject: Re: ", "Subject: Re: [list] "}, ChangePrefix, "Subject", `"[list]" was put into the value`},
		{"word after", rsaSig, nil, []string{"figures\r\n", "figures (fwd)\r\n"}, ChangeSuffix, "Subject", `" (fwd)" was put after`},
		{"ed25519", edSig, nil, []string{"Subject: ", "Subject: [list] "}, ChangePrefix, "Subject", `"[list] " was put before the value`},
		{"unfolded, simple", simple, nil, []string{",\r\n\tCarol", ", Carol"}, ChangeFolding, "To", "line breaks"},
		{"folded with space, simple", simple, nil, []string{",\r\n\tCarol", ",\r\n Carol"}, ChangeFolding, "To", "line breaks"},
		{"folded, simple", simple, nil, []string{"the figures", "the\r\n figures"}, ChangeFolding, "Subject", "line breaks"},
		{"space after colon, simple", simple, nil, []string{"Subject: the", "Subject:the"}, ChangeFolding, "Subject", "line breaks"},
		{"word broken", rsaSig, nil, []string{"figures", "fig\r\n ures"}, ChangeFolding, "Subject", "white space was put inside a word"},
		{"space after comma gone", rsaSig, nil, []string{",\r\n\tCarol", ",Carol"}, ChangeFolding, "To", "white space"},
		{"decoded", rsaSig, []string{"the figures", "=?utf-8?q?caf=C3=A9?="}, []string{"=?utf-8?q?caf=C3=A9?=", "caf\xc3\xa9"}, ChangeEncoding, "Subject", "decoded"},
		{"encoded", rsaSig, []string{"the figures", "caf\xc3\xa9"}, []string{"caf\xc3\xa9", "=?UTF-8?B?Y2Fmw6k=?="}, ChangeEncoding, "Subject", "made encoded words"},
		{"encoded anew", rsaSig, []string{"the figures", "=?UTF-8?Q?caf=C3=A9?="}, []string{"=?UTF-8?Q?caf=C3=A9?=", "=?utf-8?B?Y2Fmw6k=?="}, ChangeEncoding, "Subject", "another way"},
		{"quotes", rsaSig, nil, []string{"From: Alice <", "From: \"Alice\" <"}, ChangeQuoting, "From", "quotes"},
		{"quotes gone", rsaSig, []string{"From: Alice <", "From: \"Alice\" <"}, []string{"From: \"Alice\" <", "From: Alice <"}, ChangeQuoting, "From", "quotes"},
		{"display name added", rsaSig, []string{"From: Alice <", "From: <"}, []string{"From: <", "From: Alice <"}, "", "From", ""},
		{"lower case", rsaSig, nil, []string{"alice@example.org", "alice@EXAMPLE.ORG"}, ChangeCase, "From", "lower case"},
		{"field added", rsaSig, nil, []string{"+0000\r\n", "+0000\r\nSubject: other\r\n"}, ChangeAdded, "subject", `"other" was added after signing`},
		{"oversigned field added", edit(rsaSig, "h=from", "h=from:reply-to"), nil, []string{"To: ", "Reply-To: evil@example.net\r\nTo: "}, ChangeAdded, "reply-to", `"evil@example.net" was added`},
		{"munged From", rsaSig, nil, []string{"From: Alice <alice@example.org>", "X-Original-From: Alice <alice@example.org>\r\nFrom: Alice via List <list@example.net>"}, ChangeReplaced, "from", "X-Original-From has what was signed"},
		{"munged From with Reply-To", rsaSig, nil, []string{"From: Alice <alice@example.org>", "Reply-To: Alice <alice@example.org>\r\nFrom: Alice via List <list@example.net>"}, ChangeReplaced, "from", "Reply-To has what was signed"},
		{"z=", edit(rsaSig, "v=1;", "v=1; z=Subject:the=20figures|From:x;"), nil, []string{"the figures", "no words of it"}, ChangeReplaced, "subject", `z= says that it was "the figures"`},
		{"removed", edit(rsaSig, "h=from", "h=mime-version:from"), []string{"Date:", "MIME-Version: 1.0\r\nDate:"}, []string{"MIME-Version: 1.0\r\n", ""}, ChangeReplaced, "mime-version", "was removed after signing: it was 1.0"},
		{"order", edit(rsaSig, "h=from", "h=x-a:x-a:from"), []string{"Date:", "X-A: 1\r\nX-A: 2\r\nDate:"}, []string{"X-A: 1\r\nX-A: 2", "X-A: 2\r\nX-A: 1"}, ChangeOrder, "x-a", "another order"},
		{"relaxed in spite of c=", edit(rsaSig, "relaxed/relaxed", "relaxed/simple"), nil, nil, "", "", ""},
		{"many changes", rsaSig, nil, []string{"the figures", "other words", "Bob <", "Rob <"}, "", "", "no change of a single field explains it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			signed := edit(mail, c.before...)
			msg := craft(t, c.sig, signed, map[bool]any{true: edKey(), false: rsaKeys(2048)}[strings.Contains(c.sig, "ed25519")].(signer))
			msg = strings.TrimSuffix(msg, signed) + edit(signed, c.now...)
			s := check(t, msg, z, VerifyOptions{Explain: true}).Signatures[0]
			if c.now == nil {
				if s.Status != Pass {
					t.Errorf("%+v", s)
				}
				return
			}
			if s.Status != Fail || s.Reason != ReasonHeaderAltered || !strings.Contains(s.Explanation, c.text) {
				t.Errorf("%s %s %s", s.Status, s.Reason, s.Explanation)
			}
			switch {
			case c.kind == "" && c.field == "" && s.Change != nil, c.kind != "" && (s.Change == nil || s.Change.Kind != c.kind || s.Change.Field != c.field):
				t.Errorf("%+v, %s", s.Change, s.Explanation)
			}
		})
	}
}

// TestExplainForm signs the other canonical form than c= says. The helper takes
// the form from the first "c=" that it sees, which is in z=.
func TestExplainForm(t *testing.T) {
	field := edit(rsaSig, "v=1;", "v=1; z=X:c=relaxed/relaxed;", "; c=relaxed/relaxed", "; c=simple/relaxed")
	s := check(t, craft(t, field, mail, rsaKeys(2048)), testZone(t), VerifyOptions{Explain: true}).Signatures[0]
	if s.Change == nil || s.Change.Kind != ChangeCanonicalization || !strings.Contains(s.Explanation, "relaxed form of the header, c= says simple") {
		t.Errorf("%s %s", s.Reason, s.Explanation)
	}
	simple := edit(rsaSig, "relaxed/relaxed", "simple/simple", " bh=", "\r\n bh=")
	refolded := strings.Replace(craft(t, simple, mail, rsaKeys(2048)), "\r\n bh=", "\r\n\tbh=", 1)
	s = check(t, refolded, testZone(t), VerifyOptions{Explain: true}).Signatures[0]
	if s.Change == nil || s.Change.Kind != ChangeSelf || s.Change.Field != "DKIM-Signature" {
		t.Errorf("%s %s", s.Reason, s.Explanation)
	}
}

// TestExplainBudget bounds the work for explanations of a hostile message.
func TestExplainBudget(t *testing.T) {
	z := testZone(t)
	sig := craft(t, rsaSig, mail, rsaKeys(2048))
	sig = sig[:strings.Index(sig, "From: ")]
	msg := strings.Repeat(sig, MaxSignatures) + "Subject: " + strings.Repeat("a ", 20000) + "\r\n" + strings.Repeat("x\r\n", 50000) + "\r\n" + strings.Repeat(".. a\r\n", 600000)
	start := time.Now()
	v := check(t, msg, z, VerifyOptions{Explain: true})
	if took := time.Since(start); took > 2*time.Second { // about 0.1 s without the race detector
		t.Errorf("took %v", took)
	}
	if s := v.Signatures[0]; s.Status != Fail {
		t.Errorf("%s", s.Status)
	}
}
