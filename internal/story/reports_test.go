//go:build story

package story

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
)

// seen is what a receiver itself made of one mail.
type seen struct {
	stream   string
	receiver string
	ip       string
	envelope string // domain of MAIL FROM
	spf      aggregate.Result
	dkim     []aggregate.DKIM
	pass     bool // the receiver's DMARC, or what RFC 9989 makes of its SPF and DKIM if it has none
	refused  bool
}

// spfAligned and dkimAligned are DMARC's: story.example has relaxed alignment.
func (s seen) spfAligned() bool {
	return s.spf == aggregate.Pass && within(s.envelope, "story.example")
}

func (s seen) dkimAligned() bool {
	return slices.ContainsFunc(s.dkim, func(d aggregate.DKIM) bool {
		return d.Result.Value == aggregate.Pass && within(d.Domain, "story.example")
	})
}

func within(name, domain string) bool { return name == domain || strings.HasSuffix(name, "."+domain) }

// rspamdLine is what rspamd logs of a mail: who sent it, and all symbols.
var (
	rspamdLine   = regexp.MustCompile(`rspamd_task_write_log: id: <([^>]*)>.* ip: ([0-9a-fA-F.:]+),.* from: <([^>]*)>,.*: \[[^\]]*\] \[(.*)\]\), len:`)
	rspamdSymbol = regexp.MustCompile(`([A-Z0-9_]+)\([^)]*\)\{([^}]*)\}`)
)

// bySymbols reads the verdict of the big receiver from rspamd's log.
func (m *mailHosts) bySymbols(stream, id string) seen {
	h := m.big
	h.w.t.Helper()
	var line []string
	h.wait("rspamd's verdict on "+id, func() bool {
		for l := range strings.SplitSeq(h.read("/var/log/rspamd/rspamd.log"), "\n") {
			if f := rspamdLine.FindStringSubmatch(l); f != nil && f[1] == id {
				line = f
				return true
			}
		}
		return false
	})
	s := seen{stream: stream, receiver: "big.example", ip: line[2], spf: aggregate.ResultNone}
	_, s.envelope, _ = strings.Cut(line[3], "@")
	spf := map[string]aggregate.Result{"R_SPF_ALLOW": aggregate.Pass, "R_SPF_FAIL": aggregate.Fail, "R_SPF_SOFTFAIL": aggregate.SoftFail, "R_SPF_NEUTRAL": aggregate.Neutral,
		"R_SPF_PERMFAIL": aggregate.PermError, "R_SPF_DNSFAIL": aggregate.TempError}
	dkim := map[string]aggregate.Result{"R_DKIM_ALLOW": aggregate.Pass, "R_DKIM_REJECT": aggregate.Fail, "R_DKIM_PERMFAIL": aggregate.PermError, "R_DKIM_TEMPFAIL": aggregate.TempError}
	dmarc := ""
	for _, sym := range rspamdSymbol.FindAllStringSubmatch(line[4], -1) {
		name, options := sym[1], sym[2]
		if r, ok := spf[name]; ok {
			s.spf = r
		}
		if r, ok := dkim[name]; ok {
			for o := range strings.SplitSeq(options, ";") {
				if domain, selector, ok := strings.Cut(o, ":s="); ok {
					s.dkim = append(s.dkim, aggregate.DKIM{Domain: domain, Selector: selector, Result: aggregate.Of(r)})
				}
			}
		}
		if strings.HasPrefix(name, "DMARC_") {
			dmarc = name
		}
	}
	s.pass = dmarc == "DMARC_POLICY_ALLOW"
	if s.pass != (s.spfAligned() || s.dkimAligned()) {
		h.w.t.Errorf("rspamd on %s: %s, with SPF %s and DKIM %v", id, dmarc, s.spf, s.dkim)
	}
	return s
}

