package dmarc

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
)

func TestCheckDestinations(t *testing.T) {
	const (
		mx     = "\n@vendor.example MX 10 mx.vendor.example."
		record = "v=DMARC1; p=none; rua="
		agreed = "\n@example.com._report._dmarc.vendor.example TXT "
	)
	tests := []struct {
		name, zone, domain, uris string // zone besides the record of example.com
		want                     string // external authorized receives mail
		problem                  string
	}{
		{"own domain", "\n@example.com MX 10 mx.example.com.", "example.com", "mailto:a@example.com", "absent present present mx", ""},
		{"subdomain", "\n@r.example.com MX 10 mx.example.com.", "example.com", "mailto:a@r.example.com", "absent present present mx", ""},
		{"agreed", mx + agreed + `"v=DMARC1"`, "example.com", "mailto:a@vendor.example", "present present present mx", ""},
		{"agreed with semicolon", mx + agreed + `"v=DMARC1;"`, "example.com", "mailto:a@vendor.example", "present present present mx", ""},
		{"agreed twice", mx + agreed + `"v=DMARC1;"` + agreed + `"v=DMARC1; p=none"`, "example.com", "mailto:a@vendor.example", "present present present mx", ""},
		{"wildcard agreement", mx + "\n@*._report._dmarc.vendor.example TXT \"v=DMARC1\"", "example.com", "mailto:a@vendor.example", "present present present mx", ""},
		{"not agreed", mx, "example.com", "mailto:a@vendor.example", "present absent present mx", "does not agree"},
		{"wrong case", mx + agreed + `"v=dmarc1"`, "example.com", "mailto:a@vendor.example", "present absent present mx", "does not agree"},
		{"wildcard of something else", mx + "\n@*.vendor.example TXT \"v=spf1 -all\"", "example.com", "mailto:a@vendor.example", "present absent present mx", "does not agree"},
		{"agreement for another domain", mx + "\n@example.net._report._dmarc.vendor.example TXT \"v=DMARC1\"", "example.com", "mailto:a@vendor.example", "present absent present mx", "does not agree"},
		{"failure", mx + "\n!! example.com._report._dmarc.vendor.example", "example.com", "mailto:a@vendor.example", "present unavailable present mx", "unknown"},
		{"override", mx + agreed + `"v=DMARC1; rua=mailto:b@vendor.example"`, "example.com", "mailto:a@vendor.example", "present present present mx", ""},
		{"override elsewhere", mx + agreed + `"v=DMARC1; rua=mailto:b@other.example"`, "example.com", "mailto:a@vendor.example", "present absent present mx", "another host"},
		{"override that is no URI", mx + agreed + `"v=DMARC1; rua=nobody"`, "example.com", "mailto:a@vendor.example", "present present present mx", ""},
		{"override of ruf only", mx + agreed + `"v=DMARC1; ruf=mailto:b@other.example"`, "example.com", "mailto:a@vendor.example", "present present present mx", ""},
		{"alias", mx + "\n@example.com._report._dmarc.vendor.example CNAME ok.vendor.example.\n@ok.vendor.example TXT \"v=DMARC1\"", "example.com", "mailto:a@vendor.example", "present present present mx", ""},
		// RFC 9990, Section 4: the name where the record was found counts.
		{"inherited", mx + agreed + `"v=DMARC1"`, "shop.example.com", "mailto:a@vendor.example", "present present present mx", ""},
		{"inherited, own host", "\n@shop.example.com MX 10 mx.example.com.", "shop.example.com", "mailto:a@shop.example.com", "absent present present mx", ""},
		{"other organization below", "\n@x.example.com MX 10 mx.example.com.\nx.example.com v=DMARC1; p=none; psd=n", "example.com", "mailto:a@x.example.com", "present absent present mx", "does not agree"},
		{"failure above", "\n! com\n@r.example.com MX 10 mx.example.com.", "example.com", "mailto:a@r.example.com", "unavailable unavailable present mx", "unknown"},

		{"null MX", "\n@example.com MX 0 .", "example.com", "mailto:a@example.com", "absent present absent null-mx", "null MX"},
		{"null MX beside another", "\n@example.com MX 0 .\n@example.com MX 10 mx.example.com.", "example.com", "mailto:a@example.com", "absent present present mx", ""},
		{"address only", "\n@example.com AAAA 2001:db8::1", "example.com", "mailto:a@example.com", "absent present present address", ""},
		{"no host", "", "example.com", "mailto:a@gone.example.com", "absent present absent none", "no MX"},
		{"no address", "\n@example.com TXT x", "example.com", "mailto:a@example.com", "absent present absent none", "no MX"},
		{"mail unknown", "\n!! r.example.com", "example.com", "mailto:a@r.example.com", "absent present unavailable ", "unknown"},
		{"https", "\n@https.example.com A 192.0.2.1", "example.com", "https://https.example.com/r", "absent present unavailable ", "need not support"},
		{"no URI", "", "example.com", "a@example.com", "absent absent absent ", "no usable URI"},
		{"no host in URI", "", "example.com", "tel:123", "absent absent absent ", "no host"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			z := zone("example.com " + record + tt.uris + tt.zone)
			d := Discover(t.Context(), z, resolve.MustName(tt.domain), Options{})
			if d.Policy.Domain.IsZero() {
				t.Fatalf("no record: %s", d.Policy.Why)
			}
			list := CheckDestinations(t.Context(), z, d)
			if len(list) != 1 {
				t.Fatalf("got %d destinations", len(list))
			}
			x := list[0]
			got := fmt.Sprintf("%s %s %s %s", x.External, x.Authorized, x.Receives, x.Mail)
			if got != tt.want || !strings.Contains(x.Problem, tt.problem) || (x.Problem == "") != (tt.problem == "") {
				t.Errorf("got %s: %q, want %s: %q", got, x.Problem, tt.want, tt.problem)
			}
		})
	}
}

