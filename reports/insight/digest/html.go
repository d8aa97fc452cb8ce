package digest

import (
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/reports/insight"
)

// Measures of the charts, in pixels.
const (
	chartWidth  = 640
	chartHeight = 140
	chartFoot   = 18
	barRow      = 22
	barLabel    = 210
)

// HTML writes the page as one file that loads nothing and runs nothing.
func (d *Digest) HTML(w io.Writer) error {
	return page.Execute(w, struct {
		*Digest
		DayChart, TrendChart *chart
		SourceChart          *bars
		Stages               []string
	}{d, columns(d.Days), columns(d.Trend), sourceBars(d), d.stages()})
}

// chart is columns of messages, the part that fails on top.
type chart struct {
	Width, Height int
	Columns       []column
	Most          string
}

type column struct {
	X, Width         int
	PassY, PassH     int
	FailY, FailH     int
	Label, Title     string
	LabelX, LabelY   int
	ShowLabel, Empty bool
}

func columns(list []insight.Period) *chart {
	if len(list) < 2 {
		return nil
	}
	c := &chart{Width: chartWidth, Height: chartHeight + chartFoot}
	most := int64(1)
	for _, x := range list {
		most = max(most, x.Messages)
	}
	c.Most = number(most)
	step := chartWidth / len(list)
	every := max(1, (len(list)+7)/8)
	for i, x := range list {
		// In floating point: sums may be near the end of 64 bits.
		scale := float64(chartHeight-4) / float64(most)
		pass, fail := int(float64(x.Passed)*scale), int(float64(x.Neither)*scale)
		if x.Neither > 0 {
			fail = max(fail, 1) // what fails is not hidden by what passes
		}
		col := column{X: i * step, Width: max(1, step-2), PassY: chartHeight - pass, PassH: pass, FailY: chartHeight - pass - fail, FailH: fail,
			Label: x.First.Format("01-02"), LabelX: i*step + step/2, LabelY: chartHeight + 13, ShowLabel: i%every == 0, Empty: x.Messages == 0,
			Title: fmt.Sprintf("%s: %s messages, %s pass", x.First, number(x.Messages), rate(x.Share))}
		c.Columns = append(c.Columns, col)
	}
	return c
}

// bars is one line a source.
type bars struct {
	Width, Height int
	Rows          []bar
}

type bar struct {
	Y, TextY, Label, PassW, FailX, FailW, EndX int
	Name, End                                  string
}

func sourceBars(d *Digest) *bars {
	if len(d.Sources) == 0 {
		return nil
	}
	b := &bars{Width: chartWidth, Height: len(d.Sources) * barRow}
	most := max(1, d.Sources[0].Messages)
	const room = chartWidth - barLabel - 130
	for i, s := range d.Sources {
		name := safe.Text(s.Name)
		if len(d.Domains) > 1 {
			name += " (" + safe.Text(s.Domain) + ")"
		}
		scale := float64(room) / float64(most)
		pass, fail := int(float64(s.Passed)*scale), int(float64(s.Neither)*scale)
		if s.Neither > 0 {
			fail = max(fail, 1)
		}
		b.Rows = append(b.Rows, bar{Y: i*barRow + 3, TextY: i*barRow + 16, Label: barLabel, PassW: pass, FailX: barLabel + pass, FailW: fail, EndX: barLabel + pass + fail + 6,
			Name: strings.TrimSpace(pad(name, 30)), End: fmt.Sprintf("%s, %s", number(s.Messages), rate(s.Share))})
	}
	return b
}

