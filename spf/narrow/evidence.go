package narrow

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Schema names the version of the JSON form of evidence.
const Schema = "mailcheck.spf-evidence/1"

// Limits of evidence that is read.
const (
	MaxOctets = 64 << 20
	MaxHosts  = 200_000
)

// ErrEvidence matches the errors of evidence that cannot be read.
var ErrEvidence = errors.New("narrow: not usable as evidence")

// Evidence is mail that was seen.
type Evidence struct {
	Days  int // that it covers; 0: not known
	Hosts []Host
}

// Host is mail from one address with one envelope domain.
type Host struct {
	IP         netip.Addr
	Domain     resolve.Name // of MAIL FROM; zero: the domain whose record is narrowed
	Count      uint64       // mails
	Legitimate bool         // sent for the domain, and not by somebody who forges it
}

// Parse reads evidence as JSON,
//
//	{"schema": "mailcheck.spf-evidence/1", "days": 60, "hosts": [
//	  {"ip": "192.0.2.1", "domain": "example.org", "count": 120, "legitimate": true}]}
//
// or as CSV with a head, of which only ip is needed, and an optional first line
// that tells the days:
//
//	# days: 60
//	ip,domain,count,legitimate
//	192.0.2.1,example.org,120,true
//
// Without a domain, it is the one whose record is narrowed; without a count, one
// mail; without a word on it, mail is legitimate, so that nothing is cut off by
// an omission.
func Parse(text []byte) (Evidence, error) {
	if len(text) > MaxOctets {
		return Evidence{}, fmt.Errorf("%w: more than %d octets", ErrEvidence, MaxOctets)
	}
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff")))
	if len(text) == 0 {
		return Evidence{}, fmt.Errorf("%w: it is empty", ErrEvidence)
	}
	if text[0] == '{' {
		return parseJSON(text)
	}
	return parseCSV(text)
}

type jsonEvidence struct {
	Schema string `json:"schema"`
	Days   int    `json:"days"`
	Hosts  []struct {
		IP         string  `json:"ip"`
		Domain     string  `json:"domain"`
		Count      *uint64 `json:"count"`
		Legitimate *bool   `json:"legitimate"`
	} `json:"hosts"`
}

func parseJSON(text []byte) (Evidence, error) {
	var doc jsonEvidence
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&doc); err != nil {
		return Evidence{}, fmt.Errorf("%w: %w", ErrEvidence, err)
	}
	if doc.Schema != Schema {
		return Evidence{}, fmt.Errorf("%w: its schema is %.60q, not %s", ErrEvidence, doc.Schema, Schema)
	}
	if len(doc.Hosts) > MaxHosts {
		return Evidence{}, fmt.Errorf("%w: more than %d hosts", ErrEvidence, MaxHosts)
	}
	e := Evidence{Days: max(doc.Days, 0)}
	for i, h := range doc.Hosts {
		x, err := host(h.IP, h.Domain)
		if err != nil {
			return Evidence{}, fmt.Errorf("%w: host %d: %w", ErrEvidence, i+1, err)
		}
		x.Count, x.Legitimate = 1, true
		if h.Count != nil {
			x.Count = *h.Count
		}
		if h.Legitimate != nil {
			x.Legitimate = *h.Legitimate
		}
		e.Hosts = append(e.Hosts, x)
	}
	return e, nil
}

func host(ip, domain string) (Host, error) {
	a, err := netip.ParseAddr(strings.TrimSpace(ip))
	if err != nil {
		return Host{}, fmt.Errorf("%.60q is not an IP address", ip)
	}
	x := Host{IP: a.Unmap().WithZone("")}
	if domain = strings.TrimSpace(domain); domain != "" {
		if x.Domain, err = resolve.ParseName(domain); err != nil {
			return Host{}, err
		}
	}
	return x, nil
}

func parseCSV(text []byte) (Evidence, error) {
	var e Evidence
	for len(text) > 0 && text[0] == '#' {
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		word, value, _ := strings.Cut(strings.Trim(string(line), "# \r"), ":")
		if n, err := strconv.Atoi(strings.TrimSpace(value)); err == nil && strings.EqualFold(strings.TrimSpace(word), "days") && n > 0 {
			e.Days = n
		}
		text = rest
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.TrimLeadingSpace, r.FieldsPerRecord = true, -1
	head, err := r.Read()
	if err != nil {
		return e, fmt.Errorf("%w: %w", ErrEvidence, err)
	}
	column := map[string]int{}
	for i, h := range head {
		column[strings.ToLower(strings.TrimSpace(h))] = i
	}
	if _, found := column["ip"]; !found {
		return e, fmt.Errorf("%w: the first line of a CSV names the columns, and none is called ip", ErrEvidence)
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return e, nil
		}
		if err == nil && len(e.Hosts) == MaxHosts {
			err = fmt.Errorf("more than %d hosts", MaxHosts)
		}
		if err != nil {
			return e, fmt.Errorf("%w: %w", ErrEvidence, err) // it names the line
		}
		x, err := csvHost(row, column)
		if err != nil {
			line, _ := r.FieldPos(0)
			return e, fmt.Errorf("%w: line %d of the table: %w", ErrEvidence, line, err)
		}
		e.Hosts = append(e.Hosts, x)
	}
}

func csvHost(row []string, column map[string]int) (Host, error) {
	cell := func(name string) string {
		if i, found := column[name]; found && i < len(row) {
			return strings.TrimSpace(row[i])
		}
		return ""
	}
	x, err := host(cell("ip"), cell("domain"))
	if err != nil {
		return x, err
	}
	x.Count, x.Legitimate = 1, true
	if c := cell("count"); c != "" {
		if x.Count, err = strconv.ParseUint(c, 10, 63); err != nil {
			return x, fmt.Errorf("%.60q is no count", c)
		}
	}
	switch w := strings.ToLower(cell("legitimate")); w {
	case "", "true", "yes", "1":
	case "false", "no", "0":
		x.Legitimate = false
	default:
		return x, fmt.Errorf("%.60q is neither true nor false", w)
	}
	return x, nil
}
