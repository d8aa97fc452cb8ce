package facts

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/message"
)

func read(s string) Facts {
	return Read(message.Parse([]byte(s), message.Options{}), time.Date(2024, 2, 1, 10, 0, 0, 0, time.UTC))
}

const good = "From: Jane <jane@example.org>\nTo: b@example.net\nDate: Thu, 1 Feb 2024 10:00:00 +0000\nMessage-ID: <1@example.org>\nSubject: hello\n"

// TestFields: RFC 5322, Section 3.6.
func TestFields(t *testing.T) {
	tests := []struct{ name, header, missing, repeated, empty string }{
		{"good", good, "", "", ""},
		{"nothing", "X-A: b\n", "From Date Message-ID Subject To", "", ""},
		{"twice", good + "From: evil@example.com\nsubject: x\nSUBJECT: y\n", "", "From:2 Subject:3", ""},
		{"empty", "From:\nTo: \nDate: \nMessage-ID:\nSubject:\n", "", "", "From Date Message-ID Subject To"},
		{"Bcc alone", strings.Replace(good, "To: b@example.net", "Bcc:", 1), "", "", ""},
		{"Cc alone", strings.Replace(good, "To:", "Cc:", 1), "", "", ""},
	}
	for _, tt := range tests {
		f := read(tt.header + "\nx")
		var rep []string
		for _, r := range f.Repeated {
			rep = append(rep, fmt.Sprintf("%s:%d", r.Name, r.Count))
		}
		if strings.Join(f.Missing, " ") != tt.missing || strings.Join(rep, " ") != tt.repeated || strings.Join(f.Empty, " ") != tt.empty {
			t.Errorf("%s: missing %v, repeated %v, empty %v", tt.name, f.Missing, rep, f.Empty)
		}
		if _, err := json.Marshal(f); err != nil {
			t.Error(err)
		}
	}
}

func TestDate(t *testing.T) {
	tests := []struct {
		in, problem string
		off         time.Duration
	}{
		{"Date: Thu, 1 Feb 2024 10:00:00 +0000\n", "", 0},
		{"Date: Thu, 1 Feb 2024 12:30:00 +0000\n", "", 150 * time.Minute},
		{"Date: Thu, 1 Jan 1970 00:00:01 +0000\n", "", 0},
		{"Date: Thu, 1 Feb 2024 10:00:00 GMT\n", "form", 0},
		{"Date: yesterday\n", "unreadable", 0},
		{"X: y\n", "missing", 0},
	}
	for _, tt := range tests {
		d := read(tt.in + "\n").Date
		if strings.Contains(tt.in, "1970") {
			if d.Off > -50*365*24*time.Hour {
				t.Errorf("%s: %v", tt.in, d.Off)
			}
			continue
		}
		if d.Problem != tt.problem || d.Off != tt.off {
			t.Errorf("%s: %q %v", tt.in, d.Problem, d.Off)
		}
	}
	if d := Read(message.Parse([]byte(good+"\n"), message.Options{}), time.Time{}).Date; d.Off != 0 || d.Time.IsZero() {
		t.Errorf("%+v", d)
	}
}

// TestMessageID: RFC 5322, Section 3.6.4.
func TestMessageID(t *testing.T) {
	tests := []struct{ in, id, domain, problem string }{
		{"<1@example.org>", "1@example.org", "example.org", ""},
		{"(c) <1@example.org>", "1@example.org", "example.org", ""},
		{"1@example.org", "1@example.org", "example.org", "no-brackets"},
		{"<1>", "1", "", "no-domain"},
		{"<1@>", "1@", "", "no-domain"},
		{"<@example.org>", "@example.org", "example.org", "form"},
		{"<a b@example.org>", "a b@example.org", "example.org", "form"},
		{"<a@b@example.org>", "a@b@example.org", "example.org", "form"},
		{"", "", "", "missing"},
	}
	for _, tt := range tests {
		m := read("Message-ID: " + tt.in + "\n\n").MessageID
		if m.ID != tt.id || m.Domain != tt.domain || m.Problem != tt.problem {
			t.Errorf("%s: %+v", tt.in, m)
		}
	}
}

