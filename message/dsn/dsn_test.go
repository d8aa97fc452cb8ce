package dsn

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/message"
)

func read(s string) Report { return Read(message.Parse([]byte(s), message.Options{})) }

// standard makes a delivery status notification.
func standard(text, status string) string {
	return "Return-Path: <>\nFrom: Mail Delivery System <MAILER-DAEMON@mx.example.net>\nTo: s@example.org\nSubject: Delivery report\n" +
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\n" + text + "\n--b\nContent-Type: message/delivery-status\n\n" + status +
		"\n--b\nContent-Type: message/rfc822\n\nFrom: s@example.org\nTo: r@example.com\nSubject: =?utf-8?Q?Hall=C3=B6?=\nMessage-ID: <1@example.org>\n\nbody\n--b--\n"
}

// TestActions: RFC 3464, Section 2.3.3, and what contradicts it.
func TestActions(t *testing.T) {
	tests := []struct {
		fields, text string
		kind         Kind
		confidence   Confidence
		problems     string
	}{
		{"Action: failed\nStatus: 5.1.1", "", Failed, Certain, ""},
		{"Action: FAILED (bounced)\nStatus: 5.1.1 (bad)", "", Failed, Certain, ""},
		{"Action: failed\nStatus: 4.4.7", "", Failed, Certain, ""},
		{"Action: delayed\nStatus: 4.4.1", "", Delayed, Certain, ""},
		{"Action: delivered\nStatus: 2.0.0", "", Delivered, Certain, ""},
		{"Action: relayed\nStatus: 2.0.0", "", Relayed, Certain, ""},
		{"Action: expanded\nStatus: 2.0.0", "", Expanded, Certain, ""},
		// A delivered mail is never called bounced.
		{"Action: delivered\nStatus: 2.1.5", "could not be delivered, permanent error", Delivered, Certain, ""},
		{"Action: delivered\nStatus: 5.1.1", "", Unclear, Possible, "contradiction"},
		{"Action: failed\nStatus: 2.0.0", "", Unclear, Possible, "contradiction"},
		{"Action: failed\nStatus: 2.0.0\nDiagnostic-Code: smtp; 250 2.0.0 OK", "", Unclear, Possible, "contradiction"},
		{"Action: failed\nStatus: 2.0.0\nDiagnostic-Code: smtp; 550 no such user", "", Failed, Likely, "contradiction"},
		{"Action: delayed\nStatus: 2.0.0", "", Unclear, Possible, "contradiction"},
		// Without an action the status decides, and for class 4 the words.
		{"Status: 5.1.1", "", Failed, Likely, "missing-action"},
		{"Status: 2.0.0", "", Delivered, Likely, "missing-action"},
		{"Status: 4.4.1", "", Unclear, Likely, "missing-action"},
		{"Status: 4.4.1", "Your message has been delayed. Delivery attempts will continue.", Delayed, Possible, "missing-action"},
		{"Status: 4.4.1", "This is a permanent error; I've given up.", Failed, Possible, "missing-action"},
		{"Action: failed", "", Failed, Certain, "missing-status"},
		{"Action: sent\nStatus: 2.0.0", "", Delivered, Likely, "unknown-action"},
		{"Action: failed\nStatus: unknown", "", Failed, Certain, "bad-status missing-status"},
	}
	for _, tt := range tests {
		r := read(standard(tt.text, "Reporting-MTA: dns; mx.example.net\n\nFinal-Recipient: rfc822; r@example.com\n"+tt.fields+"\n"))
		if len(r.Recipients) != 1 {
			t.Errorf("%q: %d recipients", tt.fields, len(r.Recipients))
			continue
		}
		x := r.Recipients[0]
		if x.Kind != tt.kind || r.Kind != tt.kind || x.Confidence != tt.confidence || strings.Join(x.Problems, " ") != tt.problems {
			t.Errorf("%q %q: %s %s %v", tt.fields, tt.text, x.Kind, x.Confidence, x.Problems)
		}
	}
}

