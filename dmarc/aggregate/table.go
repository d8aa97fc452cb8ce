package aggregate

// elem is the local name of an element of the format.
type elem uint8

const (
	eUnknown elem = iota
	eFeedback
	eVersion
	eMetadata
	eOrgName
	eEmail
	eExtra
	eReportID
	eDateRange
	eBegin
	eEnd
	eError
	eGenerator
	ePolicy
	eDomain
	eP
	eSP
	eNP
	eADKIM
	eASPF
	eDiscovery
	eFO
	ePct
	eTesting
	eExtension
	eRecord
	eRow
	eSourceIP
	eCount
	eEvaluated
	eDisposition
	eDKIM
	eSPF
	eReason
	eType
	eComment
	eIdentifiers
	eHeaderFrom
	eEnvelopeFrom
	eEnvelopeTo
	eAuth
	eSelector
	eResult
	eHuman
	eScope
	numElems
)

var elemNames = [numElems]string{
	eFeedback: "feedback", eVersion: "version", eMetadata: "report_metadata", eOrgName: "org_name",
	eEmail: "email", eExtra: "extra_contact_info", eReportID: "report_id", eDateRange: "date_range",
	eBegin: "begin", eEnd: "end", eError: "error", eGenerator: "generator", ePolicy: "policy_published",
	eDomain: "domain", eP: "p", eSP: "sp", eNP: "np", eADKIM: "adkim", eASPF: "aspf",
	eDiscovery: "discovery_method", eFO: "fo", ePct: "pct", eTesting: "testing", eExtension: "extension",
	eRecord: "record", eRow: "row", eSourceIP: "source_ip", eCount: "count", eEvaluated: "policy_evaluated",
	eDisposition: "disposition", eDKIM: "dkim", eSPF: "spf", eReason: "reason", eType: "type",
	eComment: "comment", eIdentifiers: "identifiers", eHeaderFrom: "header_from",
	eEnvelopeFrom: "envelope_from", eEnvelopeTo: "envelope_to", eAuth: "auth_results",
	eSelector: "selector", eResult: "result", eHuman: "human_result", eScope: "scope",
}

// lookup finds the element of a name. The switch is compiled to a search by
// length and content, which is what makes it fit for every tag.
func lookup(name []byte) elem {
	switch string(name) {
	case "feedback":
		return eFeedback
	case "version":
		return eVersion
	case "report_metadata":
		return eMetadata
	case "org_name":
		return eOrgName
	case "email":
		return eEmail
	case "extra_contact_info":
		return eExtra
	case "report_id":
		return eReportID
	case "date_range":
		return eDateRange
	case "begin":
		return eBegin
	case "end":
		return eEnd
	case "error":
		return eError
	case "generator":
		return eGenerator
	case "policy_published":
		return ePolicy
	case "domain":
		return eDomain
	case "p":
		return eP
	case "sp":
		return eSP
	case "np":
		return eNP
	case "adkim":
		return eADKIM
	case "aspf":
		return eASPF
	case "discovery_method":
		return eDiscovery
	case "fo":
		return eFO
	case "pct":
		return ePct
	case "testing":
		return eTesting
	case "extension":
		return eExtension
	case "record":
		return eRecord
	case "row":
		return eRow
	case "source_ip":
		return eSourceIP
	case "count":
		return eCount
	case "policy_evaluated":
		return eEvaluated
	case "disposition":
		return eDisposition
	case "dkim":
		return eDKIM
	case "spf":
		return eSPF
	case "reason":
		return eReason
	case "type":
		return eType
	case "comment":
		return eComment
	case "identifiers":
		return eIdentifiers
	case "header_from":
		return eHeaderFrom
	case "envelope_from":
		return eEnvelopeFrom
	case "envelope_to":
		return eEnvelopeTo
	case "auth_results":
		return eAuth
	case "selector":
		return eSelector
	case "result":
		return eResult
	case "human_result":
		return eHuman
	case "scope":
		return eScope
	}
	return eUnknown
}

