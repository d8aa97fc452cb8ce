package diagnose

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/diagnose/cause"
)

func TestReply(t *testing.T) {
	tests := []struct {
		name, text     string
		cause          cause.Cause
		temporary      bool
		code, enhanced string
		operator       string
	}{
		{"lines", "550-5.7.26 Unauthenticated email from example.org is not accepted due to\r\n550-5.7.26 domain's DMARC policy. Please contact the administrator of\r\n550-5.7.26 example.org domain if this was a legitimate mail.\r\n550 5.7.26 https://support.google.com/mail/?p=DmarcRejection x - gsmtp\r\n", cause.DMARCFail, false, "550", "5.7.26", "gmail"},
		{"quoted", `"550 5.1.1 <user@example.com>: Recipient address rejected: User unknown in local recipient table"`, cause.NoSuchUser, false, "550", "5.1.1", ""},
		{"typed", "smtp; 452 4.2.2 Mailbox full", cause.MailboxFull, true, "452", "4.2.2", ""},
		{"said", "host gmail-smtp-in.l.google.com[198.51.100.11] said: 421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address. (in reply to end of DATA command)", cause.RateLimited, true, "421", "4.7.28", "gmail"},
		{"exim words", "SMTP error from remote mail server after RCPT TO:<user@example.com>: host mx.example.com [198.51.100.10]: 550 5.7.1 Relaying denied", cause.RelayDenied, false, "550", "5.7.1", ""},
		{"no code", "User unknown in virtual mailbox table", cause.NoSuchUser, false, "", "", ""},
		{"code alone", "550", cause.Unknown, false, "550", "", ""},
		{"status alone", "5.2.2", cause.MailboxFull, false, "", "5.2.2", ""},
		{"hash", "550 #5.7.1 Your access to submit messages to this e-mail system has been rejected due to the sending MTA's poor reputation.", cause.IPReputation, false, "550", "5.7.1", ""},
		{"accepted", "250 2.0.0 Ok: queued as 12345", cause.Delivered, false, "250", "2.0.0", ""},
		{"accepted with words", "250 2.6.0 <a@b> [InternalId=1] Queued mail for delivery, spam user unknown mailbox full", cause.Delivered, false, "250", "2.6.0", ""},
		{"greeting first", "220-mx.example.com 554 5.7.1 Connection refused due to poor reputation", cause.IPReputation, false, "554", "5.7.1", ""},
		{"empty", "", cause.Unknown, false, "", "", ""},
		{"nonsense", "lorem ipsum dolor sit amet", cause.Unknown, false, "", "", ""},
		{"no word inside of words", "550 5.7.1 Zip multiple chip unspammed", cause.Unknown, false, "550", "5.7.1", ""},
		{"smart quotes", "550 5.7.27 This message was blocked because it didn\u2019t pass SPF authentication.", cause.SPFFail, false, "550", "5.7.27", "gmail"},
		{"registry 5.7.27 elsewhere", "550 5.7.27 rejected", cause.SenderDomain, false, "550", "5.7.27", ""},
		{"registry 5.1.10", "556 5.1.10 no", cause.NullMX, false, "556", "5.1.10", ""},
		{"registry 4.7.25", "451 4.7.25 come back with a name", cause.NoPTR, true, "451", "4.7.25", ""},
		{"sizes are no codes", "message of 550 KB to 4 recipients waits 432 minutes", cause.Unknown, false, "", "", ""},
		{"spf in a recipient rejection", "550 5.7.23 <u@example.com>: Recipient address rejected: SPF check failed", cause.SPFFail, false, "550", "5.7.23", ""},
		{"spf in a sender rejection", "550 5.7.1 <a@example.org>: Sender address rejected: SPF fail", cause.SPFFail, false, "550", "5.7.1", ""},
		{"transcript", "<<< 552 5.2.2 Over quota", cause.MailboxFull, false, "552", "5.2.2", ""},
		{"spamhaus error code", "554 5.7.1 Service unavailable; Client host [192.0.2.25] blocked using zen.spamhaus.org; Error: open resolver; https://check.spamhaus.org/returnc/pub/198.51.100.53/", cause.ReceiverError, false, "554", "5.7.1", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Reply(tt.text)
			if r.Cause != tt.cause || r.Temporary != tt.temporary || r.Code != tt.code || r.Enhanced != tt.enhanced {
				t.Errorf("%s (%s) temporary %v code %q %q; want %s %v %q %q", r.Cause, r.Entry, r.Temporary, r.Code, r.Enhanced, tt.cause, tt.temporary, tt.code, tt.enhanced)
			}
			if tt.operator != "" && r.Operator != tt.operator {
				t.Errorf("operator %q, want %q", r.Operator, tt.operator)
			}
			if r.Meaning == "" || r.Advice == "" || r.Confidence == "" || r.Whose == "" {
				t.Errorf("incomplete: %+v", r)
			}
		})
	}
}