func TestStandard(t *testing.T) {
	r := read(standard("Undelivered.", `Reporting-MTA: dns; mx.example.net
Received-From-MTA: dns; mail.example.org
Original-Envelope-Id: env+3D1
Arrival-Date: Thu, 1 Feb 2024 10:00:00 +0000

Original-Recipient: rfc822; alias@example.com
Final-Recipient: rfc822; <r@example.com>
Action: failed
Status: 5.2.2
Remote-MTA: dns; mx.example.com
Diagnostic-Code: smtp; 552 5.2.2 <r@example.com>:
  mailbox full
Last-Attempt-Date: Thu, 1 Feb 2024 10:00:05 +0000


Final-Recipient: rfc822; t@example.com
Action: delayed
Status: 4.4.1
Will-Retry-Until: Fri, 2 Feb 2024 10:00:00 +0000
`))
	if r.Kind != Failed || r.Form != FormStandard || r.ReportingMTA != "mx.example.net" || r.ReceivedFromMTA != "mail.example.org" || r.EnvelopeID != "env+3D1" || r.Addressee != "s@example.org" {
		t.Errorf("%+v", r)
	}
	if want := time.Date(2024, 2, 1, 10, 0, 0, 0, time.UTC); !r.Arrival.Equal(want) {
		t.Errorf("arrival %v", r.Arrival)
	}
	if len(r.Recipients) != 2 {
		t.Fatalf("%d recipients", len(r.Recipients))
	}
	x := r.Recipients[0]
	if x.Address() != "alias@example.com" || x.Final.Address != "r@example.com" || x.RemoteMTA != "mx.example.com" || x.DiagType != "smtp" ||
		x.Reply.Code != 552 || x.Reply.Enhanced != "5.2.2" || x.LastTry.IsZero() {
		t.Errorf("%+v", x)
	}
	if y := r.Recipients[1]; y.Kind != Delayed || y.RetryUntil.IsZero() {
		t.Errorf("%+v", y)
	}
	if o := r.Original; o == nil || o.Subject != "Hallö" || o.MessageID != "1@example.org" || o.To != "r@example.com" || !o.Whole || o.Part == nil {
		t.Errorf("%+v", r.Original)
	}
}

// TestAddresses: RFC 3461, Section 4, and RFC 6533, Section 3.
func TestAddresses(t *testing.T) {
	tests := []struct{ in, kind, want string }{
		{"rfc822; a@example.org", "rfc822", "a@example.org"},
		{"RFC822;<a@example.org>", "rfc822", "a@example.org"},
		{"rfc822; a+40example.org", "rfc822", "a@example.org"},
		{"rfc822; a+40b@example.org", "rfc822", "a+40b@example.org"}, // a plus of the address itself
		{"rfc822; a+zz", "rfc822", "a+zz"},
		{"rfc822; a+0Ab+40c", "rfc822", "a+0Ab+40c"}, // decodes to a line end
		{`utf-8; \x{E4}b@example.org`, "utf-8", "äb@example.org"},
		{`utf-8; j\x{1F408}@example.org`, "utf-8", "j\U0001F408@example.org"},
		{`utf-8; \x{A}b@example.org`, "utf-8", `\x{A}b@example.org`},
		{`utf-8; \x{110000}@example.org`, "utf-8", `\x{110000}@example.org`},
		{"utf-8; ä@example.org", "utf-8", "ä@example.org"},
		{"a@example.org", "rfc822", "a@example.org"},
		{"x400; /G=A/S=B/", "x400", "/G=A/S=B/"},
		{"rfc822; a@example.org (A)", "rfc822", "a@example.org"},
	}
	for _, tt := range tests {
		if a := address(tt.in); a.Type != tt.kind || a.Address != tt.want {
			t.Errorf("%q: %+v, want %s %q", tt.in, a, tt.kind, tt.want)
		}
	}
}

func TestGlobal(t *testing.T) {
	s := strings.ReplaceAll(standard("x", "Reporting-MTA: dns; mx\n\nFinal-Recipient: utf-8; \\x{E4}@example.org\nAction: failed\nStatus: 5.6.7\n"), "message/delivery-status", "message/global-delivery-status")
	if r := read(s); r.Form != FormGlobal || r.Recipients[0].Final.Address != "ä@example.org" {
		t.Errorf("%+v", r)
	}
}

func TestLooseForms(t *testing.T) {
	tests := []struct{ name, status, want string }{
		{"no empty line", "Reporting-MTA: dns; mx\nFinal-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.1.1\n", "failed:a@example.org"},
		{"no empty line between two", "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.1.1\nFinal-Recipient: rfc822; b@example.org\nAction: delivered\nStatus: 2.0.0\n", "failed:a@example.org delivered:b@example.org"},
		{"many empty lines", "\n\nReporting-MTA: dns; mx\n\n\n\nFinal-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.1.1\n\n\n\n", "failed:a@example.org"},
		{"no fields of the mail", "Final-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.1.1\n", "failed:a@example.org"},
		{"original recipient alone", "Reporting-MTA: dns; mx\n\nOriginal-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.1.1\n", "failed:a@example.org"},
	}
	for _, tt := range tests {
		r := read(standard("x", tt.status))
		var got []string
		for _, x := range r.Recipients {
			got = append(got, string(x.Kind)+":"+x.Address())
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, s, tt.want)
		}
	}
}

