package cli

import (
	"github.com/mailcheck-go/mailcheck/baseline"
	"github.com/mailcheck-go/mailcheck/diagnose"
	"github.com/mailcheck-go/mailcheck/dkim/rotate"
	"github.com/mailcheck-go/mailcheck/fix/apply"
	"github.com/mailcheck-go/mailcheck/internal/ruledoc"
	"github.com/mailcheck-go/mailcheck/reports/insight"
	"github.com/mailcheck-go/mailcheck/reports/insight/digest"
	"github.com/mailcheck-go/mailcheck/spf/flatten"
)

// Document is a kind of JSON that commands print, or write to a file that they
// read again. docs/schema has its schema, made from the Go types.
type Document struct {
	Name  string   // its "schema" is mailcheck.NAME/1
	By    []string // the commands that print it with -o json, without "mailcheck"
	About string   // what it is
	// Values are zero values of the types, several if the member "kind" tells them
	// apart; nil if the schema is written by hand.
	Values []any
	Kinds  []string // the value of "kind" of each
	Lines  bool     // one a line, also for -o json
	// Closed tells that a member that is not known is refused when it is read.
	Closed bool
}

// Schema is the value of the member "schema".
func (d Document) Schema() string {
	switch d.Name {
	case "exec-request", "exec-response": // two sides of one thing
		return apply.ExecSchema
	}
	return "mailcheck." + d.Name + "/1"
}