func TestOddities(t *testing.T) {
	tests := []struct {
		name, header string
		ok           func(Facts) bool
	}{
		{"8 bit", "Subject: \xe4\n", func(f Facts) bool { return len(f.EightBit) == 1 && !f.EightBit[0].UTF8 && f.NeedsSMTPUTF8 }},
		{"UTF-8", "Subject: ä\n", func(f Facts) bool { return len(f.EightBit) == 1 && f.EightBit[0].UTF8 && f.NeedsSMTPUTF8 }},
		{"encoded words are ASCII", "Subject: =?utf-8?Q?=C3=A4?=\n", func(f Facts) bool { return len(f.EightBit) == 0 && !f.NeedsSMTPUTF8 && f.Subject == "ä" }},
		{"reply alone", "Subject: Re: x\n", func(f Facts) bool { return f.ReplyAlone }},
		{"reply", "Subject: Re: x\nIn-Reply-To: <1@a>\n", func(f Facts) bool { return !f.ReplyAlone }},
		{"no reply", "From: No-Reply@example.org\n", func(f Facts) bool { return f.NoReply }},
		{"a name that replies", "From: norepa@example.org\n", func(f Facts) bool { return !f.NoReply }},
		{"address in the name", "From: \"service@bank.example\" <x@evil.example>\n", func(f Facts) bool { return f.AddressInName == "service@bank.example" }},
		{"its own address in the name", "From: \"x@example.org\" <X@example.org>\n", func(f Facts) bool { return f.AddressInName == "" }},
		{"empty name", "To: \"\" <a@example.org>\n", func(f Facts) bool { return len(f.EmptyNames) == 1 }},
		{"template", "Subject: Hello {{first_name}}\n", func(f Facts) bool { return len(f.Placeholders) == 1 }},
		{"automatic", "Auto-Submitted: Auto-Generated (x); owner=y\n", func(f Facts) bool { return f.AutoSubmitted == "auto-generated" }},
		{"bulk", "Precedence: Bulk\n", func(f Facts) bool { return f.Bulk && f.Precedence == "bulk" }},
		{"list", "List-Id: <x.example.org>\nFeedback-ID: 1:2:3:x\n", func(f Facts) bool { return f.Bulk && f.FeedbackID == "1:2:3:x" }},
		{"two authors", "From: a@example.org, b@example.net\n", func(f Facts) bool { return len(f.Author.Domains) == 2 }},
		{"REQUIRETLS", "TLS-Required: No\n", func(f Facts) bool { return f.TLSRequired == "No" }},
	}
	for _, tt := range tests {
		if f := read(tt.header + "\n"); !tt.ok(f) {
			t.Errorf("%s: %+v", tt.name, f)
		}
	}
}

// TestUnsubscribe: RFC 8058, Section 3.1, and how it breaks.
func TestUnsubscribe(t *testing.T) {
	const post = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
	tests := []struct {
		name, header string
		oneClick     bool
		problems     string
	}{
		{"good", "List-Unsubscribe: <https://example.org/u?id=1>\n" + post, true, ""},
		{"with mailto", "List-Unsubscribe: <mailto:u@example.org>,\n <https://example.org/u?id=1>\n" + post, true, ""},
		{"no post", "List-Unsubscribe: <https://example.org/u?id=1>\n", false, ""},
		{"mailto alone", "List-Unsubscribe: <mailto:u@example.org?subject=x>\n" + post, false, ""},
		{"http", "List-Unsubscribe: <http://example.org/u?id=1>\n" + post, false, ""},
		{"no brackets", "List-Unsubscribe: https://example.org/u?id=1\n" + post, false, "no-brackets"},
		{"folded", "List-Unsubscribe: <https://example.org/\n u?id=1>\n" + post, false, "white-space"},
		{"template", "List-Unsubscribe: <{unsubscribe}>\n" + post, false, "placeholder bad-uri"},
		{"template in a URI", "List-Unsubscribe: <https://example.org/{{unsubscribe_id}}>\n" + post, false, "placeholder"},
		{"twice", "List-Unsubscribe: <https://example.org/u>\nList-Unsubscribe: <https://example.org/v>\n" + post, false, ""},
		{"post twice", "List-Unsubscribe: <https://example.org/u>\n" + post + post, false, ""},
		{"other value", "List-Unsubscribe: <https://example.org/u>\nList-Unsubscribe-Post: One-Click\n", false, ""},
		{"encoded word", "List-Unsubscribe: =?us-ascii?Q?=3Chttps=3A//example.org/u=3E?=\n" + post, false, "encoded-word"},
		{"user name", "List-Unsubscribe: <https://a@b@169.254.169.254/>\n" + post, false, "userinfo"},
		{"no host", "List-Unsubscribe: <https:///u>\n" + post, false, "bad-uri"},
		{"not ASCII", "List-Unsubscribe: <https://example.org/ä>\n" + post, false, "non-ascii"},
		{"open bracket", "List-Unsubscribe: <https://example.org/u\n" + post, false, "no-brackets"},
		{"nothing", "", false, ""},
	}
	for _, tt := range tests {
		u := read(tt.header + "\n").Unsubscribe
		var problems []string
		for _, x := range u.URIs {
			problems = append(problems, x.Problems...)
		}
		if u.OneClick != tt.oneClick || strings.Join(problems, " ") != tt.problems {
			t.Errorf("%s: %v %v", tt.name, u.OneClick, problems)
		}
	}
	u := read("List-Unsubscribe: " + strings.Repeat("<https://example.org/u>, ", 5000) + "\n\n").Unsubscribe
	if len(u.URIs) != maxURIs {
		t.Errorf("%d URIs", len(u.URIs))
	}
}

func TestIsPlaceholder(t *testing.T) {
	for _, s := range []string{"{unsubscribe}", "{{ name }}", "%%email%%", "[[link]]", "*|FNAME|*", "<%= id %>", "https://example.org/%7Bid%7D", "${user.name}"} {
		if !IsPlaceholder(s) {
			t.Errorf("%q", s)
		}
	}
	for _, s := range []string{"", "hello", "{}", "{ \"a\": 1, \"b\": 2 }", "100%% sure", "[1]", "a {"} {
		if IsPlaceholder(s) {
			t.Errorf("%q is one", s)
		}
	}
}