func TestCheckDestinationsPSD(t *testing.T) {
	// The record is found at the public suffix, another organization than the
	// domains below it (RFC 9989, Section 4.10.2).
	z := zone("bank v=DMARC1; p=none; psd=y; rua=mailto:a@a.bank,mailto:a@bank\n@a.bank MX 10 mx.a.bank.\n@bank MX 10 mx.bank.")
	d := Discover(t.Context(), z, resolve.MustName("a.bank"), Options{})
	list := CheckDestinations(t.Context(), z, d)
	if len(list) != 2 || list[0].External != resolve.Present || list[0].Authorized != resolve.Absent || list[0].Query.String() != "bank._report._dmarc.a.bank" || list[1].External != resolve.Absent {
		t.Errorf("got %+v", list)
	}
}

func TestCheckDestinationsEconomy(t *testing.T) {
	// A host outside the organization is known to be so without a walk.
	z := zone("example.com v=DMARC1; p=none; rua=mailto:a@r.vendor.com,mailto:b@r.vendor.com\n@r.vendor.com MX 10 mx.vendor.com.")
	d := Discover(t.Context(), z, resolve.MustName("example.com"), Options{})
	var rec recorder
	CheckDestinations(t.Context(), rec.around(z), d)
	if len(rec.names) != 2 {
		t.Errorf("asked %q", rec.names)
	}
}

func TestCheckDestinationsLimits(t *testing.T) {
	long := strings.Repeat(strings.Repeat("a", 60)+".", 3) + "example.com"
	z := zone(long + " v=DMARC1; p=none; rua=mailto:a@" + strings.Repeat(strings.Repeat("b", 60)+".", 3) + "example.net")
	d := Discover(t.Context(), z, resolve.MustName(long), Options{})
	list := CheckDestinations(t.Context(), z, d)
	if len(list) != 1 || list[0].Authorized != resolve.Absent || !strings.Contains(list[0].Problem, "too long") {
		t.Errorf("got %+v", list)
	}

	var uris []string
	for i := range 200 {
		uris = append(uris, fmt.Sprintf("mailto:a@r%d.example.net", i))
	}
	var rec recorder
	z = zone("example.com v=DMARC1; p=none; rua=" + strings.Join(uris, ","))
	d = Discover(t.Context(), z, resolve.MustName("example.com"), Options{})
	if list := CheckDestinations(t.Context(), rec.around(z), d); len(list) != MaxDestinations || len(rec.names) > 5*MaxDestinations {
		t.Errorf("%d destinations, %d queries", len(list), len(rec.names))
	}
	if list := CheckDestinations(t.Context(), z, Discovery{}); list != nil {
		t.Errorf("got %v of nothing", list)
	}
}
