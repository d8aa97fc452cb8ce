package ingest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/archive/memory"
	"github.com/mailcheck-go/mailcheck/reports/ingest"
	"github.com/mailcheck-go/mailcheck/reports/raw"
)

var clock = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

var filterAll archive.Filter

func now() time.Time { return clock }

// aggregateXML is a report of one record.
func aggregateXML(id, domain string, count int) string {
	return fmt.Sprintf(`<?xml version="1.0"?><feedback><report_metadata><org_name>Receiver</org_name><email>dmarc@receiver.example</email>`+
		`<report_id>%s</report_id><date_range><begin>1700006400</begin><end>1700092799</end></date_range></report_metadata>`+
		`<policy_published><domain>%s</domain><p>none</p></policy_published><record><row><source_ip>192.0.2.1</source_ip><count>%d</count>`+
		`<policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>`+
		`<identifiers><header_from>%s</header_from></identifiers><auth_results><dkim><domain>%s</domain><selector>s1</selector><result>pass</result></dkim></auth_results></record></feedback>`,
		id, domain, count, domain, domain)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func rawDir(t *testing.T) *raw.Dir {
	t.Helper()
	d, err := raw.Open(filepath.Join(t.TempDir(), "raw"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestRunTwice(t *testing.T) {
	dir := t.TempDir()
	for i := range 50 {
		write(t, filepath.Join(dir, fmt.Sprintf("r%02d.xml", i)), aggregateXML(fmt.Sprint(i), "example.org", i+1))
	}
	write(t, filepath.Join(dir, "copy", "r.xml"), aggregateXML("0", "example.org", 1))
	write(t, filepath.Join(dir, "note.txt"), "nothing to see")
	store, packs := memory.New(), rawDir(t)
	opt := ingest.Options{Store: store, Raw: packs, Now: now}
	res, err := ingest.Run(context.Background(), ingest.Paths(dir), opt)
	if err != nil || res.New != 50 || res.Duplicate != 1 || res.Refused != 1 || res.Rows != 50 || res.Messages != 50*51/2 || res.Files != 52 {
		t.Fatalf("%+v, %v", res, err)
	}
	again, err := ingest.Run(context.Background(), ingest.Paths(dir), opt)
	if err != nil || again.New != 0 || again.Duplicate != 51 || again.Refused != 1 || again.Repeated != 1 || again.Rows != 0 {
		t.Fatalf("%+v, %v", again, err)
	}
	n := 0
	for _, err := range store.Inputs(context.Background(), filterAll) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 52 {
		t.Errorf("the ledger has %d lines", n)
	}
	fresh := memory.New()
	built, err := ingest.Rebuild(context.Background(), ingest.Options{Store: fresh, Raw: packs, Now: now})
	if err != nil || built.New != 50 || built.Duplicate != 1 || built.Refused != 1 || built.Messages != res.Messages {
		t.Fatalf("%+v, %v", built, err)
	}
}