// Documents lists every one.
func Documents() []Document {
	return []Document{
		{Name: "audit", By: []string{"audit", "audit domain", "lab"}, About: "audit reports of domains"},
		{Name: "audit-message", By: []string{"audit message"}, About: "audit reports of mails"},
		{Name: "baseline", By: []string{"baseline save"}, About: "what is remembered of a domain; also the file", Values: []any{baseline.Baseline{}}},
		{Name: "baseline-diff", By: []string{"baseline diff"}, About: "what has changed since a baseline, the worst first", Values: []any{diffView{}}},
		{Name: "compare", By: []string{"compare"}, About: "what differs between two views of a domain, the worst first", Values: []any{diffView{}}},
		{Name: "dane-check", By: []string{"dane check"}, About: "the TLSA records of mail exchangers, held against their certificates", Values: []any{daneCheckView{}}},
		{Name: "dane-new", By: []string{"dane new"}, About: "a TLSA record to publish", Values: []any{rrView{}}},
		{Name: "diagnose", By: []string{"diagnose"}, About: "why mail was refused", Values: []any{diagnoseView{}}},
		{Name: "diagnose-code", By: []string{"diagnose --explain-code"}, About: "what a reply code means", Values: []any{explanationView{}}},
		{Name: "dkim-find", By: []string{"dkim find"}, About: "selectors that were looked for", Values: []any{findView{}}},
		{Name: "dkim-keygen", By: []string{"dkim keygen"}, About: "keys that were made, and the records to publish; no private key", Values: []any{keygenView{}}},
		{Name: "dkim-match", By: []string{"dkim match"}, About: "whether a private key fits its record", Values: []any{matchView{}}},
		{Name: "dkim-record", By: []string{"dkim record"}, About: "a key record, judged", Values: []any{recordView{}}},
		{Name: "dkim-rotate", By: []string{"dkim rotate start", "dkim rotate status", "dkim rotate advance", "dkim rotate abort"}, About: "where a rotation stands and what is due", Values: []any{rotationView{}}},
		{Name: "dkim-rotation", About: "the state file of a rotation; it holds no secret", Values: []any{rotate.Rotation{}}},
		{Name: "dkim-servers", By: []string{"dkim setup"}, About: "the mail servers whose set-up is known", Values: []any{serversView{}}},
		{Name: "dkim-setup", By: []string{"dkim setup SERVER"}, About: "the set-up of a mail server for signing", Values: []any{guideView{}}},
		{Name: "dkim-verify", By: []string{"dkim verify"}, About: "the signatures of a message, judged", Values: []any{verifyView{}}},
		{Name: "dmarc-change", By: []string{"dmarc new", "dmarc park", "dmarc set", "dmarc stage"}, About: "a DMARC record to publish", Values: []any{changeView{}}},
		{Name: "dmarc-check", By: []string{"dmarc check"}, About: "the DMARC policy that applies to a domain"},
		{Name: "dmarc-eval", By: []string{"dmarc eval"}, About: "how DMARC judges a message", Values: []any{evalView{}}},
		{Name: "dmarc-lint", By: []string{"dmarc lint"}, About: "DMARC records, judged", Values: []any{lintView{}}},
		{Name: "exec-request", About: "what fix apply writes to the program of a provider", Values: []any{apply.Request{}}},
		{Name: "exec-response", About: "what the program of a provider answers", Values: []any{apply.Response{}}},
		{Name: "fix-apply", By: []string{"fix apply", "fix undo"}, About: "what became of the steps of a plan", Values: []any{fixApplyView{}}},
		{Name: "fix-verify", By: []string{"fix verify"}, About: "whether the steps of a plan are in effect", Values: []any{fixVerifyView{}}},
		{Name: "mtasts-check", By: []string{"mtasts check"}, About: "the MTA-STS policy of a domain, held against its mail exchangers", Values: []any{mtastsCheckView{}}},
		{Name: "mtasts-new", By: []string{"mtasts new"}, About: "an MTA-STS policy and record to publish", Values: []any{mtastsNewView{}}},
		{Name: "plan", By: []string{"fix plan", "fix show"}, About: "steps that change the DNS"},
		{Name: "probe-listen", By: []string{"probe listen"}, About: "a mail that came in", Values: []any{listenView{}}, Lines: true},
		{Name: "probe-mx", By: []string{"probe mx"}, About: "mail exchangers that were connected to", Values: []any{probeMXView{}}},
		{Name: "probe-receive", By: []string{"probe receive"}, About: "how a probe arrived in a mailbox", Values: []any{receiveView{}}},
		{Name: "probe-roundtrip", By: []string{"probe roundtrip"}, About: "a probe that was sent, and how it arrived", Values: []any{roundtripView{}}},
		{Name: "probe-send", By: []string{"probe send"}, About: "a probe that was sent", Values: []any{sendView{}}},
		{Name: "report", By: []string{"reports parse"}, About: "a report, or a file that is none",
			Values: []any{aggregateReportView{}, tlsReportView{}, failureReportView{}, rejectedView{}}, Kinds: []string{"aggregate", "tls", "failure", "rejected"}, Lines: true},
		{Name: "reports-digest", By: []string{"reports digest"}, About: "what is new in the reports of a period", Values: []any{digestView{}}},
		{Name: "reports-failures", By: []string{"reports failures"}, About: "mail that fails, by source and pattern", Values: []any{failuresView{}}},
		{Name: "reports-import", By: []string{"reports import", "reports rebuild"}, About: "what became of the reports that were read", Values: []any{importView{}}},
		{Name: "reports-ledger", By: []string{"reports ledger"}, About: "what was ever imported", Values: []any{ledgerView{}}},
		{Name: "reports-prune", By: []string{"reports prune"}, About: "what was removed from an archive", Values: []any{pruneView{}}},
		{Name: "reports-readiness", By: []string{"reports readiness"}, About: "whether a stricter policy would hit wanted mail", Values: []any{readinessView{}}},
		{Name: "reports-reporters", By: []string{"reports reporters"}, About: "who reports, and what for", Values: []any{reportersView{}}},
		{Name: "reports-selectors", By: []string{"reports selectors"}, About: "DKIM selectors in use, by the reports", Values: []any{selectorsView{}}},
		{Name: "reports-sources", By: []string{"reports sources"}, About: "who sends mail in the domain's name", Values: []any{sourcesView{}}},
		{Name: "reports-summary", By: []string{"reports summary"}, About: "mail by domain", Values: []any{summaryView{}}},
		{Name: "reports-timeline", By: []string{"reports timeline"}, About: "mail by day, week or month", Values: []any{timelineView{}}},
		{Name: "reports-tls", By: []string{"reports tls"}, About: "TLS of incoming mail, by the reports", Values: []any{tlsView{}}},
		{Name: "rollout", By: []string{"rollout"}, About: "the way of a domain to p=reject", Values: []any{rolloutView{}}},
		{Name: "rules", By: []string{"rules", "explain"}, About: "rules", Values: []any{ruledoc.Doc{}}},
		{Name: "spf-check", By: []string{"spf check"}, About: "how SPF judges a client", Values: []any{spfCheckView{}}},
		{Name: "spf-diff", By: []string{"spf diff"}, About: "addresses that one record lets send and another does not", Values: []any{spfDiffView{}}},
		{Name: "spf-drift", By: []string{"spf drift"}, About: "what has changed behind a flattened record", Values: []any{spfDriftView{}}},
		{Name: "spf-edit", By: []string{"spf new", "spf add", "spf remove"}, About: "an SPF record to publish", Values: []any{spfEditView{}}},
		{Name: "spf-evidence", By: []string{"reports evidence"}, About: "hosts that send mail of a domain; spf narrow reads it", Values: []any{evidenceDocument{}}, Closed: true},
		{Name: "spf-flatten", By: []string{"spf flatten"}, About: "an SPF record with fewer lookups", Values: []any{spfFlattenView{}}},
		{Name: "spf-lint", By: []string{"spf lint"}, About: "SPF records, judged", Values: []any{spfLintView{}}},
		{Name: "spf-lock", About: "the file of spf flatten: what stood behind each include", Values: []any{flatten.Lock{}}, Closed: true},
		{Name: "spf-narrow", By: []string{"spf narrow"}, About: "an SPF record without what is not used", Values: []any{spfNarrowView{}}},
		{Name: "spf-senders", By: []string{"spf senders"}, About: "providers that can be named as senders", Values: []any{sendersView{}}},
		{Name: "spf-tree", By: []string{"spf tree"}, About: "the records behind an SPF record", Values: []any{spfTreeView{}}},
		{Name: "tlsrpt-check", By: []string{"tlsrpt check"}, About: "the TLS-RPT record of a domain, judged", Values: []any{tlsrptCheckView{}}},
		{Name: "tlsrpt-new", By: []string{"tlsrpt new"}, About: "a TLS-RPT record to publish", Values: []any{rrView{}}},
		{Name: "version", By: []string{"version"}, About: "the version of this program", Values: []any{versionView{}}},
	}
}