// What Exim writes in front of a mail.
var (
	eximSPF    = regexp.MustCompile(`\bspf=(\w+)`)
	eximDKIM   = regexp.MustCompile(`\bdkim=(\w+) [^;]*header\.d=([^\s;]+)(?: header\.i=[^\s;]+)? header\.s=([^\s;]+)`)
	eximClient = regexp.MustCompile(`Received: from [^\[]*\[([0-9a-fA-F.:]+)\]`)
	returnPath = regexp.MustCompile(`(?m)^Return-path: <[^@>]*@?([^>]*)>`)
)

// byHeader reads the verdict of the second receiver from the mail that it delivered.
func (m *mailHosts) byHeader(stream, id string) seen {
	h := m.second
	text := strings.ReplaceAll(h.delivered("seed", id), "\r\n", "\n")
	flat := strings.ReplaceAll(strings.ReplaceAll(text, "\n\t", " "), "\n ", " ")
	s := seen{stream: stream, receiver: "second.example"}
	if f := eximClient.FindStringSubmatch(flat); f != nil {
		s.ip = f[1]
	}
	if f := returnPath.FindStringSubmatch(text); f != nil {
		s.envelope = f[1]
	}
	own := ""
	for l := range strings.SplitSeq(flat, "\n") {
		if strings.HasPrefix(l, "Authentication-Results: mx.second.example") {
			own = l
			break
		}
	}
	if f := eximSPF.FindStringSubmatch(own); f != nil {
		s.spf = aggregate.Result(f[1])
	}
	for _, f := range eximDKIM.FindAllStringSubmatch(own, -1) {
		s.dkim = append(s.dkim, aggregate.DKIM{Domain: f[2], Selector: f[3], Result: aggregate.Of(aggregate.Result(f[1]))})
	}
	if s.ip == "" || s.spf == "" || s.envelope == "" {
		h.w.t.Fatalf("no verdict of Exim in\n%s", text)
	}
	s.pass = s.spfAligned() || s.dkimAligned()
	return s
}

// policy is what the receivers find published while the days of a report last.
type policy struct {
	p       aggregate.Disposition
	testing bool
	np      aggregate.Disposition
}

// reporter is a receiver that reports.
type reporter struct {
	receiver string // whose mail it counts
	org      string
	email    string
	old      bool // in the form of RFC 7489
	every    int  // days between two reports
	from     *host
}

// letterOf is the day's report as a mail (RFC 9990, Section 3.4.1: the subject and
// the name of the file).
func (r reporter) letterOf(day time.Time, pol policy, mails []seen, counts map[string]int64) (letter, error) {
	rep := &aggregate.Report{
		Metadata: aggregate.Metadata{OrgName: r.org, Email: r.email, ReportID: fmt.Sprintf("%s.%d", strings.ReplaceAll(r.org, ".", "-"), day.Unix()),
			Begin: day, End: day.AddDate(0, 0, 1).Add(-time.Second)},
		Policy: aggregate.Published{Domain: "story.example", P: aggregate.Of(pol.p), SP: aggregate.Of(pol.p), ADKIM: aggregate.Of(aggregate.Relaxed), ASPF: aggregate.Of(aggregate.Relaxed)},
	}
	if pol.testing {
		rep.Policy.Testing = aggregate.Of(aggregate.TestingYes)
	}
	if pol.np != "" {
		rep.Policy.NP = aggregate.Of(pol.np)
	}
	var records []*aggregate.Record
	for _, m := range mails {
		if n := counts[m.stream]; m.receiver == r.receiver && n > 0 {
			records = append(records, record(m, n, pol))
		}
	}
	var xml bytes.Buffer
	if r.old {
		writeOld(&xml, rep, records)
	} else if err := aggregate.Write(&xml, rep, slices.Values(records)); err != nil {
		return letter{}, err
	}
	var zip bytes.Buffer
	z := gzip.NewWriter(&zip)
	if _, err := z.Write(xml.Bytes()); err != nil {
		return letter{}, err
	}
	if err := z.Close(); err != nil {
		return letter{}, err
	}
	name := fmt.Sprintf("%s!story.example!%d!%d.xml.gz", r.org, rep.Metadata.Begin.Unix(), rep.Metadata.End.Unix())
	body := base64.StdEncoding.EncodeToString(zip.Bytes())
	var lines strings.Builder
	for len(body) > 76 {
		lines.WriteString(body[:76] + "\n")
		body = body[76:]
	}
	lines.WriteString(body + "\n")
	return letter{server: adminIP + ":25", helo: r.from.name, mailFrom: r.email, to: []string{"dmarc@story.example"}, data: fmt.Sprintf(`From: %s
To: dmarc@story.example
Date: %s
Message-ID: <%s@%s>
Subject: Report Domain: story.example Submitter: %s Report-ID: <%s>
MIME-Version: 1.0
Content-Type: application/gzip; name=%q
Content-Disposition: attachment; filename=%q
Content-Transfer-Encoding: base64

%s`, r.email, day.AddDate(0, 0, 1).Format(time.RFC1123Z), rep.Metadata.ReportID, r.org, r.org, rep.Metadata.ReportID, name, name, lines.String())}, nil
}

