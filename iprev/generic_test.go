package iprev_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/iprev"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// The names have the shape of real ones; addresses and customers are made up.
var shapes = []struct {
	name, addr string
	want       iprev.Sort // empty: not generic
}{
	// Mail servers of their own.
	{"mail.example.org", "198.51.100.7", ""},
	{"mx1.example.co.uk", "198.51.100.7", ""},
	{"smtp2.mail.example.org", "198.51.100.7", ""},
	{"example.org", "198.51.100.7", ""},
	{"mail7.example.org", "198.51.100.7", ""},
	{"mx100.example.org", "198.51.100.7", ""},
	{"server.example.org", "198.51.100.7", ""},
	{"host1.example.org", "198.51.100.7", ""},
	{"web3.example.de", "198.51.100.7", ""},
	{"v6.mail.example.org", "2001:db8::25", ""},
	{"mail.dsl.example.org", "198.51.100.7", ""},
	{"pool.example.org", "198.51.100.7", ""},
	{"cust1.example.org", "198.51.100.7", ""},
	{"mail.mobile.example.org", "198.51.100.7", ""},
	{"ip4.mx.example.org", "198.51.100.7", ""},
	// Large senders number theirs, some by part of the address.
	{"mail-ed1-f41.google.com", "209.85.208.41", ""},
	{"mail-io1-xd2a.google.com", "2607:f8b0:4864:20::d2a", ""},
	{"a8-31.smtp-out.amazonses.com", "54.240.8.31", ""},
	{"e234-5.smtp-out.us-east-2.amazonses.com", "23.251.234.5", ""},
	{"mail-4316.protonmail.ch", "185.70.43.16", ""},
	{"mail-dm6nam10on2084.outbound.protection.outlook.com", "40.107.93.84", ""},
	{"sonic306-20.consmr.mail.ne1.yahoo.com", "74.6.132.20", ""},
	{"o1234567.outbound-mail.sendgrid.net", "149.72.12.34", ""},
	{"wfbtzhfv.outbound-mail.sendgrid.net", "159.183.1.2", ""},
	{"m42-7.mailgun.net", "69.72.42.7", ""},
	{"mta84a-ord.mtasv.net", "50.31.156.84", ""},
	{"wout3-smtp.messagingengine.com", "64.147.123.19", ""},
	{"sender4-of-o53.zoho.com", "136.143.188.53", ""},
	{"qs51p00im-qukt01080701.me.com", "17.57.155.24", ""},
	{"mail28.atl11.rsgsv.net", "205.201.131.28", ""},
	{"smtp12-ia4-sp3.mta.salesforce.com", "13.110.6.12", ""},
	{"o217.p8.mailjet.com", "185.211.122.217", ""},
	{"bu-17.d.mailin.fr", "77.32.148.17", ""},
	{"mout.kundenserver.de", "212.227.126.131", ""},
	{"mail-out.m-online.net", "212.18.0.9", ""},
	{"ccm30.constantcontact.com", "208.75.123.162", ""},
	// The whole address.
	{"ec2-198-51-100-7.compute-1.amazonaws.com", "198.51.100.7", iprev.Address},
	{"7.100.51.198.bc.googleusercontent.com", "198.51.100.7", iprev.Address},
	{"static.7.100.51.198.clients.your-server.de", "198.51.100.7", iprev.Address},
	{"198-51-100-7.ip.linodeusercontent.com", "198.51.100.7", iprev.Address},
	{"198.51.100.7.vultrusercontent.com", "198.51.100.7", iprev.Address},
	{"c-198-51-100-7.hsd1.ca.comcast.net", "198.51.100.7", iprev.Address},
	{"ip7.ip-198-51-100.eu", "198.51.100.7", iprev.Address},
	{"7-100-51-198.instances.scw.cloud", "198.51.100.7", iprev.Address},
	{"p5b0c6407.dip0.t-ipconnect.de", "91.12.100.7", iprev.Address},
	{"c6336407.example.net", "198.51.100.7", iprev.Address},
	{"198051100007.ctinets.com", "198.51.100.7", iprev.Address},
	{"198_51_100_7.example.net", "198.51.100.7", iprev.Address},
	{"mail-198-51-100-7.example.net", "198.51.100.7", iprev.Address},
	{"cpe-100-51-198.example.net", "198.51.100.7", iprev.Address},
	{"host-100-7.example.net", "198.51.100.7", iprev.Address},
	{"100-7.example.net", "198.51.100.7", iprev.Address},
	{"3325256711.example.net", "198.51.100.7", iprev.Address},
	{"h-198-51-100-7.a123.priv.bahnhof.se", "198.51.100.7", iprev.Address},
	// IPv6.
	{"2001-db8-1-2-3-4-5-6.example.net", "2001:db8:1:2:3:4:5:6", iprev.Address},
	{"5.0.0.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.rev.example.net", "2001:db8:0:1:2:3:4:5", iprev.Address},
	{"dynamic-2a02-3102-8d00-0001-0211-22ff-fe33-4455.example.net", "2a02:3102:8d00:1:211:22ff:fe33:4455", iprev.Address},
	{"021122fffe334455.v6.example.net", "2a02:3102:8d00:1:211:22ff:fe33:4455", iprev.Address},
	{"2001-db8--1.example.net", "2001:db8::1", iprev.Address},
	// Words.
	{"dynamic.example.net", "198.51.100.7", iprev.Dynamic},
	{"dynamic.net", "198.51.100.7", ""}, // a domain, not a host of one
	{"x.dynamic.example.net", "198.51.100.7", iprev.Dynamic},
	{"host3.dhcp.example.edu", "198.51.100.7", iprev.Dynamic},
	{"ppp-17.dialup.example.net", "198.51.100.7", iprev.Dynamic},
	{"unassigned.example.net.example.com", "198.51.100.7", iprev.Dynamic},
	{"dsl-7.example.net", "198.51.100.7", iprev.Access},
	{"pool-12345.example.net", "198.51.100.7", iprev.Access},
	{"cable-7.cust.example.net", "198.51.100.7", iprev.Access},
	{"a12b34c56.adsl.example.net", "198.51.100.7", iprev.Access},
	// Rented machines.
	{"vmi123456.contaboserver.net", "198.51.100.7", iprev.Machine},
	{"vps-1a2b3c4d.vps.ovh.net", "198.51.100.7", iprev.Machine},
	{"h2345678.stratoserver.net", "198.51.100.7", iprev.Machine},
	{"li123-45.members.linode.com", "198.51.100.7", iprev.Machine},
	{"ns3012345.example.net", "198.51.100.7", iprev.Machine},
	{"vps.example.net", "198.51.100.7", ""},
	{"srv1.example.net", "198.51.100.7", ""},
	{"s12.example.net", "198.51.100.7", ""},
}

