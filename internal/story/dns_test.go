//go:build story

package story

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The machines of the story, and what the world's DNS says of them.
const (
	primaryIP, primaryIP6     = "192.0.2.53", "2001:db8:2::53"
	secondaryIP, secondaryIP6 = "198.51.100.53", "2001:db8:51::53"
	resolverIP                = "192.0.2.10"

	adminIP, adminIP6   = "192.0.2.25", "2001:db8:2::25"
	bigIP, bigIP6       = "198.51.100.25", "2001:db8:51::25"
	secondIP, secondIP6 = "203.0.113.25", "2001:db8:113::25"
	newsIP              = "203.0.113.40"  // the newsletter service that nobody remembered
	forwardIP           = "198.51.100.60" // the forwarder of an alumni address
	spooferIP           = "198.51.100.66" // sends in the name of story.example
	neighbourIP         = "203.0.113.77"  // another customer of the hoster, inside of the SPF record
	newMailIP           = "192.0.2.80"    // where the server moves to

	updateKey = `key "upd.story.example." { algorithm hmac-sha256; secret "c2VjcmV0IG9mIHRoZSBzdG9yeSwgMzIgb2N0ZXRzIGxvbmc="; };` + "\n"
)

// ttl of the records: what takes hours elsewhere takes seconds here. Unbound is
// told to forget as fast.
const zoneHead = `$TTL 3600
@ SOA ns1.story.example. hostmaster.story.example. 1 86400 3600 1209600 60
`

// storyZone is the domain as it was for years.
const storyZone = zoneHead + `
@    NS   ns1
@    NS   ns2
ns1  A    192.0.2.53
ns1  AAAA 2001:db8:2::53
ns2  A    198.51.100.53
ns2  AAAA 2001:db8:51::53
@    MX   10 mail
@    A    192.0.2.25
www  A    192.0.2.25
mail A    192.0.2.25
mail AAAA 2001:db8:2::25
@    TXT  "v=spf1 ip4:192.0.2.25 ip4:203.0.0.0/8 include:_spf.old-host.example ?all"
@    TXT  "site-verification=\"a;b\\c\""
`

// zones are all zones but the root, which is made from them. Those with dnssec
// have a DS record in their parent.
var zones = []struct {
	name, text string
	dnssec     bool
	update     bool
}{
	{name: "example.", dnssec: true, text: zoneHead + `
@ NS a.root-lab
a.root-lab A 192.0.2.53
a.root-lab AAAA 2001:db8:2::53
story NS ns1.story
story NS ns2.story
ns1.story A 192.0.2.53
ns1.story AAAA 2001:db8:2::53
ns2.story A 198.51.100.53
ns2.story AAAA 2001:db8:51::53
big NS a.root-lab
second NS a.root-lab
news NS a.root-lab
forward NS a.root-lab
old-host NS a.root-lab
broken NS a.root-lab
broken DS 12345 13 2 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF
`},
	{name: "story.example.", dnssec: true, update: true, text: storyZone},
	{name: "big.example.", dnssec: true, update: true, text: zoneHead + `
@ NS a.root-lab.example.
@ MX 10 mx
mx A 198.51.100.25
mx AAAA 2001:db8:51::25
@ TXT "v=spf1 mx -all"
mx TXT "v=spf1 a -all"
_dmarc TXT "v=DMARC1; p=reject"
`},
	{name: "second.example.", update: true, text: zoneHead + `
@ NS a.root-lab.example.
@ MX 10 mx
mx A 203.0.113.25
mx AAAA 2001:db8:113::25
@ TXT "v=spf1 mx -all"
mx TXT "v=spf1 a -all"
_dmarc TXT "v=DMARC1; p=reject"
`},
	{name: "news.example.", update: true, text: zoneHead + `
@ NS a.root-lab.example.
@ MX 10 out
out A 203.0.113.40
out TXT "v=spf1 a -all"
@ TXT "v=spf1 a:out.news.example -all"
_dmarc TXT "v=DMARC1; p=reject"
`},
	{name: "forward.example.", update: true, text: zoneHead + `
@ NS a.root-lab.example.
@ MX 10 mx
mx A 198.51.100.60
@ TXT "v=spf1 mx -all"
mx TXT "v=spf1 a -all"
`},
	// Its DS record leads nowhere, as after a move to a name server that does not sign.
	{name: "broken.example.", text: zoneHead + `
@ NS a.root-lab.example.
@ MX 10 mx.second.example.
`},
	{name: "old-host.example.", text: zoneHead + `
@ NS a.root-lab.example.
_spf TXT "v=spf1 ip4:203.0.113.200 -all"
`},
	{name: "2.0.192.in-addr.arpa.", update: true, text: zoneHead + `
@ NS a.root-lab.example.
53 PTR ns1.story.example.
25 PTR mail.story.example.
`},
	{name: "100.51.198.in-addr.arpa.", update: true, text: zoneHead + `
@ NS a.root-lab.example.
25 PTR mx.big.example.
53 PTR ns2.story.example.
60 PTR mx.forward.example.
66 PTR host66.dialup.example.
`},
	{name: "113.0.203.in-addr.arpa.", update: true, text: zoneHead + `
@ NS a.root-lab.example.
25 PTR mx.second.example.
40 PTR out.news.example.
77 PTR vps77.old-host.example.
`},
	// The server's own IPv6 address has no PTR.
	{name: "8.b.d.0.1.0.0.2.ip6.arpa.", update: true, text: zoneHead + `
@ NS a.root-lab.example.
5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.5.0.0 PTR mx.big.example.
5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.3.1.1.0 PTR mx.second.example.
`},
}

