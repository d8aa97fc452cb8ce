package main

import (
	"reflect"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/dane"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/arc"
	"github.com/mailcheck-go/mailcheck/dkim/rotate"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/internal/schemagen/schema"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/probe/cert"
	"github.com/mailcheck-go/mailcheck/probe/smtp"
	"github.com/mailcheck-go/mailcheck/reports/insight"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// options says what the types do not.
var options = schema.Options{
	Types: map[reflect.Type]schema.Type{
		reflect.TypeFor[resolve.Name]():   {Kind: "string", About: "A domain name in lower case, as A-labels, without the final dot; empty: none."},
		reflect.TypeFor[resolve.Type]():   {Kind: "string", About: "A record type: its mnemonic, or TYPE and its number."},
		reflect.TypeFor[resolve.RCode]():  {Kind: "string"},
		reflect.TypeFor[resolve.State]():  {Enum: texts(resolve.Present, resolve.Absent, resolve.Unavailable)},
		reflect.TypeFor[audit.ID]():       {Kind: "string", About: "The name of a rule, for ever."},
		reflect.TypeFor[audit.Severity](): {Enum: texts(audit.Error, audit.Warning, audit.Notice, audit.Severity(0))},
		reflect.TypeFor[dane.Security]():  {Enum: texts(dane.Indeterminate, dane.Secure, dane.Insecure, dane.Bogus), About: "What DNSSEC says of the answer."},
		reflect.TypeFor[probe.State]():    {Enum: texts(probe.Unknown, probe.Refused, probe.Accepted)},
		reflect.TypeFor[cert.State]():     {Enum: texts(cert.Unknown, cert.Bad, cert.Good)},
		reflect.TypeFor[spf.Qualifier]():  {Enum: []string{"+", "-", "~", "?", ""}},
		reflect.TypeFor[insight.Date]():   {Kind: "string", Format: "date", Null: true},
		reflect.TypeFor[fix.Duration]():   {Kind: "string", About: "A time span such as 1h0m0s."},
		reflect.TypeFor[time.Duration]():  {Kind: "integer", About: "Nanoseconds."},
		reflect.TypeFor[smtp.Chain]():     {Kind: "array", About: "Certificates as DER in base64, the host's own first."},
	},
	Enums: map[string]schema.Enum{
		"arcView.status":           {Of: reflect.TypeFor[arc.Status]()},
		"changeView.present":       three,
		"daneCheckView.mx":         three,
		"defectView.severity":      severity,
		"driftView.published":      three,
		"driftView.state":          three,
		"faultView.severity":       severity,
		"matchedView.state":        three,
		"mtastsRecord.state":       three,
		"observationView.severity": severity,
		"probeView.state":          three,
		"recordView.state":         three,
		"recordView.verdict":       {More: []string{"usable", "revoked", "unusable", "several", "not-a-key", "missing", "dangling", "unknown"}},
		"mtastsCheckView.verdict":  {Of: reflect.TypeFor[mtasts.Mode](), More: []string{"no-policy", "mail-lost", "not-covered", "unknown"}},
		"rotationView.action":      {Of: reflect.TypeFor[rotate.Action]()},
		"rotationView.phase":       {Of: reflect.TypeFor[rotate.Phase]()},
		"selectorView.state":       three,
		"senderView.aligned_spf":   {More: []string{"yes", "no", "with-custom-return-path"}},
		"serverSaidView.state":     three,
		"signatureView.status":     {Of: reflect.TypeFor[dkim.Status]()},
		"spfCheckView.result":      {Of: reflect.TypeFor[spf.Status]()},
		"spfTermView.state":        three,
		"spfTreeView.state":        three,
		"tlsrptCheckView.state":    three,
		"verdictView.result":       {Of: reflect.TypeFor[dmarc.Result]()},
		"verifyView.status":        {Of: reflect.TypeFor[dkim.Status]()},
	},
	Members: members,
	About: map[string]string{
		"Counts.dkim_and_spf":          "Messages with an aligned pass of both; with dkim_only, spf_only and neither these are all messages.",
		"Counts.none":                  "Messages that were delivered as usual; with quarantine, reject and other these are all messages.",
		"Counts.other":                 "Messages with a disposition that no standard has.",
		"Counts.overridden":            "Messages with a reason for another disposition.",
		"Counts.records":               "Rows of reports, which count for the day that a report begins in.",
		"DomainReadiness.hit_messages": "Real mail that fails and would get the next policy, if all receivers applied it as written.",
		"DomainReadiness.stage":        "Where the policy is.",
		"DomainReadiness.next_stage":   "The stage asked about; empty at the end of the way, where the answer is about staying.",
		"Gate.not_before":              "The step is not to be done before.",
		"Plan.findings_before":         "What the audit finds in the zone as it is.",
		"Plan.findings_after":          "What it finds in the zone as it is after the steps without a gate.",
	},
}

// The values of states and of severities in views.
var (
	three    = schema.Enum{More: []string{"present", "absent", "unknown"}}
	severity = schema.Enum{More: []string{"error", "warning", "notice"}}
)

// texts are values as JSON has them.
func texts[T interface{ String() string }](values ...T) []string {
	var out []string
	for _, v := range values {
		out = append(out, v.String())
	}
	return out
}