func TestLooksGeneric(t *testing.T) {
	for _, s := range shapes {
		got := iprev.LooksGeneric(resolve.MustName(s.name), netip.MustParseAddr(s.addr))
		if got.Sort != s.want {
			t.Errorf("%s of %s: %q (%s), want %q", s.name, s.addr, got.Sort, got.Why, s.want)
		}
		if got.Is() && (got.Why == "" || !strings.Contains(s.name, got.Evidence) && !strings.Contains(strings.NewReplacer(".", "", "-", "").Replace(s.name), got.Evidence)) {
			t.Errorf("%s: evidence %q is not in the name", s.name, got.Evidence)
		}
	}
}

// A name that is generic for one address says nothing about another.
func TestLooksGenericOther(t *testing.T) {
	name := resolve.MustName("gw-198-51-100-7.example.net")
	if got := iprev.LooksGeneric(name, netip.MustParseAddr("203.0.113.9")); got.Is() {
		t.Errorf("another address in the name: %v", got)
	}
	if got := iprev.LooksGeneric(name, netip.Addr{}); got.Is() {
		t.Errorf("no address: %v", got)
	}
	if got := iprev.LooksGeneric(resolve.Name{}, netip.MustParseAddr("203.0.113.9")); got.Is() {
		t.Errorf("no name: %v", got)
	}
}

func FuzzLooksGeneric(f *testing.F) {
	for _, s := range shapes {
		f.Add(s.name, s.addr)
	}
	f.Fuzz(func(t *testing.T, name, addr string) {
		a, _ := netip.ParseAddr(addr)
		n, err := resolve.NameFromText(name)
		if err != nil {
			return
		}
		if got := iprev.LooksGeneric(n, a); got.Is() != (got.Why != "") {
			t.Errorf("%q: %+v", name, got)
		}
	})
}