// TestWordings tries replies that the catalogue's examples do not hold.
func TestWordings(t *testing.T) {
	data, err := os.ReadFile("testdata/wordings.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(strings.TrimSpace(string(data)), "\n") {
		want, text, ok := strings.Cut(line, "\t")
		if r := Reply(text); ok && string(r.Cause) != want {
			t.Errorf("%s\n gives %s (%s, %s), want %s", text, r.Cause, r.Entry, r.Confidence, want)
		}
	}
}

// TestSaid wants the receiver's own words, and its own address not taken for ours.
func TestSaid(t *testing.T) {
	tests := []struct {
		text string
		want Said
	}{
		{"host mx.example.com[198.51.100.10] said: 550 5.7.1 Client host [192.0.2.25] blocked using bl.example.net; see https://www.example.net/q?ip=192.0.2.25. (in reply to RCPT TO command)",
			Said{IP: "192.0.2.25", List: "bl.example.net", URL: "https://www.example.net/q?ip=192.0.2.25", Server: "mx.example.com", Stage: "RCPT TO"}},
		{"550-5.7.26 This mail has been blocked because the sender is unauthenticated. Authentication results: DKIM = did not pass SPF [example.org] with ip: [2001:db8::25] = did not pass. abc-123 - gsmtp",
			Said{IP: "2001:db8::25", Domain: "example.org", SPF: "fail", DKIM: "fail", ID: "abc-123"}},
		{"550 5.7.515 Access denied, sending domain EXAMPLE.ORG doesn't meet the required authentication level. Spf= Fail , Dkim= Pass , DMARC= Pass [A.prod.protection.outlook.com 2026-01-05T10:00:00.000Z 08DE]",
			Said{Domain: "example.org", SPF: "fail", DKIM: "pass", DMARC: "pass", ID: "A.prod.protection.outlook.com 2026-01-05T10:00:00.000Z 08DE"}},
		{"421 4.7.0 [TSS04] Messages from 192.0.2.25 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://senders.yahooinc.com/error-codes",
			Said{IP: "192.0.2.25", URL: "https://senders.yahooinc.com/error-codes"}},
		{"554 5.7.1 <192.0.2.25.rev.example.net[192.0.2.25]>: Client host rejected: Access denied", Said{IP: "192.0.2.25"}},
	}
	for _, tt := range tests {
		if got := Reply(tt.text).Said; got != tt.want {
			t.Errorf("%s\n got %+v\nwant %+v", tt.text, got, tt.want)
		}
	}
}

// TestContradictions wants them told, and the confidence lowered.
func TestContradictions(t *testing.T) {
	for _, tt := range []struct {
		text  string
		cause cause.Cause
	}{
		{"550 5.1.1 Mailbox is full", cause.MailboxFull},
		{"550 4.7.1 Relaying denied", cause.RelayDenied},
		{"450 4.2.2 User unknown", cause.NoSuchUser},
		{"550 5.7.1 Greylisted, please try again in 300 seconds", cause.Greylisted},
		{"250 5.1.1 User unknown", cause.Delivered},
	} {
		r := Reply(tt.text)
		if r.Cause != tt.cause || len(r.Notes) == 0 || r.Confidence == High {
			t.Errorf("%s gives %s, %s, notes %q", tt.text, r.Cause, r.Confidence, r.Notes)
		}
	}
	// A documented contradiction is none.
	if r := Reply("552 5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417 [417]"); len(r.Notes) != 0 || r.Confidence != High {
		t.Errorf("%s, notes %q", r.Confidence, r.Notes)
	}
}

