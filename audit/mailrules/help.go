package mailrules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/mail"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/resolve"
)

const since = "0.2"

// part is the subject of a finding about a place in the mail.
func part(format string, args ...any) audit.Subject {
	return audit.Subject{Term: fmt.Sprintf(format, args...)}
}

// field is the subject of a finding about a header field.
func field(name string) audit.Subject { return part("%s field", name) }

// short cuts foreign text for a message.
func short(s string) string {
	const limit = 80
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "..."
}

// some joins the first few of a list.
func some(list []string) string {
	const few = 4
	var out []string
	for i, s := range list {
		if i == few {
			return strings.Join(out, ", ") + fmt.Sprintf(" and %d more", len(list)-few)
		}
		out = append(out, short(s))
	}
	return strings.Join(out, ", ")
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// unjudged says that the signatures could not be judged, if that is so.
func unjudged(c *audit.Case) bool {
	if err := c.Mail.VerifyErr; err != nil {
		c.Unknown("the signatures could not be verified: %v", err)
		return true
	}
	return false
}

// inside says that no other server handed the mail over, if that is so.
func inside(c *audit.Case) bool {
	f := c.Mail
	if f.Client.Inside {
		c.NotApplicable("%s", f.SPF.Reason)
		return true
	}
	return false
}

// passing lists the signatures that verify.
func passing(f *mail.Facts) []*dkim.Signature {
	var out []*dkim.Signature
	for i := range f.DKIM.Signatures {
		if s := &f.DKIM.Signatures[i]; s.Status == dkim.Pass {
			out = append(out, s)
		}
	}
	return out
}

// undecided reports whether a signature could still turn out to be good.
func undecided(f *mail.Facts) bool {
	return f.VerifyErr != nil || slices.ContainsFunc(f.DKIM.Signatures, func(s dkim.Signature) bool {
		return s.Status == dkim.TempError || s.Status == dkim.Neutral
	})
}

// signature is the subject of a finding about a signature: its key record.
func signature(s *dkim.Signature) audit.Subject {
	term := "signature d=" + short(s.Domain) + " s=" + short(s.Selector)
	if s.Key.Name.IsZero() {
		return part("%s", term)
	}
	return audit.Subject{Name: s.Key.Name, Type: resolve.TypeTXT, Term: term}
}

// worse is Error where nothing else authenticates the mail, and otherwise elsewhere.
func worse(f *mail.Facts, otherwise audit.Severity) audit.Severity {
	if !f.SPF.Passes() && f.SPF.Checked && len(passing(f)) == 0 && !undecided(f) {
		return audit.Error
	}
	return otherwise
}

// References of rules.
var (
	icloudSenders  = audit.Ref{Title: "Postmaster information for iCloud Mail", URL: "https://support.apple.com/en-us/102322"}
	gmailSenders   = audit.Ref{Title: "Gmail email sender guidelines", URL: "https://support.google.com/mail/answer/81126"}
	yahooSenders   = audit.Ref{Title: "Yahoo sender best practices", URL: "https://senders.yahooinc.com/best-practices"}
	outlookSenders = audit.Ref{Title: "Outlook.com requirements for high-volume senders", URL: "https://techcommunity.microsoft.com/blog/microsoftdefenderforoffice365blog/strengthening-email-ecosystem-outlook%E2%80%99s-new-requirements-for-high%E2%80%90volume-senders/4399730"}
	gmailBlocked   = audit.Ref{Title: "Gmail, file types that are blocked", URL: "https://support.google.com/mail/answer/6590"}
)

func must(rfc int, section string) audit.Ref {
	return audit.Ref{RFC: rfc, Section: section, Level: audit.Must}
}

func should(rfc int, section string) audit.Ref {
	return audit.Ref{RFC: rfc, Section: section, Level: audit.Should}
}

func says(rfc int, section string) audit.Ref { return audit.Ref{RFC: rfc, Section: section} }
