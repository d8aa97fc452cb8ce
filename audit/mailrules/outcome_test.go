package mailrules

import (
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/mail"
)

// with changes a scenario.
func with(s audit.Scenario, change func(*audit.Scenario)) audit.Scenario {
	change(&s)
	return s
}

// forwarded is the good mail, sent on by a host that is not in the author's record.
func forwarded(changes ...string) audit.Scenario {
	return with(good(), func(s *audit.Scenario) {
		s.Zone += "fwd.example. 60 IN A 198.51.100.7\n7.100.51.198.in-addr.arpa. 60 IN PTR fwd.example.\n"
		s.Changes = append([]string{"Received: from mail.example.org (mail.example.org [192.0.2.25])", "Received: from fwd.example (fwd.example [198.51.100.7])\n\tby mx.example.net with ESMTPS id 9; Sun, 01 Nov 2026 12:00:04 +0000\n" +
			"Received: from mail.example.org (mail.example.org [192.0.2.25])", "by mx.example.net (Postfix)", "by fwd.example (Postfix)"}, changes...)
	})
}

// TestOutcomes tries what the scenarios of the pages do not: severities by
// circumstance, and what cannot be known.
func TestOutcomes(t *testing.T) {
	faults := func(list ...string) audit.Scenario {
		return with(good(), func(s *audit.Scenario) { s.Faults = list })
	}
	trusted := "dkim=pass header.d=example.org header.s=s1"
	for _, tt := range []struct {
		name     string
		scenario audit.Scenario
		rule     audit.ID
		want     audit.Outcome
		severity audit.Severity // of the first finding
		says     string
	}{
		{"SPF and DKIM fail", with(zoned("ip4:192.0.2.25", "ip4:192.0.2.99"), func(s *audit.Scenario) { s.Signers = nil }), "AUTH001", audit.Fail, audit.Error, "mailcheck"},
		{"SPF fails and DKIM does not", zoned("ip4:192.0.2.25", "ip4:192.0.2.99"), "AUTH001", audit.Fail, audit.Warning, ""},
		{"SPF of a forwarder", forwarded(), "AUTH001", audit.Fail, audit.Notice, "forwarded"},
		{"DMARC of a forwarded mail", forwarded(), "AUTH010", audit.Pass, 0, ""},
		{"a forwarder that adds no ARC", forwarded(), "AUTH024", audit.Fail, audit.Notice, "ARC"},
		{"one that breaks DMARC is told once", forwarded("Subject: Your order", "Subject: [x] Your order"), "AUTH024", audit.NotApplicable, 0, ""},
		{"not forwarded", good(), "AUTH024", audit.NotApplicable, 0, ""},
		{"forwarded and changed", forwarded("Subject: Your order", "Subject: [x] Your order"), "AUTH010", audit.Fail, audit.Error, "ARC"},
		{"DNS is silent on SPF", faults("example.org TXT servfail"), "AUTH001", audit.Unknown, 0, ""},
		{"and on the key", faults("s1._domainkey.example.org TXT timeout"), "AUTH004", audit.Unknown, 0, ""},
		{"one of two is enough", faults("s1._domainkey.example.org TXT timeout"), "AUTH010", audit.Pass, 0, ""},
		{"and none is not", faults("s1._domainkey.example.org TXT servfail", "example.org TXT servfail"), "AUTH010", audit.Unknown, 0, ""},
		{"DNS is silent on the policy", faults("_dmarc.example.org TXT servfail"), "AUTH011", audit.Unknown, 0, ""},
		{"and on the name of the client", faults("25.2.0.192.in-addr.arpa PTR servfail"), "AUTH018", audit.Unknown, 0, ""},
		{"and on the MX", faults("example.org MX servfail"), "AUTH022", audit.Unknown, 0, ""},
		{"p=none", with(zoned("p=reject", "p=none", "ip4:192.0.2.25", "ip4:192.0.2.99"), func(s *audit.Scenario) { s.Signers = nil }), "AUTH010", audit.Fail, audit.Warning, ""},
		{"changed after the receiver looked", with(results(trusted), func(s *audit.Scenario) {
			s.Changes = append(s.Changes, "Subject: Your order", "Subject: [x] Your order")
		}), "AUTH004", audit.Unknown, 0, ""},
		{"and that is told", with(results(trusted), func(s *audit.Scenario) {
			s.Changes = append(s.Changes, "Subject: Your order", "Subject: [x] Your order")
		}), "AUTH016", audit.Fail, audit.Notice, ""},
		{"text added behind l=", with(good(), func(s *audit.Scenario) {
			s.Signers, s.Changes = []string{"example.org length"}, []string{"on its way.\n", "on its way.\nBuy more.\n"}
		}), "AUTH007", audit.Fail, audit.Error, ""},
		{"no evidence of TLS is none against it", mailed("(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\n\t", "", "ESMTPS", "ESMTP"), "AUTH021", audit.Unknown, 0, ""},
		{"a bounce without a signature", with(mailed("<news@example.org>\nReceived", "<>\nReceived", "From: Example Shop <news", "From: <mailer-daemon"), func(s *audit.Scenario) {
			s.Signers = nil
			s.Zone += "mail.example.org. 60 IN TXT \"v=spf1 a -all\"\n"
		}), "AUTH003", audit.Fail, audit.Notice, ""},
		{"no author", unsigned(mailed("From: Example Shop <news@example.org>\n", "")), "AUTH010", audit.NotApplicable, 0, ""},
		{"mail to one needs no unsubscribing", good(), "UNS001", audit.NotApplicable, 0, ""},
		{"a key that cannot be read leaves one-click open", with(letter(uri+post), func(s *audit.Scenario) { s.Faults = []string{"s1._domainkey.example.org TXT servfail"} }), "UNS004", audit.Unknown, 0, ""},
		{"an archive is no danger", mailed("text/plain; charset=utf-8", `multipart/mixed; boundary="b"`, body,
			"\n--b\nContent-Type: text/plain\n\nHello Ann.\n--b\nContent-Type: application/zip; name=\"a.zip\"\nContent-Disposition: attachment; filename=\"a.zip\"\n\nPK\n--b--\n"), "MSG020", audit.Pass, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, r := try(t, tt.scenario)
			if got := r.Outcome(tt.rule); got != tt.want {
				t.Fatalf("outcome %q, want %q; findings:\n%s", got, tt.want, strings.Join(ids(r), "\n"))
			}
			if tt.want != audit.Fail {
				return
			}
			f := find(r, tt.rule)[0]
			if f.Severity != tt.severity || !strings.Contains(f.Message+f.Fix.Text, tt.says) {
				t.Errorf("%s: %s (%s)", f.Severity, f.Message, f.Fix.Text)
			}
		})
	}
}