// record is one row: the mail of one stream.
func record(m seen, n int64, pol policy) *aggregate.Record {
	word := func(yes bool) aggregate.Word[aggregate.Result] {
		if yes {
			return aggregate.Of(aggregate.Pass)
		}
		return aggregate.Of(aggregate.Fail)
	}
	rec := &aggregate.Record{
		SourceIP: netip.MustParseAddr(m.ip), Count: n,
		Evaluated:   aggregate.Evaluated{Disposition: aggregate.Of(aggregate.None), DKIM: word(m.dkimAligned()), SPF: word(m.spfAligned())},
		Identifiers: aggregate.Identifiers{HeaderFrom: "story.example", EnvelopeFrom: m.envelope},
		DKIM:        m.dkim,
		SPF:         []aggregate.SPF{{Domain: m.envelope, Scope: aggregate.Of(aggregate.MailFrom), Result: aggregate.Of(m.spf)}},
	}
	switch {
	case m.pass:
	case pol.testing:
		rec.Evaluated.Reasons = []aggregate.Reason{{Type: aggregate.Of(aggregate.PolicyTestMode)}}
	case m.refused && pol.p != aggregate.Reject:
		rec.Evaluated.Disposition = aggregate.Of(aggregate.Reject)
		rec.Evaluated.Reasons = []aggregate.Reason{{Type: aggregate.Of(aggregate.LocalPolicy), Comment: aggregate.Text{Text: "unauthenticated"}}}
	default:
		rec.Evaluated.Disposition = aggregate.Of(pol.p)
	}
	return rec
}

