package diagnose

import (
	"testing"

	"github.com/mailcheck-go/mailcheck/diagnose/cause"
)

func TestLogLine(t *testing.T) {
	tests := []struct {
		name, line string
		format     string
		outcome    Outcome
		cause      cause.Cause
		relay      string
		rcpt       string
	}{
		{"postfix sent", `Nov 23 10:00:01 mx1 postfix/smtp[1234]: 4XyZ12abcd: to=<user@example.com>, relay=mx.example.com[198.51.100.10]:25, delay=1.2, delays=0.1/0/0.5/0.6, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 9F1A2)`, "postfix", Sent, cause.Delivered, "mx.example.com", "user@example.com"},
		{"sent with frightening words", `2026-11-23T10:00:01.123456+01:00 mx1 postfix/smtp[1]: ABCDEF123: to=<user@example.com>, relay=mx.example.com[198.51.100.10]:25, delay=1, dsn=2.0.0, status=sent (250 2.0.0 spam mailbox full user unknown 550 5.1.1 rejected)`, "postfix", Sent, cause.Delivered, "mx.example.com", "user@example.com"},
		{"postfix bounced", `Nov 23 10:00:01 mx1 postfix/smtp[1234]: ABCDEF123: to=<nobody@example.com>, relay=gmail-smtp-in.l.google.com[198.51.100.11]:25, delay=1, dsn=5.1.1, status=bounced (host gmail-smtp-in.l.google.com[198.51.100.11] said: 550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking the recipient's email address for typos or 550 5.1.1 https://support.google.com/mail/?p=NoSuchUser x-1 - gsmtp (in reply to RCPT TO command))`, "postfix", Bounced, cause.NoSuchUser, "gmail-smtp-in.l.google.com", "nobody@example.com"},
		{"postfix deferred connect", `Nov  3 01:00:01 mx1 postfix/smtp[1]: ABCDEF123: to=<user@example.com>, relay=none, delay=30, delays=0/0/30/0, dsn=4.4.1, status=deferred (connect to mx.example.com[198.51.100.10]:25: Connection timed out)`, "postfix", Deferred, cause.ConnectionTimeout, "", "user@example.com"},
		{"postfix lmtp quota", `Nov 23 10:00:01 mx1 postfix/lmtp[1]: ABCDEF123: to=<user@example.com>, relay=mail.example.com[private/dovecot-lmtp], delay=1, dsn=5.2.2, status=bounced (host mail.example.com[private/dovecot-lmtp] said: 552 5.2.2 <user@example.com> Quota exceeded (mailbox for user is full) (in reply to end of DATA command))`, "postfix", Bounced, cause.MailboxFull, "mail.example.com", "user@example.com"},
		{"postfix expired", `Nov 23 10:00:01 mx1 postfix/qmgr[1]: ABCDEF123: from=<a@example.org>, status=expired, returned to sender`, "postfix", Expired, cause.Expired, "", ""},
		{"postfix probe", `Nov 23 10:00:01 mx1 postfix/smtp[1]: ABCDEF123: to=<a@example.org>, relay=mx.example.com[198.51.100.10]:25, dsn=5.1.1, status=undeliverable (host mx.example.com[198.51.100.10] said: 550 5.1.1 User unknown (in reply to RCPT TO command))`, "postfix", "", "", "mx.example.com", "a@example.org"},
		{"postfix refusal", `Nov 23 10:00:01 mx1 postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.25]: 554 5.7.1 Service unavailable; Client host [192.0.2.25] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.25; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<x>`, "postfix", Refused, cause.IPBlocklisted, "", "b@example.com"},
		{"container prefix", `mail-1  | Nov 23 10:00:01 mx1 postfix/smtp[1]: ABCDEF123: to=<u@example.com>, relay=mx.example.com[198.51.100.10]:25, dsn=4.2.0, status=deferred (host mx.example.com[198.51.100.10] said: 450 4.2.0 <u@example.com>: Recipient address rejected: Greylisted (in reply to RCPT TO command))`, "postfix", Deferred, cause.Greylisted, "mx.example.com", "u@example.com"},
		{"bare message", `ABCDEF123: to=<u@example.com>, relay=mx.example.com[198.51.100.10]:25, dsn=5.7.1, status=bounced (host mx.example.com[198.51.100.10] said: 554 5.7.1 <u@example.com>: Relay access denied (in reply to RCPT TO command))`, "postfix", Bounced, cause.RelayDenied, "mx.example.com", "u@example.com"},
		{"postfix loop", `Nov 23 10:00:01 mx1 postfix/smtp[1]: ABCDEF123: to=<u@example.com>, relay=none, delay=0, dsn=5.4.6, status=bounced (mail for example.com loops back to myself)`, "postfix", Bounced, cause.Loop, "", "u@example.com"},
		{"postfix local", `Nov 23 10:00:01 mx1 postfix/local[1]: ABCDEF123: to=<u@example.com>, relay=local, delay=0, dsn=2.0.0, status=sent (delivered to maildir)`, "postfix", Sent, cause.Delivered, "", "u@example.com"},
		{"postfix suspended", `Nov 23 10:00:01 mx1 postfix/error[1]: ABCDEF123: to=<u@example.com>, relay=none, delay=9, dsn=4.4.1, status=deferred (delivery temporarily suspended: connect to mx.example.com[198.51.100.10]:25: Connection refused)`, "postfix", Deferred, cause.ConnectionRefused, "", "u@example.com"},

		{"exim delivered", `2026-11-23 10:00:01 1tABcd-000123-4E => user@example.com R=dnslookup T=remote_smtp H=mx.example.com [198.51.100.10] X=TLS1.3:ECDHE:256 C="250 2.0.0 OK 550 spam"`, "exim", Sent, cause.Delivered, "mx.example.com", "user@example.com"},
		{"exim second recipient", `2026-11-23 10:00:01 1tABcd-000123-4E -> other <other@example.com> R=dnslookup T=remote_smtp H=mx.example.com [198.51.100.10]`, "exim", Sent, cause.Delivered, "mx.example.com", "other@example.com"},
		{"exim failed", `2026-11-23 10:00:01 1tABcd-00000001abc-4EfG ** user@example.com R=dnslookup T=remote_smtp H=mx.example.com [198.51.100.10]: SMTP error from remote mail server after RCPT TO:<user@example.com>: 550 5.1.1 <user@example.com>: Recipient address rejected: User unknown`, "exim", Bounced, cause.NoSuchUser, "mx.example.com", "user@example.com"},
		{"exim deferred", `2026-11-23 10:00:01 1tABcd-000123-4E == user@example.com R=dnslookup T=remote_smtp defer (-44) H=mx.example.com [198.51.100.10]: SMTP error from remote mail server after RCPT TO:<user@example.com>: 451 4.7.1 Greylisting in action, please come back later`, "exim", Deferred, cause.Greylisted, "mx.example.com", "user@example.com"},
		{"exim connect", `2026-11-23 10:00:01 1tABcd-000123-4E == user@example.com R=dnslookup T=remote_smtp defer (110): Connection timed out`, "exim", Deferred, cause.ConnectionTimeout, "", "user@example.com"},
		{"exim retry", `2026-11-23 10:00:01 1tABcd-000123-4E ** user@example.com R=dnslookup T=remote_smtp: retry timeout exceeded`, "exim", Bounced, cause.Expired, "", "user@example.com"},
		{"exim unrouteable", `2026-11-23 10:00:01 1tABcd-000123-4E ** user@example.invalid: Unrouteable address`, "exim", Bounced, cause.NoSuchUser, "", "user@example.invalid"},
		{"exim arrival", `2026-11-23 10:00:01 1tABcd-000123-4E <= a@example.org H=client.example.org [192.0.2.25] P=esmtps S=1234`, "exim", "", "", "", ""},
		{"exim completed", `2026-11-23 10:00:01 1tABcd-000123-4E Completed`, "exim", "", "", "", ""},
		{"exim refusal", `2026-11-23 10:00:01 H=(localhost) [192.0.2.25] F=<a@example.org> rejected RCPT <b@example.com>: relay not permitted`, "exim", Refused, cause.RelayDenied, "", "b@example.com"},

		{"sendmail sent", `Nov 23 10:00:01 mx1 sm-mta[1]: 4ANA01ab012345: to=<user@example.com>, ctladdr=<a@example.org> (1/1), delay=00:00:01, xdelay=00:00:01, mailer=esmtp, pri=120, relay=mx.example.com. [198.51.100.10], dsn=2.0.0, stat=Sent (OK id=1 user unknown)`, "sendmail", Sent, cause.Delivered, "mx.example.com", "user@example.com"},
		{"sendmail unknown", `Nov 23 10:00:01 mx1 sendmail[1]: 4ANA01ab012345: to=<user@example.com>, delay=00:00:01, mailer=esmtp, relay=mx.example.com. [198.51.100.10], dsn=5.1.1, stat=User unknown`, "sendmail", Bounced, cause.NoSuchUser, "mx.example.com", "user@example.com"},
		{"sendmail deferred", `Nov 23 10:00:01 mx1 sendmail[1]: 4ANA01ab012345: to=<user@example.com>, relay=mx.example.com. [198.51.100.10], dsn=4.0.0, stat=Deferred: Connection refused by mx.example.com.`, "sendmail", Deferred, cause.ConnectionRefused, "mx.example.com", "user@example.com"},

		{"opensmtpd failed", `Nov 23 10:00:01 mx1 smtpd[1]: 8a1b2c3d4e5f6071 mta delivery evpid=0123456789abcdef from=<a@example.org> to=<user@example.com> rcpt=<-> source="192.0.2.25" relay="198.51.100.10 (mx.example.com)" delay=1s result="PermFail" stat="550 5.1.1 User unknown"`, "opensmtpd", Bounced, cause.NoSuchUser, "mx.example.com", "user@example.com"},
		{"opensmtpd ok", `Nov 23 10:00:01 mx1 smtpd[1]: 8a1b2c3d4e5f6071 mta delivery evpid=0123456789abcdef from=<a@example.org> to=<user@example.com> rcpt=<-> source="192.0.2.25" relay="198.51.100.10 (mx.example.com)" delay=1s result="Ok" stat="250 2.0.0 queued"`, "opensmtpd", Sent, cause.Delivered, "mx.example.com", "user@example.com"},
		{"qmail failure", `@400000006741a1b21234abcd delivery 5: failure: 198.51.100.10_does_not_like_recipient./Remote_host_said:_550_5.1.1_User_unknown/Giving_up_on_198.51.100.10./`, "qmail", Bounced, cause.NoSuchUser, "", ""},
		{"qmail success", `@400000006741a1b21234abcd delivery 5: success: 198.51.100.10_accepted_message./Remote_host_said:_250_ok_user_unknown/`, "qmail", Sent, cause.Delivered, "", ""},
		{"qmail deferral", `Nov 23 10:00:01 mx1 qmail: 1732356001.123456 delivery 6: deferral: Sorry,_I_wasn't_able_to_establish_an_SMTP_connection._(#4.4.1)/`, "qmail", Deferred, cause.ConnectionTimeout, "", ""},
		{"powermta", `b,2026-11-23 10:00:01+0100,2026-11-23 10:00:00+0100,a@example.org,user@example.com,,failed,5.1.1 (bad destination mailbox address),"smtp;550 5.1.1 User unknown, sorry",mx.example.com (198.51.100.10),bad-mailbox,smtp`, "powermta", Bounced, cause.NoSuchUser, "mx.example.com", "user@example.com"},
		{"powermta delivered", `d,2026-11-23 10:00:01+0100,2026-11-23 10:00:00+0100,a@example.org,user@example.com,,relayed,2.0.0 (success),smtp;250 2.0.0 OK,mx.example.com (198.51.100.10),,smtp`, "powermta", Sent, cause.Delivered, "mx.example.com", "user@example.com"},
		{"kumomta", `{"type":"Bounce","id":"abc","sender":"a@example.org","recipient":["user@example.com"],"peer_address":{"name":"mx.example.com.","addr":"198.51.100.10"},"timestamp":1732356001,"response":{"code":550,"enhanced_code":{"class":5,"subject":7,"detail":1},"content":"Message rejected as spam","command":null}}`, "kumomta", Bounced, cause.ContentSpam, "mx.example.com", "user@example.com"},
		{"haraka", `Nov 23 10:00:01 mx1 haraka: [NOTICE] [A1B2C3D4-1.1] [outbound] delivered file=1 domain=example.com host=mx.example.com ip=198.51.100.10 port=25 mode=MTA tls=Y auth=N response="250 ok spam" delay=1 fails=0 rcpts=1/0/0`, "haraka", Sent, cause.Delivered, "mx.example.com", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, ok := LogLine(tt.line)
			if !ok {
				t.Fatalf("not read: %s", tt.line)
			}
			if l.Format != tt.format || l.Outcome != tt.outcome || l.Relay != tt.relay || l.Recipient != tt.rcpt {
				t.Errorf("%s %q relay %q rcpt %q; want %s %q %q %q", l.Format, l.Outcome, l.Relay, l.Recipient, tt.format, tt.outcome, tt.relay, tt.rcpt)
			}
			if l.Result.Cause != tt.cause {
				t.Errorf("cause %q (%s, %q), want %q", l.Result.Cause, l.Result.Entry, l.Result.Text, tt.cause)
			}
			if tt.outcome == Deferred && !l.Result.Temporary || (tt.outcome == Bounced || tt.outcome == Expired) && l.Result.Temporary {
				t.Errorf("temporary is %v", l.Result.Temporary)
			}
			if tt.outcome != "" && tt.outcome != Refused {
				if r := Reply(tt.line); r.Cause != tt.cause {
					t.Errorf("Reply gives %s", r.Cause)
				}
			}
		})
	}
}