// TestProfiles tries the demands that one mail decides.
func TestProfiles(t *testing.T) {
	verdicts := func(s audit.Scenario, opt mail.Options) map[string]audit.Verdict {
		r := audit.RunMail(gather(t, s, opt), All(), audit.Options{Profiles: Profiles()})
		out := map[string]audit.Verdict{}
		for _, p := range r.Profiles {
			for _, q := range p.Requirements {
				out[q.ID] = q.Verdict
				if q.Reason == "" {
					t.Errorf("%s: no reason for %s", q.ID, q.Verdict)
				}
			}
		}
		return out
	}
	const pass, fail, unknown, not, unseen = audit.Met, audit.Unmet, audit.Undecided, audit.Inapplicable, audit.NotInMail
	for _, tt := range []struct {
		name     string
		scenario audit.Scenario
		opt      mail.Options
		want     map[string]audit.Verdict
	}{
		{"good", good(), mail.Options{}, map[string]audit.Verdict{
			"gmail-auth": pass, "gmail-ptr": pass, "gmail-tls": pass, "gmail-spam-rate": unseen, "gmail-format": pass, "gmail-from": pass,
			"gmail-bulk-spf": pass, "gmail-bulk-dkim": pass, "gmail-bulk-dmarc": pass, "gmail-bulk-alignment": pass, "gmail-bulk-unsubscribe": not,
			"yahoo-format": pass, "yahoo-domain": pass, "yahoo-bulk-alignment": pass, "outlook-bulk-alignment": pass, "outlook-bulk-reply": pass,
			"outlook-bulk-unsubscribe": not, "icloud-bulk-unsubscribe": not}},
		{"newsletter", letter(uri + post), mail.Options{}, map[string]audit.Verdict{"gmail-bulk-unsubscribe": pass, "yahoo-bulk-unsubscribe": pass, "icloud-bulk-unsubscribe": pass}},
		{"newsletter without", letter(""), mail.Options{}, map[string]audit.Verdict{"gmail-bulk-unsubscribe": fail, "yahoo-bulk-unsubscribe": fail, "outlook-bulk-unsubscribe": pass}},
		{"mailto is enough for Yahoo", letter("List-Unsubscribe: <mailto:leave@example.org>\n"), mail.Options{}, map[string]audit.Verdict{"gmail-bulk-unsubscribe": fail, "yahoo-bulk-unsubscribe": pass}},
		{"said to be bulk", good(), mail.Options{Bulk: true}, map[string]audit.Verdict{"gmail-bulk-unsubscribe": fail, "icloud-bulk-unsubscribe": fail}},
		{"SPF alone", with(good(), func(s *audit.Scenario) { s.Signers = nil }), mail.Options{}, map[string]audit.Verdict{
			"gmail-auth": pass, "gmail-bulk-dkim": fail, "gmail-bulk-spf": pass, "gmail-bulk-alignment": pass, "outlook-bulk-dkim": fail, "icloud-bulk-dkim": fail}},
		{"DKIM alone", zoned("ip4:192.0.2.25", "ip4:192.0.2.99"), mail.Options{}, map[string]audit.Verdict{"gmail-auth": pass, "gmail-bulk-spf": fail, "outlook-bulk-spf": fail, "outlook-bulk-dkim": pass}},
		{"neither", with(zoned("ip4:192.0.2.25", "ip4:192.0.2.99"), func(s *audit.Scenario) { s.Signers = nil }), mail.Options{}, map[string]audit.Verdict{"gmail-auth": fail, "yahoo-auth": fail, "gmail-bulk-alignment": fail}},
		{"two subjects", mailed("Subject:", "Subject: Other\nSubject:"), mail.Options{}, map[string]audit.Verdict{"gmail-format": fail, "yahoo-format": fail}},
		{"no PTR", zoned("25.2.0.192.in-addr.arpa. 3600 IN PTR mail.example.org.", ""), mail.Options{}, map[string]audit.Verdict{"gmail-ptr": fail, "outlook-ptr": fail}},
		{"TLS not told", mailed("(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\n\t", "", "ESMTPS", "ESMTP"), mail.Options{}, map[string]audit.Verdict{"gmail-tls": unknown}},
		{"no policy", zoned("v=DMARC1", "nothing"), mail.Options{}, map[string]audit.Verdict{"gmail-bulk-dmarc": fail, "gmail-bulk-alignment": pass}},
		{"no trace", with(good(), func(s *audit.Scenario) { s.Mail = head + body }), mail.Options{}, map[string]audit.Verdict{"gmail-auth": pass, "gmail-ptr": unknown, "gmail-tls": unknown, "gmail-bulk-spf": unknown, "gmail-bulk-dkim": pass}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := verdicts(tt.scenario, tt.opt)
			for id, want := range tt.want {
				if got[id] != want {
					t.Errorf("%s: %q, want %q", id, got[id], want)
				}
			}
		})
	}
}

// TestProfileData refuses a demand that names no rule, or one that does not exist.
func TestProfileData(t *testing.T) {
	known := map[audit.ID]bool{}
	for _, r := range All() {
		known[r.ID] = true
	}
	seen := map[string]bool{}
	for _, p := range Profiles() {
		for _, q := range p.Requirements {
			seen[q.ID] = true
			list := q.Rules
			for _, g := range q.Any {
				list = append(list, g...)
			}
			for _, id := range list {
				if !known[id] {
					t.Errorf("%s names %s, which is no rule on mails", q.ID, id)
				}
			}
			if len(list) == 0 && !strings.HasSuffix(q.ID, "-spam-rate") && !strings.HasSuffix(q.ID, "-blocklist") {
				t.Errorf("%s is decided by nothing", q.ID)
			}
		}
	}
	for id := range decisions() {
		if !seen[id] {
			t.Errorf("%s is no demand of any receiver", id)
		}
	}
}