// nameServers are the machines that answer for the DNS of this world.
type nameServers struct {
	primary, secondary, resolver *host
	anchor                       string // file with the root's DS record
	knotConf                     string
}

// startDNS starts BIND with all zones, Knot DNS as the secondary of
// story.example, and Unbound, which everybody asks.
func (w *world) startDNS() {
	w.t.Helper()
	d := &nameServers{
		primary:   w.host("ns1.story.example", primaryIP, primaryIP6),
		secondary: w.host("ns2.story.example", secondaryIP, secondaryIP6),
		resolver:  w.host("resolver.example", resolverIP, ""),
	}
	w.dns = d
	d.startPrimary(w)
	d.startSecondary()
	d.startResolver()
	d.resolver.wait("a validated answer", func() bool {
		out, err := d.resolver.command("dig", "+dnssec", "@"+resolverIP, "story.example", "SOA").CombinedOutput()
		return err == nil && strings.Contains(string(out), "status: NOERROR") && strings.Contains(string(out), " ad")
	})
}

func (d *nameServers) startPrimary(w *world) {
	w.t.Helper()
	h := d.primary
	h.must("mkdir", "-p", "/var/named/keys", "/run/named")
	var conf strings.Builder
	fmt.Fprintf(&conf, `%soptions {
	directory "/var/named";
	key-directory "/var/named/keys";
	pid-file none; session-keyfile none; lock-file none;
	recursion no; dnssec-validation no;
	notify no; // the secondary hears of changes when it asks
	allow-transfer { %s; %s; 127.0.0.1; };
};
controls { };
`, updateKey, secondaryIP, secondaryIP6)
	root := zoneHead + "@ NS a.root-lab.example.\n"
	ds := map[string]string{}
	for _, z := range zones {
		if z.dnssec {
			ds[z.name] = h.zoneKey(z.name)
		}
	}
	for _, z := range zones {
		text := z.text
		for child, record := range ds {
			if parent := child[strings.Index(child, ".")+1:]; parent == z.name {
				text += record
			}
		}
		policy := ""
		if z.update {
			policy = " allow-update { key upd.story.example.; };"
		}
		if z.dnssec {
			inline := "yes"
			if z.update {
				inline = "no"
			}
			policy += " dnssec-policy default; inline-signing " + inline + ";"
		}
		h.write("/var/named/"+z.name+"db", "$ORIGIN "+z.name+"\n"+text, 0o644)
		fmt.Fprintf(&conf, "zone %q { type primary; file \"%sdb\";%s };\n", z.name, z.name, policy)
		if z.name == "example." || strings.HasSuffix(z.name, ".arpa.") {
			root += z.name + " NS a.root-lab.example.\n" + ds[z.name]
		}
	}
	root += "a.root-lab.example. A " + primaryIP + "\na.root-lab.example. AAAA " + primaryIP6 + "\n"
	rootDS := h.zoneKey(".")
	d.anchor = filepath.Join(w.dir, "root.ds")
	if err := os.WriteFile(d.anchor, []byte(rootDS), 0o644); err != nil {
		w.t.Fatal(err)
	}
	h.write("/var/named/rootdb", "$ORIGIN .\n"+root, 0o644)
	conf.WriteString(`zone "." { type primary; file "rootdb"; dnssec-policy default; inline-signing yes; };` + "\n")
	h.write("/var/named/named.conf", conf.String(), 0o644)
	h.daemon("named", "-g", "-n", "1", "-c", "/var/named/named.conf")
	h.wait("signed zones", func() bool {
		for _, zone := range []string{".", "example.", "story.example.", "big.example."} {
			out, err := h.command("dig", "+short", "+time=1", "+tries=1", "@"+primaryIP, zone, "RRSIG").CombinedOutput()
			if err != nil || !strings.Contains(string(out), "SOA") {
				return false
			}
		}
		return true
	})
}

