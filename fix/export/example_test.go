package export_test

import (
	"fmt"
	"os"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/fix/export"
	"github.com/mailcheck-go/mailcheck/resolve"
)

func ExampleWrite() {
	changes := []fix.Change{{
		Verb: fix.Update, Name: resolve.MustName("_dmarc.example.org"), Type: resolve.TypeTXT, TTL: 3600,
		Old: []string{`"v=DMARC1; p=none"`}, New: []string{`"v=DMARC1; p=quarantine"`}, Why: []string{"the reports are clean"},
	}}
	opt := export.Options{Zone: resolve.MustName("example.org"), Server: "192.0.2.53"}
	if err := export.Write(os.Stdout, "nsupdate", changes, opt); err != nil {
		fmt.Println(err)
	}
	// Output:
	// ; nsupdate -k KEYFILE FILE. An update that is refused with NXRRSET or YXRRSET found
	// ; another zone than the plan was made for.
	// server 192.0.2.53 53
	// zone example.org.
	//
	// ; _dmarc.example.org. TXT: in place of all records of this name and type
	// ;   the reports are clean
	// prereq yxrrset _dmarc.example.org. IN TXT "v=DMARC1; p=none"
	// update delete _dmarc.example.org. IN TXT
	// update add _dmarc.example.org. 3600 IN TXT "v=DMARC1; p=quarantine"
	// send
}

func ExampleFormats() {
	for _, f := range export.Formats()[:3] {
		fmt.Println(f.ID)
	}
	// Output:
	// bind
	// nsupdate
	// dnscontrol
}