// writeOld is the form of RFC 7489, Appendix C, as older receivers send it.
func writeOld(w *bytes.Buffer, rep *aggregate.Report, records []*aggregate.Record) {
	md, p := rep.Metadata, rep.Policy
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8" ?>
<feedback>
<report_metadata><org_name>%s</org_name><email>%s</email><report_id>%s</report_id><date_range><begin>%d</begin><end>%d</end></date_range></report_metadata>
<policy_published><domain>%s</domain><adkim>r</adkim><aspf>r</aspf><p>%s</p><sp>%s</sp><pct>100</pct></policy_published>
`, md.OrgName, md.Email, md.ReportID, md.Begin.Unix(), md.End.Unix(), p.Domain, p.P.Value, p.SP.Value)
	for _, r := range records {
		reasons := ""
		for _, x := range r.Evaluated.Reasons {
			if x.Type.Value != aggregate.PolicyTestMode { // RFC 7489 does not know it
				reasons += fmt.Sprintf("<reason><type>%s</type><comment>%s</comment></reason>", x.Type.Value, x.Comment.Text)
			}
		}
		fmt.Fprintf(w, `<record><row><source_ip>%s</source_ip><count>%d</count><policy_evaluated><disposition>%s</disposition><dkim>%s</dkim><spf>%s</spf>%s</policy_evaluated></row>
<identifiers><header_from>%s</header_from></identifiers>
<auth_results>`, r.SourceIP, r.Count, r.Evaluated.Disposition.Value, r.Evaluated.DKIM.Value, r.Evaluated.SPF.Value, reasons, r.Identifiers.HeaderFrom)
		for _, d := range r.DKIM {
			fmt.Fprintf(w, "<dkim><domain>%s</domain><selector>%s</selector><result>%s</result></dkim>", d.Domain, d.Selector, d.Result.Value)
		}
		for _, s := range r.SPF {
			fmt.Fprintf(w, "<spf><domain>%s</domain><scope>mfrom</scope><result>%s</result></spf>", s.Domain, s.Result.Value)
		}
		w.WriteString("</auth_results></record>\n")
	}
	w.WriteString("</feedback>\n")
}

// postProgram sends many mails over one connection.
const postProgram = `
import json, smtplib, sys
letters = json.load(sys.stdin)
host, _, port = letters[0]["server"].rpartition(":")
s = smtplib.SMTP(host, int(port), local_hostname=letters[0]["helo"], timeout=60)
for l in letters:
    s.sendmail(l["from"], l["to"], l["data"].replace("\n", "\r\n").encode())
s.quit()
`

// post sends mails that have to be taken.
func (h *host) post(letters []letter) {
	h.w.t.Helper()
	var list []map[string]any
	for _, l := range letters {
		list = append(list, map[string]any{"server": l.server, "helo": l.helo, "from": l.mailFrom, "to": l.to, "data": l.data})
	}
	in, err := json.Marshal(list)
	if err != nil {
		h.w.t.Fatal(err)
	}
	cmd := h.command("/usr/bin/python3", "-c", postProgram)
	cmd.Stdin = bytes.NewReader(in)
	if out, err := cmd.CombinedOutput(); err != nil {
		h.w.t.Fatalf("%s: mail to %s: %v %s", h.name, letters[0].server, err, out)
	}
}

// reportsOf mails the reports of the days from..to (counted from start) and waits
// until the last is in the mailbox.
func (a *act3) reportsOf(from, to int, pol policy, mails []seen) {
	w := a.w
	w.t.Helper()
	n := 0
	for _, r := range a.reporters {
		var list []letter
		for d := from; d < to; d++ {
			if d%r.every != 0 {
				continue
			}
			day := a.start.AddDate(0, 0, d)
			counts := map[string]int64{}
			for stream, per := range a.perDay {
				counts[stream] = per
				if wd := day.Weekday(); wd == time.Saturday || wd == time.Sunday {
					counts[stream] = (per + 4) / 5
				}
				if stream == "newsletter" && day.Weekday() != time.Tuesday && day.Weekday() != time.Thursday {
					counts[stream] = 0 // it leaves twice a week
				}
			}
			l, err := r.letterOf(day, pol, mails, counts)
			if err != nil {
				w.t.Fatal(err)
			}
			list = append(list, l)
		}
		if len(list) > 0 {
			r.from.post(list)
		}
		n += len(list)
	}
	a.sent += n
	box := w.mail.admin.mailbox("dmarc")
	w.mail.admin.wait(fmt.Sprintf("%d reports in the mailbox", a.sent), func() bool {
		out, _ := w.mail.admin.command("sh", "-c", "cat "+box+"/new/* "+box+"/cur/* 2>/dev/null | grep -c '^Subject: Report Domain'").Output()
		return strings.TrimSpace(string(out)) == fmt.Sprint(a.sent)
	})
	w.note("%d reports, of %s to %s, were mailed to dmarc@story.example", n, a.day(from).Format(time.DateOnly), a.day(to-1).Format(time.DateOnly))
}