// spellings are names seen in reports that stand for one of the format's.
var spellings = map[string]elem{
	"identities": eIdentifiers, "identifier": eIdentifiers, "auth_result": eAuth, "extensions": eExtension,
	"policy_evaluate": eEvaluated, "reportmetadata": eMetadata, "policypublished": ePolicy,
	"source-ip": eSourceIP, "header-from": eHeaderFrom, "envelope-from": eEnvelopeFrom,
	"envelope-to": eEnvelopeTo, "auth-results": eAuth, "report-id": eReportID, "org-name": eOrgName,
	"report-metadata": eMetadata, "policy-published": ePolicy, "policy-evaluated": eEvaluated,
	"date-range": eDateRange,
}

// state is the innermost open element as far as it decides what may follow.
type state uint8

const (
	sOutside state = iota // before the root, or in an element around it
	sFeedback
	sMetadata
	sDateRange
	sPolicy
	sRecord
	sRow
	sEvaluated
	sReason
	sIdentifiers
	sAuth
	sDKIM
	sSPF
	sSkip // an element that is left out with all in it
	numStates
)

// field is an element that holds a value.
type field uint8

const (
	fNone field = iota
	fVersion
	fOrgName
	fEmail
	fExtra
	fReportID
	fBegin
	fEnd
	fError
	fGenerator
	fDomain
	fP
	fSP
	fNP
	fADKIM
	fASPF
	fDiscovery
	fFO
	fPct
	fTesting
	fSourceIP
	fCount
	fDisposition
	fEvalDKIM
	fEvalSPF
	fReasonType
	fComment
	fHeaderFrom
	fEnvelopeFrom
	fEnvelopeTo
	fDKIMDomain
	fSelector
	fDKIMResult
	fDKIMHuman
	fSPFDomain
	fScope
	fSPFResult
	fSPFHuman
	numFields
)

// action is what an element means where it stands: the state it opens, or the
// field it holds.
type action struct {
	state state // not zero: a container
	field field // not zero: a value
	loose bool  // accepted here, although the format has it elsewhere
}

func open(s state) action       { return action{state: s} }
func value(f field) action      { return action{field: f} }
func looseOpen(s state) action  { return action{state: s, loose: true} }
func looseValue(f field) action { return action{field: f, loose: true} }

var actions = [numStates][numElems]action{
	sOutside: {eFeedback: open(sFeedback)},
	sFeedback: {
		eVersion: value(fVersion), eMetadata: open(sMetadata), ePolicy: open(sPolicy),
		eExtension: open(sSkip), eRecord: open(sRecord),
	},
	sMetadata: {
		eOrgName: value(fOrgName), eEmail: value(fEmail), eExtra: value(fExtra), eReportID: value(fReportID),
		eDateRange: open(sDateRange), eError: value(fError), eGenerator: value(fGenerator),
		eBegin: looseValue(fBegin), eEnd: looseValue(fEnd), eVersion: looseValue(fVersion),
	},
	sDateRange: {eBegin: value(fBegin), eEnd: value(fEnd)},
	sPolicy: {
		eDomain: value(fDomain), eP: value(fP), eSP: value(fSP), eNP: value(fNP), eADKIM: value(fADKIM),
		eASPF: value(fASPF), eDiscovery: value(fDiscovery), eFO: value(fFO), ePct: value(fPct),
		eTesting: value(fTesting),
	},
	sRecord: {
		eRow: open(sRow), eIdentifiers: open(sIdentifiers), eAuth: open(sAuth), eExtension: open(sSkip),
		eEvaluated: looseOpen(sEvaluated), eSourceIP: looseValue(fSourceIP), eCount: looseValue(fCount),
		eHeaderFrom: looseValue(fHeaderFrom), eEnvelopeFrom: looseValue(fEnvelopeFrom),
		eEnvelopeTo: looseValue(fEnvelopeTo),
	},
	sRow: {
		eSourceIP: value(fSourceIP), eCount: value(fCount), eEvaluated: open(sEvaluated),
		eIdentifiers: looseOpen(sIdentifiers), eAuth: looseOpen(sAuth), eDisposition: looseValue(fDisposition),
		eReason: looseOpen(sReason),
	},
	sEvaluated: {
		eDisposition: value(fDisposition), eDKIM: value(fEvalDKIM), eSPF: value(fEvalSPF), eReason: open(sReason),
	},
	sReason: {eType: value(fReasonType), eComment: value(fComment)},
	sIdentifiers: {
		eHeaderFrom: value(fHeaderFrom), eEnvelopeFrom: value(fEnvelopeFrom), eEnvelopeTo: value(fEnvelopeTo),
	},
	sAuth: {eDKIM: open(sDKIM), eSPF: open(sSPF)},
	sDKIM: {eDomain: value(fDKIMDomain), eSelector: value(fSelector), eResult: value(fDKIMResult), eHuman: value(fDKIMHuman)},
	sSPF:  {eDomain: value(fSPFDomain), eScope: value(fScope), eResult: value(fSPFResult), eHuman: value(fSPFHuman)},
}

