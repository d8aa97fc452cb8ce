package rules

import "github.com/mailcheck-go/mailcheck/audit"

var configRules = []*audit.Rule{&suppressionExpired, &suppressionUnused}

// The engine reports these two: they are about the suppressions, not the domain.

var suppressionExpired = audit.Rule{
	ID: audit.SuppressionExpired, Slug: "config-suppression-expired", Severity: audit.Warning, Since: "0.1",
	Title: "A suppression in the configuration has expired",
	Refs:  []audit.Ref{{Title: "mailcheck.yaml, suppressions"}},
	Doc: audit.Doc{
		Impact: "The finding that was accepted for a time counts again. Nothing has changed for mail.",
		Remedy: "Repair what the suppression covers, or give it a new date and a reason that still holds.",
	},
}

var suppressionUnused = audit.Rule{
	ID: audit.SuppressionUnused, Slug: "config-suppression-unused", Severity: audit.Notice, Since: "0.1",
	Title: "A suppression in the configuration matches no finding",
	Refs:  []audit.Ref{{Title: "mailcheck.yaml, suppressions"}},
	Doc: audit.Doc{
		Impact: "None now. Left in place, it would hide the defect when it comes back.",
		Remedy: "Remove the suppression, or correct its rule, domain or subject pattern.",
	},
}