const daemon = "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: s@example.org\n"

// TestTexts: bounces without fields, delays, successes, and what is none of them.
func TestTexts(t *testing.T) {
	tests := []struct{ name, mail, want string }{
		{"qmail", daemon + "Subject: failure notice\n\nHi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<r@example.com>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 no such user\nGiving up on 192.0.2.1.\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <s@example.org>\nReceived: (qmail 1 invoked by uid 2); 1 Feb 2024 10:00:00 -0000\nFrom: s@example.org\nTo: other@example.com\n\nx\n",
			"failed likely qmail r@example.com 550 5.1.1"},
		{"Exim", daemon + "X-Failed-Recipients: r@example.com\nAuto-Submitted: auto-replied\nSubject: Mail delivery failed: returning message to sender\n\nThis message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  r@example.com\n    host mx.example.com [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:<r@example.com>:\n    550-5.7.1 first line\n    550 5.7.1 second line\n",
			"failed likely exim r@example.com 550 5.7.1"},
		{"Exim's warning", daemon + "Auto-Submitted: auto-replied\nSubject: Warning: message 1r delayed 24 hours\n\nThis message was created automatically by mail delivery software.\nA message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 hours on the queue on mx.example.net.\n\nThe address to which the message has not yet been delivered is:\n\n  r@example.com\n\nNo action is required on your part. Delivery attempts will continue for\nsome time, and this warning may be repeated.\n",
			"delayed likely exim r@example.com 0 "},
		{"Exchange of old", "From: postmaster@example.com\nTo: s@example.org\nSubject: Undeliverable: hello\n\nYour message\n\n  To:      s@example.org\n  Subject: hello\n\ndid not reach the following recipient(s):\n\nr@example.com on Thu, 1 Feb 2024 10:00:00 +0000\n    The recipient name is not recognized\n\tMSEXCH:IMS:X 0 (000C05A6) Unknown Recipient\n",
			"failed likely exchange r@example.com 0 "},
		{"Gmail", "From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\nTo: s@example.org\nX-Failed-Recipients: r@example.com\nSubject: Delivery Status Notification (Failure)\n\nDelivery to the following recipient failed permanently:\n\n     r@example.com\n\nThe error that the other server returned was:\n550 5.1.1 User unknown\n",
			"failed likely gmail r@example.com 550 5.1.1"},
		{"Gmail's delay", "From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\nTo: s@example.org\nX-Failed-Recipients: r@example.com\nSubject: Delivery Status Notification (Delay)\n\nThis is an automatically generated Delivery Status Notification\n\nTHIS IS A WARNING MESSAGE ONLY.\n\nYOU DO NOT NEED TO RESEND YOUR MESSAGE.\n\nDelivery to the following recipient has been delayed:\n\n     r@example.com\n\nMessage will be retried for 2 more day(s)\n",
			"delayed likely gmail r@example.com 0 "},
		{"success", daemon + "Subject: Successful Mail Delivery Report\n\nYour message was successfully delivered to the destination(s)\nlisted below.\n\n<r@example.com>: delivery via mx: 250 2.0.0 OK\n",
			"delivered possible  r@example.com 250 2.0.0"},
		{"success, with words of failure about others", daemon + "Subject: Successful Mail Delivery Report\n\nYour message was successfully delivered. If the message was delivered to mailbox you receive no further notifications; otherwise you may still receive notifications of mail delivery errors from other systems.\n\n<r@example.com>: delivery via mx: 250 2.0.0 OK\n",
			"delivered possible  r@example.com 250 2.0.0"},
		{"holiday", "Return-Path: <>\nFrom: r@example.com\nTo: s@example.org\nSubject: Out of office: hello\nAuto-Submitted: auto-replied\n\nI am away. Mail could not be delivered to me in person, ask b@example.com.\n", "auto-reply likely "},
		{"holiday without marks", "From: r@example.com\nTo: s@example.org\nSubject: Automatic reply: hello\n\nI am away until Monday.\n", "auto-reply likely "},
		{"a person who writes about bounces", "Return-Path: <p@example.com>\nFrom: P <p@example.com>\nTo: s@example.org\nSubject: Undeliverable mail\n\nHi, my mail to r@example.com could not be delivered: 550 5.1.1 user unknown\n", " "},
		{"a postmaster who writes", "Return-Path: <postmaster@example.com>\nFrom: postmaster@example.com\nTo: s@example.org\nSubject: Our new server\n\nWe have a new server.\n", " "},
		{"a newsletter on delivery", "Return-Path: <b@news.example>\nFrom: News <n@news.example>\nTo: s@example.org\nSubject: Why delivery failed\nList-Id: <x.news.example>\n\nYour package was not delivered. Returned to sender.\n", " "},
		{"empty", "", " "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := read(tt.mail)
			got := fmt.Sprintf("%s %s", r.Kind, r.Confidence)
			if r.Kind == AutoReply {
				got += " "
			}
			for _, x := range r.Recipients {
				got += fmt.Sprintf(" %s %s %d %s", r.System, x.Final.Address, x.Reply.Code, x.Reply.Enhanced)
			}
			if got != tt.want {
				t.Errorf("%q, want %q (%v)", got, tt.want, r.Evidence)
			}
		})
	}
}

