package cli

import (
	"cmp"
	"html/template"
	"io"
	"strings"
)

func (v *listenView) text(w io.Writer, width int) error {
	p := newSheet(Streams{Width: width})
	p.field("From", "%s", strings.Join(v.From, ", "))
	p.field("Subject", "%s", v.Subject)
	p.field("Client", "%s, EHLO %s", v.Peer, v.Envelope.Helo)
	p.field("Envelope", "%s", v.sender())
	p.field("TLS", "%s", v.secure())
	v.Verdicts.text(p)
	for _, n := range v.notes() {
		p.item("%s", n)
	}
	for i, f := range v.Findings {
		if i == 0 {
			p.head("Findings")
		}
		p.hang("  ", f.Severity, 10, f.Rule+" "+cmp.Or(f.Message, f.Title))
	}
	return p.flush(w)
}

func (v *listenView) sender() string {
	from := v.Envelope.MailFrom
	if v.Envelope.Null {
		from = "<>"
	}
	return from + " to " + v.Envelope.RcptTo
}

func (v *listenView) secure() string {
	if v.TLS == nil {
		return "none: it came in clear"
	}
	return v.TLS.Version + " " + v.TLS.Cipher
}

// notes are what is odd about the mail, in sentences without a final full stop.
func (v *listenView) notes() []string {
	var out []string
	if len(v.Missing) > 0 {
		out = append(out, "missing: "+strings.Join(v.Missing, ", "))
	}
	if len(v.Repeated) > 0 {
		out = append(out, "more than once: "+strings.Join(v.Repeated, ", "))
	}
	if v.Unsub && !v.OneClick {
		out = append(out, "the fields for unsubscription are not those of one click (RFC 8058, Section 3.1)")
	}
	return out
}

// The page shows a stranger's mail: it has no script, loads nothing, and its policy
// forbids both should an escape ever fail.
var listenPage = template.Must(template.New("listen").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>mailcheck: a mail from {{.Domains}}</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #ddd;overflow-wrap:anywhere}
th{white-space:nowrap;width:9rem}.pass{color:#116329}.fail{color:#a40e26}.unknown{color:#7d4e00}
h2{margin-top:2rem;font-size:1.1rem}td.v{font-family:ui-monospace,monospace;font-size:.85rem}
@media (prefers-color-scheme:dark){body{color:#ddd;background:#111}th,td{border-color:#333}.pass{color:#57c46b}.fail{color:#ff7b72}.unknown{color:#e3b341}}
</style></head><body>
<h1>{{.View.Subject}}</h1>
<table>
<tr><th>From</th><td>{{.Domains}}</td></tr>
<tr><th>Client</th><td>{{.View.Peer}}, EHLO {{.View.Envelope.Helo}}</td></tr>
<tr><th>Envelope</th><td>{{.Sender}}</td></tr>
<tr><th>TLS</th><td>{{.TLS}}</td></tr>
<tr><th>Received</th><td>{{.View.At}}, {{.View.Size}} octets</td></tr>
</table>
<h2>Verdicts</h2>
<table>
{{range .Rows}}<tr><th>{{.Name}}</th><td class="{{.Class}}">{{.Line}}</td></tr>
{{end}}</table>
{{if .Notes}}<h2>Notes</h2><ul>{{range .Notes}}<li>{{.}}</li>{{end}}</ul>{{end}}
{{if .View.Findings}}<h2>Findings</h2><table>
{{range .View.Findings}}<tr><th>{{.Severity}} {{.Rule}}</th><td>{{.Title}}<br>{{.Message}}{{if .Remedy}}<br>{{.Remedy}}{{end}}</td></tr>
{{end}}</table>{{end}}
<h2>Header</h2>
<table>
{{range .View.Header}}<tr><th>{{.Name}}</th><td class="v">{{.Value}}</td></tr>
{{end}}</table>
{{if .View.MoreFields}}<p>{{.View.MoreFields}} more fields are not shown.</p>{{end}}
</body></html>
`))

type pageRow struct{ Name, Class, Line string }

func (v *listenView) html(w io.Writer) error {
	rows := []pageRow{row("SPF", v.Verdicts.SPF)}
	for _, d := range v.Verdicts.DKIM {
		rows = append(rows, row("DKIM", d))
	}
	if len(v.Verdicts.DKIM) == 0 {
		rows = append(rows, row("DKIM", methodView{Result: "none"}))
	}
	rows = append(rows, row("ARC", v.Verdicts.ARC), row("DMARC", v.Verdicts.DMARC))
	return listenPage.Execute(w, map[string]any{
		"View": v, "Domains": strings.Join(v.From, ", "), "Sender": v.sender(), "TLS": v.secure(), "Rows": rows, "Notes": v.notes(),
	})
}

func row(name string, m methodView) pageRow {
	class := "unknown"
	switch m.Result {
	case "pass":
		class = "pass"
	case "fail", "permerror", "softfail", "policy":
		class = "fail"
	}
	return pageRow{name, class, m.line()}
}
