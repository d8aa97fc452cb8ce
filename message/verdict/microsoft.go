package verdict

import "strings"

// Microsoft is what Exchange Online, Outlook.com and Exchange servers write.
type Microsoft struct {
	// SCL is the spam confidence level: -1 is not filtered, 0 and 1 no spam, 5 and 6
	// spam, 8 and 9 surely spam.
	SCL Number `json:"scl"`
	// BCL is the bulk complaint level, 0 to 9.
	BCL Number `json:"bcl"`
	// SFV is the filter's verdict: NSPM, SPM, SKS, SKB, SKA, SKN, SKI, SKQ, SFE, BLK.
	SFV string `json:"sfv,omitempty"`
	// Category is CAT: NONE, BULK, SPM, HSPM, PHSH, HPHISH, SPOOF, DIMP, UIMP, …
	Category  string `json:"category,omitempty"`
	ClientIP  string `json:"client_ip,omitempty"` // CIP, as written
	Helo      string `json:"helo,omitempty"`      // H
	PTR       string `json:"ptr,omitempty"`
	Country   string `json:"country,omitempty"`
	IPVerdict string `json:"ip_verdict,omitempty"` // IPV: NLI not listed, CAL on an allow list
	Source    string `json:"srv,omitempty"`        // SRV: BULK
	Safety    string `json:"sfty,omitempty"`       // SFTY: 9.19, 9.20, 9.25
	// CompAuth and CompAuthReason are the composite authentication, with its code of
	// three digits.
	CompAuth       string `json:"compauth,omitempty"`
	CompAuthReason string `json:"compauth_reason,omitempty"`
	// Dest is the folder of X-Microsoft-Antispam-Mailbox-Delivery: I inbox, J junk.
	Dest      string    `json:"dest,omitempty"`
	Placement Placement `json:"placement,omitempty"` // by Dest
	AllowRule bool      `json:"allow_rule,omitempty"`
	Report    []Pair    `json:"report,omitempty"`   // X-Forefront-Antispam-Report
	Antispam  []Pair    `json:"antispam,omitempty"` // X-Microsoft-Antispam
	Delivery  []Pair    `json:"delivery,omitempty"` // X-Microsoft-Antispam-Mailbox-Delivery
}

func (r *reader) microsoft() {
	m, any := &Microsoft{}, false
	for _, name := range []string{"X-Forefront-Antispam-Report", "X-Forefront-Antispam-Report-Untrusted"} {
		if v, ok := r.get(name); ok && !any {
			any = true
			m.Report = pairs(v, ";", ":")
			m.report()
		}
	}
	if v, ok := r.get("X-Microsoft-Antispam"); ok {
		any = true
		m.Antispam = pairs(v, ";", ":")
		m.BCL = number(find(m.Antispam, "BCL"))
	}
	if v, ok := r.get("X-Microsoft-Antispam-Mailbox-Delivery"); ok {
		any = true
		m.Delivery = pairs(v, ";", ":")
		m.Dest = strings.ToUpper(find(m.Delivery, "dest"))
		switch m.Dest {
		case "I":
			m.Placement = Inbox
		case "J":
			m.Placement = Spam
		}
	}
	if v, ok := r.get("X-MS-Exchange-Organization-SCL"); ok {
		any = true
		if n := number(v); n.Known {
			m.SCL = n // the one that the mailbox server acts on
		}
	}
	if v, ok := r.get("X-MS-Exchange-Organization-BypassFocusedInbox"); ok && v != "" {
		any = true
	}
	if !any {
		return
	}
	m.compauth(r)
	r.out.Microsoft = m
}

func (m *Microsoft) report() {
	m.SCL = number(find(m.Report, "SCL"))
	m.SFV = strings.ToUpper(find(m.Report, "SFV"))
	m.Category = strings.ToUpper(find(m.Report, "CAT"))
	m.ClientIP, m.Helo, m.PTR = find(m.Report, "CIP"), find(m.Report, "H"), find(m.Report, "PTR")
	m.Country, m.IPVerdict = find(m.Report, "CTRY"), strings.ToUpper(find(m.Report, "IPV"))
	m.Source, m.Safety = strings.ToUpper(find(m.Report, "SRV")), find(m.Report, "SFTY")
}

// compauth takes the composite authentication from Authentication-Results, where
// Microsoft writes it; comments and quotes cannot hold a ";" that matters here, as
// the method has to begin a part.
func (m *Microsoft) compauth(r *reader) {
	for _, f := range r.h.Fields {
		if !f.Is("Authentication-Results") {
			continue
		}
		res, err := parseResults(f.Value)
		if err != nil {
			continue
		}
		for _, x := range res.By("compauth") {
			m.CompAuth, m.CompAuthReason = x.Value, x.Reason
			return
		}
	}
}

// filtered is what the filter decided; the mailbox may do otherwise.
func (m *Microsoft) filtered() Placement {
	switch m.SFV {
	case "BLK", "SKB":
		return Spam
	}
	switch m.Category {
	case "PHSH", "HPHISH", "HPHSH":
		return Phish
	case "MALW", "AMP":
		return Blocked
	}
	switch {
	case m.SCL.Known && m.SCL.Value >= 5:
		return Spam
	case m.SCL.Known && m.SCL.Value >= 0 && m.SCL.Value <= 1 && m.SFV != "":
		return Inbox
	}
	return Unknown
}

// void tells why the filter's verdict does not count.
func (m *Microsoft) void() string {
	switch {
	case m.SCL.Known && m.SCL.Value == -1:
		m.AllowRule = true
		return "SCL -1"
	case m.SFV == "SFE" || m.SFV == "SKA" || m.SFV == "SKN":
		m.AllowRule = true
		return "SFV " + m.SFV
	case m.IPVerdict == "CAL":
		m.AllowRule = true
		return "IPV CAL"
	}
	return ""
}

// CompAuthMeaning says what a code of composite authentication means, in a few
// words; empty for an unknown one.
func CompAuthMeaning(code string) string {
	if len(code) != 3 {
		return ""
	}
	switch code {
	case "000":
		return "explicit failure: DMARC fails and its policy is quarantine or reject"
	case "001":
		return "implicit failure: no authentication records, or weak ones"
	case "002":
		return "an administrator forbade spoofed mail of this pair"
	case "010":
		return "DMARC fails for a domain of the recipient's own organisation"
	case "130":
		return "passed because a trusted ARC sealer vouched for it"
	}
	switch code[0] {
	case '1', '7':
		return "passed"
	case '2':
		return "passed softly, by what was seen before"
	case '3':
		return "not checked"
	case '4', '9':
		return "bypassed"
	case '6':
		return "implicit failure for a domain of the recipient's own organisation"
	}
	return ""
}