// TestForwardedBounce: a report inside a mail is not a report on the mail's own.
func TestForwardedBounce(t *testing.T) {
	inner := standard("x", "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.1.1\n")
	r := read("From: p@example.org\nTo: q@example.org\nSubject: what is this?\nContent-Type: multipart/mixed; boundary=o\n\n--o\n\nSee below.\n--o\nContent-Type: message/rfc822\n\n" + inner + "\n--o--\n")
	if r.Kind != None {
		t.Errorf("%s", r.Kind)
	}
}

func TestOtherReports(t *testing.T) {
	mdn := "From: r@example.com\nTo: s@example.org\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n\nread\n--b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; r@example.com\nDisposition: manual-action/MDN-sent-manually; displayed\n--b--\n"
	if r := read(mdn); r.Kind != Disposition || r.Feedback.Disposition != "displayed" || r.Feedback.Recipient != "r@example.com" {
		t.Errorf("%+v", r)
	}
	arf := "From: f@example.com\nTo: s@example.org\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nabuse\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\n--b\nContent-Type: message/rfc822\n\nFrom: s@example.org\nTo: r@example.com\n\nx\n--b--\n"
	if r := read(arf); r.Kind != Feedback || r.Feedback.Type != "abuse" || r.Original == nil {
		t.Errorf("%+v", r)
	}
}