var page = template.Must(template.New("digest").Funcs(template.FuncMap{
	"number": number, "rate": rate, "class": className, "text": safe.Text,
}).Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<style>
body { font: 15px/1.45 sans-serif; color: #222; background: #fff; max-width: 680px; margin: 1.5em auto; padding: 0 1em; }
h1 { font-size: 1.4em; margin: 0; } h2 { font-size: 1.05em; margin: 1.6em 0 .4em; }
.days { color: #666; margin: 0 0 1em; } .verdict { padding: .7em 1em; border-left: 5px solid #b3541e; background: #fbf3ee; }
.good { border-color: #2c7a4b; background: #eef7f1; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .25em .5em; border-bottom: 1px solid #ddd; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
svg { width: 100%; height: auto; } svg text { font: 11px sans-serif; fill: #444; }
.pass { fill: #2c7a4b; } .fail { fill: #b3541e; } .base { stroke: #bbb; } .key { color: #666; font-size: .85em; }
</style>
</head>
<body>
<h1>{{.Title}}</h1>
<p class="days">{{.Window.First}} to {{.Window.Last}}</p>
<p class="verdict{{if .Good}} good{{end}}">{{.Verdict}}</p>
{{- with .News}}
<h2>What changed</h2>
<ul>{{range .}}<li>{{.}}</li>{{end}}</ul>
{{- end}}
{{- with .Todo}}
<h2>What to do</h2>
<ul>{{range .}}<li>{{.}}</li>{{end}}</ul>
{{- end}}
{{- with .Total}}
<h2>Numbers</h2>
<table>
<tr><th>Messages</th><th class="n">Pass</th><th class="n">Put aside</th><th class="n">Refused</th></tr>
<tr><td>{{number .Messages}}</td><td class="n">{{number .Passed}} ({{rate .Share}})</td><td class="n">{{number .Quarantine}}</td><td class="n">{{number .Reject}}</td></tr>
</table>
{{- end}}
{{- define "columns"}}
<svg viewBox="0 0 {{.Width}} {{.Height}}" role="img" aria-label="messages, at most {{.Most}}">
{{- range .Columns}}
<g><title>{{.Title}}</title>
<rect class="pass" x="{{.X}}" y="{{.PassY}}" width="{{.Width}}" height="{{.PassH}}"/>
<rect class="fail" x="{{.X}}" y="{{.FailY}}" width="{{.Width}}" height="{{.FailH}}"/>
{{- if .ShowLabel}}<text x="{{.LabelX}}" y="{{.LabelY}}" text-anchor="middle">{{.Label}}</text>{{end}}</g>
{{- end}}
<line class="base" x1="0" x2="{{.Width}}" y1="140" y2="140"/>
</svg>
<p class="key">Highest: {{.Most}} messages. Dark green passes, brown fails.</p>
{{- end}}
{{- with .DayChart}}
<h2>By day</h2>
{{template "columns" .}}
{{- end}}
{{- if .TrendChart}}
<h2>By {{.Unit}}</h2>
{{template "columns" .TrendChart}}
{{- end}}
{{- with .SourceChart}}
<h2>Who sends</h2>
<svg viewBox="0 0 {{.Width}} {{.Height}}" role="img" aria-label="messages by source">
{{- range .Rows}}
<g><text x="0" y="{{.TextY}}">{{.Name}}</text>
<rect class="pass" x="{{.Label}}" y="{{.Y}}" width="{{.PassW}}" height="16"/>
<rect class="fail" x="{{.FailX}}" y="{{.Y}}" width="{{.FailW}}" height="16"/>
<text x="{{.EndX}}" y="{{.TextY}}">{{.End}}</text></g>
{{- end}}
</svg>
{{- end}}
{{- if .Sources}}
<table>
<tr><th>Source</th><th class="n">Messages</th><th class="n">Pass</th><th>What it is</th></tr>
{{- range .Sources}}
<tr><td>{{text .Name}}</td><td class="n">{{number .Messages}}</td><td class="n">{{rate .Share}}</td><td>{{class .Class}}</td></tr>
{{- end}}
</table>
{{- if .More}}<p class="key">and {{.More}} more</p>{{end}}
{{- end}}
{{- with .TLS}}
<h2>TLS of incoming mail</h2>
<p>{{number .Successful}} sessions succeeded and {{number .Failed}} failed ({{rate .Share}}).</p>
{{- end}}
{{- with .Stages}}
<h2>Next stage of the policy</h2>
<ul>{{range .}}<li>{{.}}</li>{{end}}</ul>
{{- end}}
{{- with .Notes}}
<h2>Notes</h2>
<ul>{{range .}}<li>{{.}}</li>{{end}}</ul>
{{- end}}
</body>
</html>
`))