func TestDSN(t *testing.T) {
	tests := []struct {
		name      string
		r         Recipient
		cause     cause.Cause
		temporary bool
	}{
		{"delivered", Recipient{Action: "delivered", Status: "2.0.0", DiagnosticCode: "smtp; 250 2.0.0 user unknown"}, cause.Delivered, false},
		{"relayed without a code", Recipient{Action: "relayed", Status: "2.0.0"}, cause.Delivered, false},
		{"delivered, not failed", Recipient{Action: "Delivered", Status: "2.1.5", Text: "550 5.1.1 User unknown"}, cause.Delivered, false},
		{"delayed", Recipient{Action: "delayed", Status: "4.4.1", DiagnosticCode: "X-Postfix; connect to mx.example.com[198.51.100.10]:25: Connection timed out"}, cause.ConnectionTimeout, true},
		{"failed with a temporary code", Recipient{Action: "failed", Status: "5.0.0", DiagnosticCode: "smtp; 450 4.2.0 Greylisted"}, cause.Greylisted, false},
		{"text helps", Recipient{Action: "failed", Status: "5.0.0", Text: "Hello\n\n<u@example.com>: mailbox is full\n"}, cause.MailboxFull, false},
		{"a disclaimer does not", Recipient{Action: "failed", Status: "5.1.1", Text: "This mail may be privileged. Access denied to others. Not authorized.\n"}, cause.NoSuchUser, false},
		{"status in words", Recipient{Action: "failed", Status: "5.2.2 (mailbox full)"}, cause.MailboxFull, false},
		{"operator by its host", Recipient{Action: "failed", Status: "5.7.515", RemoteMTA: "dns; mx.olc.protection.outlook.com", DiagnosticCode: "smtp; 550 5.7.515 x"}, cause.Unauthenticated, false},
		{"nothing", Recipient{}, cause.Unknown, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := DSN(tt.r)
			if got.Cause != tt.cause || got.Temporary != tt.temporary {
				t.Errorf("%s (%s), temporary %v; want %s, %v", got.Cause, got.Entry, got.Temporary, tt.cause, tt.temporary)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	x, err := Explain("5.7.26", "gmail")
	if err != nil || x.General.Cause != cause.Unauthenticated || len(x.Entries) < 3 || x.Operator != "gmail" {
		t.Errorf("%+v, %v", x, err)
	}
	for _, tt := range []struct {
		code, operator string
		cause          cause.Cause
	}{
		{"5.7.27", "", cause.SenderDomain},
		{"5.7.27", "Google", cause.SPFFail},
		{"550 5.7.515", "hotmail", cause.Unauthenticated},
		{"5.7.515", "microsoft", cause.Unauthenticated},
		{"5.7.620", "outlook", cause.IPBlocklisted},
		{"530", "", cause.AuthRequired},
		{"#5.1.1", "", cause.NoSuchUser},
	} {
		x, err := Explain(tt.code, tt.operator)
		if err != nil || x.General.Cause != tt.cause {
			t.Errorf("%s at %q is %s, %v", tt.code, tt.operator, x.General.Cause, err)
		}
	}
	for code, want := range map[string]error{"": ErrCode, "abc": ErrCode, "550 User unknown": ErrCode, "9.9.9": ErrCode, "5.7": ErrCode, strings.Repeat("5", 5000): ErrCode} {
		_, err := Explain(code, "")
		var in *InputError
		if !errors.Is(err, want) || !errors.As(err, &in) || in.Hint == "" || len(err.Error()) > 300 {
			t.Errorf("%.20q: %v", code, err)
		}
	}
	if _, err := Explain("5.7.1", "no-such-operator"); !errors.Is(err, ErrOperator) {
		t.Error(err)
	}
}

// TestStatuses wants every code of the registry to have a meaning.
func TestStatuses(t *testing.T) {
	for sub, s := range statuses {
		for _, class := range []string{"4.", "5."} {
			r := Reply(class + sub)
			if r.Enhanced != class+sub || r.Meaning != s.meaning && s.meaning != "" && r.Cause == s.cause && r.Entry == "" {
				t.Errorf("%s%s: %q %q", class, sub, r.Enhanced, r.Meaning)
			}
			if r.Temporary != (class == "4.") {
				t.Errorf("%s%s: temporary is %v", class, sub, r.Temporary)
			}
		}
	}
}

// TestJSON wants a result to survive a round trip.
func TestJSON(t *testing.T) {
	r := Reply("550-5.7.26 The MAIL FROM domain [example.org] has an SPF record with a hard fail policy (-all) but it fails to pass SPF checks with the ip: [192.0.2.25].")
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Result
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(back)
	if string(b) != string(again) {
		t.Errorf("%s\n%s", b, again)
	}
	want := Remedy{Check: cause.CheckSPF, Subject: "example.org", Against: "192.0.2.25"}
	if len(r.Remedies) == 0 || r.Remedies[0] != want {
		t.Errorf("remedies %+v", r.Remedies)
	}
}

// TestHostile feeds what must neither panic nor take long.
func TestHostile(t *testing.T) {
	for _, s := range []string{
		strings.Repeat("550 5.7.1 ", 100_000), strings.Repeat("[", 200_000), strings.Repeat("spf ", 50_000), strings.Repeat("http://", 50_000),
		strings.Repeat("1.", 100_000), strings.Repeat("a@", 100_000), strings.Repeat("said: ", 50_000), strings.Repeat("\x00\xff\x1b", 50_000),
		strings.Repeat("550-5.1.1 a\r\n", 20_000), strings.Repeat("4.16.1.1 ", 50_000), strings.Repeat("\n\n550 x", 50_000), strings.Repeat("domain of x ", 20_000),
	} {
		Reply(s)
		Bounce(s)
		LogLine(s)
		DSN(Recipient{Action: s, Status: s, DiagnosticCode: s, RemoteMTA: s, Text: s})
	}
}

func FuzzReply(f *testing.F) {
	for i, e := range Entries() {
		if i%8 == 0 {
			f.Add(e.Example)
		}
	}
	f.Add("host a.b[1.2.3.4] said: 550-5.7.1 x\n550 5.7.1 y (in reply to end of DATA command)")
	f.Fuzz(func(t *testing.T, s string) {
		r := Reply(s)
		if !r.Cause.Known() || r.Meaning == "" || r.Confidence == "" {
			t.Errorf("incomplete: %+v", r)
		}
		if r.Code != "" && r.Code[0] == '2' && r.Cause != cause.Delivered {
			if l, ok := LogLine(s); !ok || l.Outcome == Sent {
				t.Errorf("accepted, but %s", r.Cause)
			}
		}
		Bounce(s)
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
	})
}

func FuzzLogLine(f *testing.F) {
	f.Add(`Nov 23 10:00:01 h postfix/smtp[1]: ABCDEF: to=<a@b.c>, relay=x.y[1.2.3.4]:25, dsn=5.1.1, status=bounced (550 no)`)
	f.Add(`2026-11-23 10:00:01 1tABcd-000123-4E ** a@b.c R=x T=y H=m.n [1.2.3.4]: 550 no`)
	f.Add(`@400000006741a1b21234abcd delivery 5: failure: x_y`)
	f.Add(`b,2026-11-23 10:00:01,,a@b,c@d,,failed,5.1.1,"smtp;550 ""x""",m.n,x`)
	f.Add(`{"type":"Bounce","response":{"code":550}}`)
	f.Fuzz(func(t *testing.T, s string) {
		l, ok := LogLine(s)
		if !ok {
			return
		}
		if l.Outcome == Sent && l.Result.Cause != cause.Delivered || l.Outcome != Sent && l.Outcome != "" && l.Result.Cause == cause.Delivered && l.Outcome != Refused && l.Outcome != Deferred {
			t.Errorf("%s is %s", l.Outcome, l.Result.Cause)
		}
	})
}