func TestEvents(t *testing.T) {
	tests := []struct{ in, want string }{
		{`{"notificationType":"Bounce","bounce":{"bouncedRecipients":[{"emailAddress":"r@example.com","action":"failed","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]}}`, "true failed failed/5.1.1/550"},
		{`{"Type":"Notification","Message":"{\"eventType\":\"Delivery\",\"delivery\":{\"recipients\":[\"r@example.com\"],\"smtpResponse\":\"250 2.0.0 OK\"}}"}`, "true delivered delivered/2.0.0/250"},
		{`{"notificationType":"Complaint","complaint":{"complaintFeedbackType":"abuse"}}`, "true feedback "},
		{`[{"event":"delivered","email":"r@example.com","response":"250 2.0.0 OK"},{"event":"bounce","email":"t@example.com","reason":"550 no"}]`, "true failed delivered/2.0.0/250 failed/550"},
		{`[{"event":"deferred","email":"r@example.com","response":"421 later"}]`, "true delayed delayed/421"},
		{`[{"event":"open","email":"r@example.com"}]`, "false  "},
		{`{"a":1}`, "false  "}, {`{`, "false  "}, {``, "false  "}, {`[]`, "false  "}, {"From: x\n\n", "false  "},
	}
	for _, tt := range tests {
		r, ok := ReadEvent([]byte(tt.in))
		list := strings.Split(line(r), "\t")[3:]
		if got := fmt.Sprintf("%v %s %s", ok, r.Kind, strings.Join(list, " ")); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestParseReply(t *testing.T) {
	tests := []struct {
		in       string
		code     int
		enhanced string
		text     string
	}{
		{"550 5.1.1 User unknown", 550, "5.1.1", "550 5.1.1 User unknown"},
		{"550-5.7.26 This mail has been blocked\r\n550-5.7.26 because\r\n550 5.7.26 so", 550, "5.7.26", "550-5.7.26 This mail has been blocked 5.7.26 because 5.7.26 so"},
		{"smtp; 550 5.1.1 x", 550, "5.1.1", "550 5.1.1 x"},
		{"host mx.example.org[192.0.2.250] said: 452 4.2.2 Mailbox full (in reply to RCPT TO command)", 452, "4.2.2", "452 4.2.2 Mailbox full (in reply to RCPT TO command)"},
		{"Remote host said: 554-'5.7.1 rejected'", 554, "5.7.1", "554-'5.7.1 rejected'"},
		{"550 550 5.7.1 <a@example.org>... Access denied", 550, "5.7.1", "550 550 5.7.1 <a@example.org>... Access denied"},
		{"Sorry. (#5.1.1)", 0, "5.1.1", "5.1.1)"},
		{"Error Code 550)", 550, "", "550)"},
		{"connect to 192.0.2.250:25 port 450 on 1 Feb 2024 size 552 bytes", 0, "", ""},
		{"message of 550 bytes", 0, "", ""},
		{"10.5.5.1 and 5.1.1.1", 0, "", ""},
		{"250 2.0.0 OK", 250, "2.0.0", "250 2.0.0 OK"},
		{"250 recipients, then 550 5.1.1 no", 550, "5.1.1", "550 5.1.1 no"},
		{"550 4.4.1 odd", 550, "", "550 4.4.1 odd"},
		{"421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred", 421, "4.7.0", "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred"},
		{"hello", 0, "", ""}, {"", 0, "", ""}, {"999 x", 0, "", ""}, {"560 x", 0, "", ""},
	}
	for _, tt := range tests {
		r, ok := ParseReply(tt.in)
		if ok != (tt.code != 0 || tt.enhanced != "") || r.Code != tt.code || r.Enhanced != tt.enhanced || r.Text != tt.text {
			t.Errorf("%q: %+v %v", tt.in, r, ok)
		}
		if r.IsZero() == ok {
			t.Errorf("%q: IsZero", tt.in)
		}
	}
}

func TestFloods(t *testing.T) {
	start := time.Now()
	for name, s := range map[string]string{
		"recipients": standard("x", "Reporting-MTA: dns; mx\n\n"+strings.Repeat("Final-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.1.1\n\n", 4_000)),
		"fields":     standard("x", strings.Repeat("X-A: b\n", 20_000)),
		"one field":  standard("x", "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; a@b\nDiagnostic-Code: "+strings.Repeat("x\n ", 50_000)),
		"addresses":  daemon + "Subject: failure notice\n\ncould not be delivered\n" + strings.Repeat("<a@example.org>: x\n", 4_000),
		"others":     daemon + "Subject: failure notice\n\ncould not be delivered\n" + strings.Repeat("a"+strings.Repeat("b", 100)+"@example.org ", 1_000),
		"codes":      daemon + "Subject: failure notice\n\ncould not be delivered a@b.example\n" + strings.Repeat("550 5.1.1 ", 20_000),
		"html":       "Content-Type: text/html\n" + daemon + "Subject: failure notice\n\n" + strings.Repeat("<a <!--", 10_000),
	} {
		r := read(s)
		if len(r.Recipients) > MaxRecipients || len(r.Text) > MaxText {
			t.Errorf("%s: %d recipients, %d octets", name, len(r.Recipients), len(r.Text))
		}
		for _, x := range r.Recipients {
			if len(x.Diagnostic) > 2*maxDiagnostic || len(x.Fields) > maxFields {
				t.Errorf("%s: %d octets, %d fields", name, len(x.Diagnostic), len(x.Fields))
			}
		}
	}
	if d := time.Since(start); d > 8*time.Second {
		t.Errorf("took %v", d)
	}
}

// FuzzRead: whatever comes, a kind is one of the known, and a mail whose only
// recipients were delivered is never called failed.
func FuzzRead(f *testing.F) {
	f.Add([]byte(standard("x", "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.1.1\n")))
	f.Add([]byte(standard("x", "Reporting-MTA: dns; mx\nFinal-Recipient: utf-8; \\x{E4}\nAction: delivered\nStatus: 2.0.0\n")))
	f.Add([]byte(daemon + "Subject: failure notice\n\n<a@example.org>:\n550 5.1.1 x (#5.1.1)\n--- Below\n\nReceived: x\nFrom: b\n"))
	f.Add([]byte(`{"notificationType":"Bounce","bounce":{"bouncedRecipients":[{"emailAddress":"r@example.com"}]}}`))
	f.Add([]byte("Subject: Automatic reply\n\nx"))
	known := map[Kind]bool{None: true, Failed: true, Delayed: true, Delivered: true, Relayed: true, Expanded: true, Unclear: true, AutoReply: true, Disposition: true, Feedback: true}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := Read(message.Parse(data, message.Options{}))
		if !known[r.Kind] {
			t.Fatalf("kind %q", r.Kind)
		}
		worst := None
		for _, x := range r.Recipients {
			if x.Kind == Failed {
				worst = Failed
			}
			if x.Action == "delivered" && x.Kind == Failed {
				t.Fatalf("%+v", x)
			}
		}
		if r.Kind == Failed && len(r.Recipients) > 0 && worst != Failed {
			t.Fatalf("%+v", r)
		}
	})
}