type fieldDef struct {
	path     string
	required bool // by both generations; its absence or emptiness is noted
	repeats  bool
}

var fieldDefs = [numFields]fieldDef{
	fVersion:      {path: "version"},
	fOrgName:      {path: "report_metadata/org_name"},
	fEmail:        {path: "report_metadata/email", required: true},
	fExtra:        {path: "report_metadata/extra_contact_info"},
	fReportID:     {path: "report_metadata/report_id", required: true},
	fBegin:        {path: "report_metadata/date_range/begin", required: true},
	fEnd:          {path: "report_metadata/date_range/end", required: true},
	fError:        {path: "report_metadata/error", repeats: true},
	fGenerator:    {path: "report_metadata/generator"},
	fDomain:       {path: "policy_published/domain", required: true},
	fP:            {path: "policy_published/p", required: true},
	fSP:           {path: "policy_published/sp"},
	fNP:           {path: "policy_published/np"},
	fADKIM:        {path: "policy_published/adkim"},
	fASPF:         {path: "policy_published/aspf"},
	fDiscovery:    {path: "policy_published/discovery_method"},
	fFO:           {path: "policy_published/fo"},
	fPct:          {path: "policy_published/pct"},
	fTesting:      {path: "policy_published/testing"},
	fSourceIP:     {path: "record/row/source_ip", required: true},
	fCount:        {path: "record/row/count", required: true},
	fDisposition:  {path: "record/row/policy_evaluated/disposition", required: true},
	fEvalDKIM:     {path: "record/row/policy_evaluated/dkim", required: true},
	fEvalSPF:      {path: "record/row/policy_evaluated/spf", required: true},
	fReasonType:   {path: "record/row/policy_evaluated/reason/type", required: true},
	fComment:      {path: "record/row/policy_evaluated/reason/comment"},
	fHeaderFrom:   {path: "record/identifiers/header_from", required: true},
	fEnvelopeFrom: {path: "record/identifiers/envelope_from"},
	fEnvelopeTo:   {path: "record/identifiers/envelope_to"},
	fDKIMDomain:   {path: "record/auth_results/dkim/domain", required: true},
	fSelector:     {path: "record/auth_results/dkim/selector"},
	fDKIMResult:   {path: "record/auth_results/dkim/result", required: true},
	fDKIMHuman:    {path: "record/auth_results/dkim/human_result"},
	fSPFDomain:    {path: "record/auth_results/spf/domain", required: true},
	fScope:        {path: "record/auth_results/spf/scope"},
	fSPFResult:    {path: "record/auth_results/spf/result", required: true},
	fSPFHuman:     {path: "record/auth_results/spf/human_result"},
}

func (f field) def() *fieldDef { return &fieldDefs[f] }
func (f field) path() string   { return fieldDefs[f].path }
func (f field) bit() uint64    { return 1 << f }

// scopes are the fields that a state's element holds once.
var scopes = func() (out [numStates]uint64) {
	for s := range actions {
		for _, a := range actions[s] {
			if a.field != 0 && !a.loose {
				out[s] |= a.field.bit()
			}
		}
	}
	out[sMetadata] |= out[sDateRange]
	out[sRecord] |= out[sRow] | out[sEvaluated] | out[sIdentifiers]
	return out
}()
