package render

import (
	"bufio"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// sarifSchema identifies the SARIF 2.1.0 schema; uploads without it are refused
// by some consumers. Nothing is fetched.
const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// maxNotifications bounds what is kept until the end of a run: SARIF has its
// notifications in one place, apart from the results that are streamed.
const maxNotifications = 1000

// sarifPrinter writes one run: descriptors, then results as they come, then the
// invocation with a notification for what could not be checked.
//
// A finding is about a DNS name, which SARIF calls a logical location. Consumers
// that show code drop results without a physical one, so each result also names
// a file that need not exist: dns/<name>/<type>, line 1.
type sarifPrinter struct {
	out     *bufio.Writer
	opt     Options
	index   map[audit.ID]int
	results bool
	gaps    int // reports' gaps seen, with those over maxNotifications
	notes   []sarifNotification
}

type (
	sarifText struct {
		Text string `json:"text"`
	}
	sarifDriver struct {
		ID         string         `json:"id"`
		Name       string         `json:"name"`
		Short      sarifText      `json:"shortDescription"`
		Full       sarifText      `json:"fullDescription"`
		Help       sarifText      `json:"help"`
		HelpURI    string         `json:"helpUri,omitempty"`
		Default    sarifConfig    `json:"defaultConfiguration"`
		Properties map[string]any `json:"properties"`
	}
	sarifConfig struct {
		Level string `json:"level"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    *int               `json:"ruleIndex,omitempty"`
		Kind         string             `json:"kind"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions"` // empty: known not to be suppressed
		Properties   map[string]any     `json:"properties"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		Name string `json:"name"`
		Full string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification"`
	}
	sarifNotification struct {
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Rule      *sarifReference `json:"associatedRule,omitempty"`
		Locations []sarifLocation `json:"locations,omitempty"`
	}
	sarifReference struct {
		ID    string `json:"id"`
		Index *int   `json:"index,omitempty"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications"`
	}
)

func newSARIF(out *bufio.Writer, opt Options) printer {
	return &sarifPrinter{out: out, opt: opt, index: map[audit.ID]int{}, notes: []sarifNotification{}}
}

func (p *sarifPrinter) begin() error {
	p.out.WriteString(`{"version":"2.1.0","$schema":"` + sarifSchema + `","runs":[{"tool":{"driver":{"name":"mailcheck",`)
	if p.opt.Version != "" {
		p.out.WriteString(`"version":`)
		if err := writeJSON(p.out, p.opt.Version, ","); err != nil {
			return err
		}
	}
	p.out.WriteString(`"rules":[`)
	for i := range p.opt.Rules {
		r := &p.opt.Rules[i]
		p.index[r.ID] = i
		p.out.WriteString(separator(i > 0))
		if err := writeJSON(p.out, p.descriptor(r), ""); err != nil {
			return err
		}
	}
	p.out.WriteString("\n]}},\n\"results\":[")
	return nil
}

func separator(more bool) string {
	if more {
		return ",\n"
	}
	return "\n"
}

func (p *sarifPrinter) descriptor(r *audit.Rule) sarifDriver {
	refs := []string{}
	for _, x := range r.Refs {
		refs = append(refs, safe.Text(strings.TrimSpace(x.String()+" "+x.URL)))
	}
	d := sarifDriver{
		ID: string(r.ID), Name: safe.Text(r.Slug), Short: sarifWords(r.Title), Full: sarifWords(r.Doc.Impact),
		Help:       sarifWords(strings.TrimSpace(r.Doc.Remedy + " (mailcheck explain " + string(r.ID) + ")")),
		Default:    sarifConfig{sarifLevel(r.Severity)},
		Properties: map[string]any{"tags": []string{"mail", "dns", r.Family()}, "references": refs},
	}
	if d.Full.Text == "" {
		d.Full = d.Short
	}
	if p.opt.DocsURL != "" {
		d.HelpURI = strings.TrimSuffix(p.opt.DocsURL, "/") + "/" + url.PathEscape(string(r.ID)) + ".md"
	}
	return d
}

func (p *sarifPrinter) report(r *audit.Report) error {
	for i := range r.Findings {
		p.out.WriteString(separator(p.results))
		p.results = true
		if err := writeJSON(p.out, p.result(r, &r.Findings[i]), ""); err != nil {
			return err
		}
	}
	p.note(r)
	return nil
}

func (p *sarifPrinter) result(r *audit.Report, f *audit.Finding) sarifResult {
	x := sarifResult{
		RuleID: string(f.Rule), RuleIndex: p.at(f.Rule), Kind: "fail", Level: sarifLevel(f.Severity),
		Message:   sarifWords(message(f)),
		Locations: []sarifLocation{location(f.Subject.Name, f.Subject.Type)},
		// GitHub matches alerts by primaryLocationLineHash alone and would compute it
		// from a file that is not there.
		Fingerprints: map[string]string{"mailcheckFinding/v1": f.Fingerprint, "primaryLocationLineHash": f.Fingerprint + ":1"},
		Suppressions: []sarifSuppression{},
		Properties:   map[string]any{"domain": r.Domain, "subject": f.Subject.String()},
	}
	if r.Mail != nil {
		x.Locations = []sarifLocation{mailLocation(r, f.Subject.String())}
		x.Properties["file"] = title(r)
	}
	if f.Severity == 0 {
		x.Kind = "informational" // SARIF 2.1.0, Section 3.27.10: only "fail" has a level
	}
	if f.Fix != nil {
		x.Properties["remedy"] = f.Fix.Text
		if lines := zone(f.Fix.Changes); len(lines) > 0 {
			x.Properties["publish"] = lines
		}
	}
	if f.Suppressed != nil {
		x.Suppressions = []sarifSuppression{{"external", "accepted", f.Suppressed.Reason}}
	}
	return x
}

// note keeps what could not be checked, one notification for each cause.
func (p *sarifPrinter) note(r *audit.Report) {
	for _, g := range gaps(r) {
		if p.gaps++; p.gaps > maxNotifications {
			continue
		}
		n := sarifNotification{Level: "warning", Locations: []sarifLocation{{Logical: logical(r)}},
			Message: sarifWords(fmt.Sprintf("%s: could not be checked (%s): %s", title(r), strings.Join(g.rules, " "), g.reason))}
		if len(g.rules) == 1 {
			n.Rule = &sarifReference{ID: g.rules[0], Index: p.at(audit.ID(g.rules[0]))}
		}
		p.notes = append(p.notes, n)
	}
}

func (p *sarifPrinter) at(id audit.ID) *int {
	if i, ok := p.index[id]; ok {
		return &i
	}
	return nil
}

// end writes the invocation. A run that left something unknown is not a
// successful one: its missing results must not close alerts.
func (p *sarifPrinter) end() error {
	if n := p.gaps - maxNotifications; n > 0 {
		p.notes = append(p.notes, sarifNotification{Level: "warning",
			Message: sarifWords(fmt.Sprintf("%d more causes for which rules could not be checked are left out here", n))})
	}
	p.out.WriteString("\n],\n\"invocations\":[")
	if err := writeJSON(p.out, sarifInvocation{Successful: p.gaps == 0, Notifications: p.notes}, "]}]}\n"); err != nil {
		return err
	}
	return nil
}

func sarifLevel(s audit.Severity) string {
	switch {
	case s >= audit.Error:
		return "error"
	case s == audit.Warning:
		return "warning"
	case s == audit.Notice:
		return "note"
	}
	return "none"
}

// location is a DNS name and type as SARIF knows places.
func location(name resolve.Name, t resolve.Type) sarifLocation {
	full, path := name.String(), url.PathEscape(name.String())
	if name.IsRoot() || name.IsZero() {
		path = "_root" // "." is not a segment of a path
	}
	if t != 0 {
		full, path = full+" "+t.String(), path+"/"+t.String()
	}
	return sarifLocation{
		Physical: &sarifPhysical{Artifact: sarifArtifact{"dns/" + path}, Region: sarifRegion{1}},
		Logical:  []sarifLogical{{Name: name.String(), Full: full, Kind: "resource"}},
	}
}

// logical is the place of what a report could not say.
func logical(r *audit.Report) []sarifLogical {
	if r.Mail != nil {
		return mailLocation(r, "").Logical
	}
	return location(r.Domain, 0).Logical
}

// mailLocation is a place in a mail: the file it was read from.
func mailLocation(r *audit.Report, what string) sarifLocation {
	path := (&url.URL{Path: filepath.ToSlash(title(r))}).EscapedPath()
	return sarifLocation{
		Physical: &sarifPhysical{Artifact: sarifArtifact{path}, Region: sarifRegion{1}},
		Logical:  []sarifLogical{{Name: title(r), Full: title(r) + " " + what, Kind: "resource"}},
	}
}

// sarifWords makes a plain text message.
func sarifWords(s string) sarifText {
	// SARIF 2.1.0, Section 3.11.6: [text](target) in a plain message is a link, and
	// foreign text must not be one. Section 3.11.5: {0} is a
	// placeholder.
	s = placeholder.ReplaceAllString(safe.Text(strings.ReplaceAll(s, "\n", " ")), "{{$1}}")
	return sarifText{brackets.Replace(s)}
}

var (
	placeholder = regexp.MustCompile(`\{([0-9]+)\}`)
	brackets    = strings.NewReplacer("[", `\[`, "]", `\]`)
)