// TestNoLogLine wants nothing read out of other lines.
func TestNoLogLine(t *testing.T) {
	for _, s := range []string{
		"", " ", "hello", "550 5.1.1 User unknown", "550-5.7.26 status=bounced", "Nov 23 10:00:01 host sshd[1]: Failed password for root",
		"to=<a@b>, status=bounced (x)", "Subject: 1tABcd-000123-4E ** a@b", `{"type":"x"}`, `{`, "2026-11-23 10:00:01 started", "delivery 5: what: x",
	} {
		if l, ok := LogLine(s); ok && l.Outcome != "" {
			t.Errorf("%q is read as %s %s", s, l.Format, l.Outcome)
		}
	}
}

func TestStamp(t *testing.T) {
	for _, tt := range []struct{ in, want, rest string }{
		{"Nov  3 01:02:03 host x", "0000-11-03T01:02:03Z", "host x"},
		{"2026-11-23T10:00:01.123456+01:00 host x", "2026-11-23T10:00:01+01:00", "host x"},
		{"2026-11-23T10:00:01Z host x", "2026-11-23T10:00:01Z", "host x"},
		{"2026-11-23 10:00:01 1abc", "2026-11-23T10:00:01Z", "1abc"},
		{"2026-11-23 10:00:01.123 -0330 1abc", "2026-11-23T10:00:01-03:30", "1abc"},
		{"2026-11-23T10:00:01+0100 host x", "2026-11-23T10:00:01+01:00", "host x"},
		{"@400000006741a1b21234abcd x", "2024-11-23T09:34:32Z", "x"},
	} {
		got, rest, ok := stamp(tt.in)
		if !ok || got.Format("2006-01-02T15:04:05Z07:00") != tt.want || rest != tt.rest {
			t.Errorf("%q gives %s %q %v", tt.in, got.Format("2006-01-02T15:04:05Z07:00"), rest, ok)
		}
	}
}

// TestGmailID: the word in front of "gsmtp" is the session's, unless the address
// of the help page is the last word of the text.
func TestGmailID(t *testing.T) {
	const text = "550 5.7.26 Your email has been blocked because the sender is unauthenticated. https://support.google.com/mail/answer/81126#authentication "
	for end, want := range map[string]string{"d9443c01a7336-23f.155 - gsmtp": "d9443c01a7336-23f.155", "- gsmtp": ""} {
		if r := Reply(text + end); r.Said.ID != want || r.Cause != cause.Unauthenticated {
			t.Errorf("%q: id %q, want %q; %s", end, r.Said.ID, want, r.Cause)
		}
	}
}