// zoneKey makes a key as the policy "default" of BIND takes it over, and returns
// its DS record for the parent.
func (h *host) zoneKey(zone string) string {
	h.w.t.Helper()
	file := strings.TrimSpace(h.must("dnssec-keygen", "-q", "-K", "/var/named/keys", "-k", "default", zone))
	return h.must("dnssec-dsfromkey", "-2", "/var/named/keys/"+file+".key")
}

func (d *nameServers) startSecondary() {
	h := d.secondary
	h.must("mkdir", "-p", "/var/lib/knot-story")
	d.knotConf = h.write("/etc/knot-story.conf", fmt.Sprintf(`server:
  rundir: /run/knot
  listen: [ %s@53, %s@53 ]
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: /var/lib/knot-story
log:
  - target: stderr
    any: info
remote:
  - id: primary
    address: %s@53
zone:
  - domain: story.example.
    storage: /var/lib/knot-story
    master: primary
    zonefile-sync: -1
    refresh-min-interval: 86400
`, secondaryIP, secondaryIP6, primaryIP), 0o644)
	h.must("mkdir", "-p", "/run/knot")
	h.daemon("knotd", "-c", d.knotConf)
	h.wait("the transfer of the zone", func() bool {
		out, err := h.command("dig", "+short", "+time=1", "+tries=1", "@"+secondaryIP, "story.example", "SOA").CombinedOutput()
		return err == nil && strings.Contains(string(out), "hostmaster")
	})
}

// transfer is the secondary's next look at the primary.
func (d *nameServers) transfer() {
	d.secondary.must("knotc", "-b", "-c", d.knotConf, "zone-retransfer", "story.example.")
}

func (d *nameServers) startResolver() {
	h := d.resolver
	h.write("/etc/unbound-story/root.hints", ". 3600 NS a.root-lab.example.\na.root-lab.example. 3600 A "+primaryIP+"\n", 0o644)
	anchor, err := os.ReadFile(d.anchor)
	if err != nil {
		h.w.t.Fatal(err)
	}
	h.write("/etc/unbound-story/root.ds", string(anchor), 0o644)
	conf := h.write("/etc/unbound-story/unbound.conf", `server:
  interface: `+resolverIP+`
  interface: 127.0.0.1
  access-control: 0.0.0.0/0 allow
  username: ""
  chroot: ""
  directory: "/etc/unbound-story"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  root-hints: "/etc/unbound-story/root.hints"
  trust-anchor-file: "/etc/unbound-story/root.ds"
  cache-max-ttl: 1
  cache-max-negative-ttl: 1
  infra-host-ttl: 1
  local-zone: "example." nodefault
  local-zone: "2.0.192.in-addr.arpa." nodefault
  local-zone: "100.51.198.in-addr.arpa." nodefault
  local-zone: "113.0.203.in-addr.arpa." nodefault
  local-zone: "8.b.d.0.1.0.0.2.ip6.arpa." nodefault
remote-control:
  control-enable: no
`, 0o644)
	h.daemon("unbound", "-d", "-p", "-c", conf)
}

// nsupdate is an edit by somebody else's hand: the hoster of the reverse zones, or
// the provider of the newsletter.
func (d *nameServers) nsupdate(lines ...string) {
	h := d.primary
	h.w.t.Helper()
	key := h.write("/root/upd.key", updateKey, 0o600)
	script := strings.Join(slices.Concat([]string{"server " + primaryIP}, lines, []string{"send", ""}), "\n")
	h.run(0, []byte(script), "nsupdate", "-v", "-k", key)
}
