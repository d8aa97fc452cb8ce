package sqlite

import "strings"

const (
	// applicationID marks the file (file(1) shows it): "mchk".
	applicationID = 0x6d63686b
	// version is the version of the schema and of what the sums mean. It grows
	// with each change of either; archives of another one are made anew from
	// the raw reports.
	version = 1
)

// counters are the columns of a sum. Messages and those with disposition none
// follow from them.
const counters = `dkim_and_spf, dkim_only, spf_only, neither, quarantine, reject, other, overridden, records, reports`

// schema is STRICT, so that a damaged value is an error and no surprise. Names
// that many rows have are in name, once. Days and months count from 1970; class
// is 1 for forged and 2 for alien, added up.
const schema = `
CREATE TABLE name (id INTEGER PRIMARY KEY AUTOINCREMENT, value TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE policy (id INTEGER PRIMARY KEY AUTOINCREMENT, p TEXT NOT NULL, sp TEXT NOT NULL, np TEXT NOT NULL, adkim TEXT NOT NULL,
	aspf TEXT NOT NULL, fo TEXT NOT NULL, pct TEXT NOT NULL, testing TEXT NOT NULL, discovery TEXT NOT NULL,
	UNIQUE (p, sp, np, adkim, aspf, fo, pct, testing, discovery)) STRICT;

CREATE TABLE report (id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, key BLOB NOT NULL, digest BLOB NOT NULL,
	counted INTEGER NOT NULL, complete INTEGER NOT NULL, domain INTEGER NOT NULL REFERENCES name, reporter INTEGER NOT NULL REFERENCES name,
	begin_at INTEGER NOT NULL, end_at INTEGER NOT NULL, first_day INTEGER NOT NULL, last_day INTEGER NOT NULL, class INTEGER NOT NULL,
	records INTEGER NOT NULL, messages INTEGER NOT NULL, policy INTEGER NOT NULL REFERENCES policy,
	report_id TEXT NOT NULL, org TEXT NOT NULL, email TEXT NOT NULL, format TEXT NOT NULL,
	sum BLOB NOT NULL, path TEXT NOT NULL, mail_from TEXT NOT NULL, proof TEXT NOT NULL, at INTEGER NOT NULL, extra TEXT NOT NULL,
	diagnostics TEXT) STRICT;
CREATE INDEX report_key ON report (key);
CREATE INDEX report_begin ON report (kind, begin_at);
CREATE INDEX report_domain ON report (domain, kind, begin_at);
CREATE INDEX report_long ON report (domain, last_day) WHERE last_day > first_day;

CREATE TABLE document (sum BLOB NOT NULL, report INTEGER NOT NULL REFERENCES report, PRIMARY KEY (sum, report)) STRICT, WITHOUT ROWID;

CREATE TABLE look (id INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL UNIQUE, verdict INTEGER NOT NULL, disposition TEXT NOT NULL,
	header_from TEXT NOT NULL, envelope_from TEXT NOT NULL, envelope_to TEXT NOT NULL, source_text TEXT NOT NULL, children INTEGER NOT NULL) STRICT;
CREATE TABLE reason (look INTEGER NOT NULL REFERENCES look, n INTEGER NOT NULL, type TEXT NOT NULL, comment TEXT NOT NULL,
	PRIMARY KEY (look, n)) STRICT, WITHOUT ROWID;
CREATE TABLE signature (look INTEGER NOT NULL REFERENCES look, n INTEGER NOT NULL, domain TEXT NOT NULL, selector TEXT NOT NULL,
	result TEXT NOT NULL, PRIMARY KEY (look, n)) STRICT, WITHOUT ROWID;
CREATE TABLE spf (look INTEGER NOT NULL REFERENCES look, n INTEGER NOT NULL, domain TEXT NOT NULL, scope TEXT NOT NULL,
	result TEXT NOT NULL, PRIMARY KEY (look, n)) STRICT, WITHOUT ROWID;

CREATE TABLE fact (report INTEGER NOT NULL REFERENCES report, n INTEGER NOT NULL, source BLOB NOT NULL, look INTEGER NOT NULL REFERENCES look,
	count INTEGER NOT NULL, PRIMARY KEY (report, n)) STRICT, WITHOUT ROWID;

CREATE TABLE domain_day (domain INTEGER NOT NULL, day INTEGER NOT NULL, reporter INTEGER NOT NULL, class INTEGER NOT NULL, p INTEGER NOT NULL,
	%COUNTERS%, PRIMARY KEY (domain, day, reporter, class, p)) STRICT, WITHOUT ROWID;
CREATE TABLE domain_month (domain INTEGER NOT NULL, month INTEGER NOT NULL, class INTEGER NOT NULL,
	%COUNTERS%, first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (domain, month, class)) STRICT, WITHOUT ROWID;
CREATE TABLE fleet_day (day INTEGER NOT NULL, class INTEGER NOT NULL,
	%COUNTERS%, PRIMARY KEY (day, class)) STRICT, WITHOUT ROWID;
CREATE TABLE reporter_day (reporter INTEGER NOT NULL, day INTEGER NOT NULL, class INTEGER NOT NULL,
	%COUNTERS%, PRIMARY KEY (reporter, day, class)) STRICT, WITHOUT ROWID;
CREATE TABLE source_day (domain INTEGER NOT NULL, source BLOB NOT NULL, day INTEGER NOT NULL, class INTEGER NOT NULL,
	%COUNTERS%, PRIMARY KEY (domain, source, day, class)) STRICT, WITHOUT ROWID;
CREATE TABLE flow_month (domain INTEGER NOT NULL, source BLOB NOT NULL, look INTEGER NOT NULL, reporter INTEGER NOT NULL,
	month INTEGER NOT NULL, class INTEGER NOT NULL, messages INTEGER NOT NULL, records INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
	PRIMARY KEY (domain, source, look, reporter, month, class)) STRICT, WITHOUT ROWID;
CREATE TABLE selector_day (domain INTEGER NOT NULL, signer INTEGER NOT NULL, selector INTEGER NOT NULL, reporter INTEGER NOT NULL,
	day INTEGER NOT NULL, class INTEGER NOT NULL, pass INTEGER NOT NULL, fail INTEGER NOT NULL,
	PRIMARY KEY (domain, signer, selector, reporter, day, class)) STRICT, WITHOUT ROWID;

CREATE TABLE session (report INTEGER NOT NULL REFERENCES report, n INTEGER NOT NULL, type TEXT NOT NULL, domain TEXT NOT NULL,
	mx_hosts TEXT, strings TEXT, successful INTEGER NOT NULL, failed INTEGER NOT NULL, failures TEXT, PRIMARY KEY (report, n)) STRICT, WITHOUT ROWID;
CREATE TABLE sample (report INTEGER PRIMARY KEY REFERENCES report, source BLOB NOT NULL, arrived INTEGER NOT NULL, mail_from TEXT NOT NULL,
	header_from TEXT NOT NULL, auth_failure TEXT, alignment TEXT, delivery TEXT NOT NULL, dkim_domain TEXT NOT NULL,
	dkim_selector TEXT NOT NULL, incidents INTEGER NOT NULL) STRICT;

CREATE TABLE input (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, path TEXT NOT NULL, kind TEXT NOT NULL, outcome TEXT NOT NULL,
	reason TEXT NOT NULL, report INTEGER NOT NULL, sum BLOB NOT NULL, mail_from TEXT NOT NULL, mail_id TEXT NOT NULL,
	records INTEGER NOT NULL, messages INTEGER NOT NULL) STRICT;
CREATE INDEX input_at ON input (at);
CREATE TABLE pack (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE cursor (mailbox TEXT PRIMARY KEY, validity INTEGER NOT NULL, uid INTEGER NOT NULL) STRICT;
CREATE TABLE address (source BLOB PRIMARY KEY, names TEXT NOT NULL, state TEXT NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`

// statements gives the statements of the schema.
func statements() []string {
	columns := strings.ReplaceAll(counters, ",", " INTEGER NOT NULL,") + " INTEGER NOT NULL"
	return strings.Split(strings.TrimSuffix(strings.TrimSpace(strings.ReplaceAll(schema, "%COUNTERS%", columns)), ";"), ";\n")
}

// objects counts the tables and indexes that the schema has by name.
func objects() (n int) {
	for _, s := range statements() {
		if strings.HasPrefix(strings.TrimSpace(s), "CREATE ") {
			n++
		}
	}
	return n
}