// noNull makes empty lists of lists that were never begun: in a document a list is
// never null.
func noNull[T any](lists ...*[]T) {
	for _, l := range lists {
		if *l == nil {
			*l = []T{}
		}
	}
}

// The documents that are a name and one value.
type (
	digestView struct {
		Schema string `json:"schema"`
		*digest.Digest
	}
	explanationView struct {
		Schema string `json:"schema"`
		diagnose.Explanation
	}
	failuresView struct {
		Schema string `json:"schema"`
		*insight.Failures
	}
	readinessView struct {
		Schema string `json:"schema"`
		*insight.Readiness
	}
	reportersView struct {
		Schema string `json:"schema"`
		*insight.Reporters
	}
	selectorsView struct {
		Schema string `json:"schema"`
		*insight.Selectors
	}
	sourcesView struct {
		Schema string `json:"schema"`
		*insight.Sources
	}
	summaryView struct {
		Schema string `json:"schema"`
		*insight.Summary
	}
	timelineView struct {
		Schema string `json:"schema"`
		*insight.Timeline
	}
	tlsView struct {
		Schema string `json:"schema"`
		*insight.TLS
	}
)

// versionView is the document of schema mailcheck.version/1.
type versionView struct {
	Schema   string `json:"schema"`
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // of the source, if it was built from a repository
	Go       string `json:"go"`                 // that it was built with
	Platform string `json:"platform"`
	Rules    int    `json:"rules"` // how many there are
}

// serversView is the document of schema mailcheck.dkim-servers/1.
type serversView struct {
	Schema  string            `json:"schema"`
	Servers []setupServerView `json:"servers"`
}

type setupServerView struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Ed25519 bool     `json:"ed25519"` // whether it can sign with such a key
	Proven  nullable `json:"proven"`  // the version with which the lines were tried
}

// ledgerView is the document of schema mailcheck.reports-ledger/1, which is
// printed line by line.
type ledgerView struct {
	Schema string      `json:"schema"`
	Inputs []inputView `json:"inputs"`
}

// The documents of schema mailcheck.report/1. The records of aggregate reports are
// printed one by one, see appendRecord.
type (
	aggregateReportView struct {
		aggregateHead
		List []aggregateRecordView `json:"records"`
		aggregateTail
	}
	aggregateTail struct {
		Records     int64            `json:"record_count"`
		Messages    int64            `json:"messages"`
		Complete    bool             `json:"complete"` // false: the report breaks off, or is longer than what is read
		Rejected    nullable         `json:"rejected"` // why the rest was not read
		Diagnostics []diagnosticView `json:"diagnostics"`
	}
	aggregateRecordView struct {
		SourceIP     nullable     `json:"source_ip"`
		Count        int64        `json:"count"`
		Disposition  nullable     `json:"disposition"`
		DKIM         nullable     `json:"dkim"` // aligned and passed
		SPF          nullable     `json:"spf"`  // aligned and passed
		Reasons      []reasonView `json:"reasons"`
		HeaderFrom   nullable     `json:"header_from"`
		EnvelopeFrom nullable     `json:"envelope_from"`
		EnvelopeTo   nullable     `json:"envelope_to"`
		Auth         authView     `json:"auth_results"`
	}
	reasonView struct {
		Type    nullable `json:"type"`
		Comment nullable `json:"comment"`
	}
	authView struct {
		DKIM []dkimAuthView `json:"dkim"`
		SPF  []spfAuthView  `json:"spf"`
	}
	dkimAuthView struct {
		Domain   nullable `json:"domain"`
		Selector nullable `json:"selector"`
		Result   nullable `json:"result"`
		Human    nullable `json:"human_result"`
	}
	spfAuthView struct {
		Domain nullable `json:"domain"`
		Scope  nullable `json:"scope"`
		Result nullable `json:"result"`
		Human  nullable `json:"human_result"`
	}
	tlsReportView struct {
		reportHead
		Contact     nullable         `json:"contact_info"`
		Notes       []string         `json:"notes"`
		Policies    []tlsPolicyView  `json:"policies"`
		Complete    bool             `json:"complete"`
		Diagnostics []diagnosticView `json:"diagnostics"`
	}
	failureReportView struct {
		reportHead
		FeedbackType nullable            `json:"feedback_type"`
		Notes        []string            `json:"notes"`
		Records      []failureRecordView `json:"records"`
		Diagnostics  []diagnosticView    `json:"diagnostics"`
	}
	rejectedView struct {
		Schema   string `json:"schema"`
		Kind     string `json:"kind"`
		Source   string `json:"source"`
		Rejected string `json:"rejected"`
	}
)
