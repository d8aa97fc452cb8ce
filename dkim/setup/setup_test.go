package setup

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

var domain = resolve.MustName("example.org")

const p2048 = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAjt3C+/NeDJ0aDuVwr0yzxd1yj76uxwg464gVgTdz6TalVq9DS8SycZL5XMuAXx0BaRn3pXxgvHxQvYaovbsXu9dwIUN2R5SUv/D3y4KAzkIcRgoHwDI5RdnzvCFeNhbPvVC62JCh+zA2My/xU7WYR2Ta6oCQE0WO7VQaxFqJSyYMlBiF6A7h8En+Kw/cFFBS7Ys4MeUhtrFv18m67SgkIrCdlyDESSnR4LCqezvnuFl/MFXIA8nmKcf1kt3YY2l1SfpOCWTgvZjTlxuI9u7rYBqhLOKRccioqSlZ5n0p1IW24Xtzy88fL/irber5JAqRGieKdlwcIETyh97bce1sawIDAQAB"

// TestFormsReadBack publishes the zone form and the quoted form and reads the same
// record from them.
func TestFormsReadBack(t *testing.T) {
	for _, text := range []string{
		"v=DKIM1; k=rsa; p=" + p2048,
		"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
		`v=DKIM1; n=a "quoted" \ note; p=` + p2048,
		"v=DKIM1; p=",
	} {
		r, _ := dkim.ParseRecord(text)
		name, err := dkim.KeyName(domain, "s1")
		if err != nil {
			t.Fatal(err)
		}
		f := FormsOf(name, resolve.Name{}, r)
		for _, zone := range []string{f.Zone, "$ORIGIN example.org.\n" + f.Relative + " 60 IN TXT " + f.Quoted} {
			z, err := zonetest.Parse(zone+"\n", zonetest.Options{World: true})
			if err != nil {
				t.Fatalf("%v\n%s", err, zone)
			}
			a, err := z.Resolve(t.Context(), resolve.Question{Name: name, Type: resolve.TypeTXT})
			if err != nil || len(a.TXT()) != 1 || a.TXT()[0].Joined() != f.Line {
				t.Errorf("%q read back as %v, %v", f.Line, a.TXT(), err)
			}
		}
		for _, s := range f.Strings {
			if len(s) > 255 { // RFC 1035, Section 3.3
				t.Errorf("a string of %d octets", len(s))
			}
		}
	}
}

func TestFormsNames(t *testing.T) {
	r, _ := dkim.ParseRecord("v=DKIM1; p=")
	for _, tt := range []struct{ domain, selector, origin, relative string }{
		{"example.org", "s1", "", "s1._domainkey"},
		{"mail.example.org", "s1", "example.org", "s1._domainkey.mail"},
		{"example.org", "a.b", "", "a.b._domainkey"},
		{"example.org", "s1", "example.com", ""},
		{"example.org", "s1", "_domainkey.example.org", "s1"},
	} {
		var origin resolve.Name
		if tt.origin != "" {
			origin = resolve.MustName(tt.origin)
		}
		name, err := dkim.KeyName(resolve.MustName(tt.domain), tt.selector)
		if err != nil {
			t.Fatal(err)
		}
		f := FormsOf(name, origin, r)
		if f.Relative != tt.relative || f.Absolute != tt.selector+"._domainkey."+tt.domain+"." {
			t.Errorf("%+v: relative %q, absolute %q", tt, f.Relative, f.Absolute)
		}
		for _, p := range f.Panels() {
			if p.Host == "" || p.Value == "" || len(p.Products) == 0 {
				t.Errorf("panel %+v", p)
			}
		}
	}
}

// TestEveryServer renders all guides and looks for what each has to say.
func TestEveryServer(t *testing.T) {
	rsa := Key{Selector: "s1", File: "/root/s1.pem"}
	ed := Key{Selector: "s1e", Type: dkim.KeyEd25519, File: "/root/s1e.pem"}
	want := []string{"docker-mailserver", "exim", "maddy", "mailcow", "mox", "opendkim", "postfix", "rspamd", "stalwart"}
	for _, w := range want {
		if !slices.ContainsFunc(Servers(), func(s Server) bool { return s.ID == w }) {
			t.Errorf("no server %q", w)
		}
	}
	for _, s := range Servers() {
		t.Run(s.ID, func(t *testing.T) {
			for _, list := range [][]Key{{rsa}, {rsa, ed}} {
				g, err := Make(s.ID, domain, list...)
				if err != nil {
					t.Fatal(err)
				}
				if len(g.Steps) == 0 || len(g.Test) == 0 || s.ID != "mailcow" && len(g.Reload) == 0 {
					t.Errorf("no steps, test or reload: %+v", g)
				}
				all := strings.Join(slices.Concat(g.Reload, g.Test, g.Notes), "\n")
				for _, st := range g.Steps {
					all += st.Do + "\n" + st.Text
					if st.File != "" && (st.Mode == "" || st.Text == "") || st.File == "" && st.Mode != "" {
						t.Errorf("incomplete step %+v", st)
					}
				}
				if strings.Contains(all, "{{") || strings.Contains(all, "<no value>") || strings.Contains(all, "%MODE%") {
					t.Errorf("template text is left:\n%s", all)
				}
				if s.ID != "postfix" && (!strings.Contains(all, "s1") || !strings.Contains(all, "example.org")) {
					t.Errorf("the key is not named:\n%s", all)
				}
				if has := strings.Contains(all, "s1e"); s.ID != "postfix" && has != (len(list) == 2) {
					t.Errorf("second key named: %v\n%s", has, all)
				}
			}
			_, err := Make(s.ID, domain, ed)
			if s.Ed25519 != (err == nil) || err != nil && !errors.Is(err, ErrUnsupported) {
				t.Errorf("Ed25519 alone: %v", err)
			}
		})
	}
}

// TestRefused gives names that would mean something else in a configuration.
func TestRefused(t *testing.T) {
	ok := Key{Selector: "s1", File: "/root/s1.pem"}
	for _, tt := range []struct {
		name, server, domain string
		keys                 []Key
		want                 error
	}{
		{"server", "sendmail", "example.org", []Key{ok}, ErrServer},
		{"no key", "exim", "example.org", nil, ErrKey},
		{"three keys", "exim", "example.org", []Key{ok, ok, ok}, ErrKey},
		{"selector", "exim", "example.org", []Key{{Selector: "s1;x", File: "/k"}}, dkim.ErrSelector},
		{"command in the file name", "exim", "example.org", []Key{{Selector: "s1", File: "/k$(reboot)"}}, ErrKey},
		{"space in the file name", "exim", "example.org", []Key{{Selector: "s1", File: "/a b"}}, ErrKey},
		{"line break in the file name", "exim", "example.org", []Key{{Selector: "s1", File: "/a\nb"}}, ErrKey},
		{"option as the file name", "exim", "example.org", []Key{{Selector: "s1", File: "-m"}}, ErrKey},
		{"no file name", "exim", "example.org", []Key{{Selector: "s1"}}, ErrKey},
		{"key type", "exim", "example.org", []Key{{Selector: "s1", File: "/k", Type: "dsa"}}, ErrKey},
		{"domain", "exim", `a\032b.example`, []Key{ok}, ErrKey},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := resolve.NameFromMaster(tt.domain)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Make(tt.server, n, tt.keys...); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

// TestSubdomain: rspamd looks for the registered domain unless told otherwise.
func TestSubdomain(t *testing.T) {
	for name, want := range map[string]bool{"example.org": false, "news.example.org": true} {
		g, err := Make("rspamd", resolve.MustName(name), Key{Selector: "s1", File: "/k"})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(g.Steps[len(g.Steps)-1].Text, "use_esld = false"); got != want {
			t.Errorf("%s: use_esld = false is there: %v", name, got)
		}
	}
}

// TestOpenDKIMReachesPostfix: what OpenDKIM listens on is what Postfix asks, in
// the guide of OpenDKIM alone.
func TestOpenDKIMReachesPostfix(t *testing.T) {
	g, err := Make("opendkim", domain, Key{Selector: "s1", File: "/root/s1.pem"})
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, s := range g.Steps {
		files[s.File] += s.Text
	}
	if !strings.Contains(files["/etc/opendkim.conf"], "inet:8891@127.0.0.1\n") || !strings.Contains(files["/etc/postfix/main.cf"], "smtpd_milters = inet:127.0.0.1:8891\n") ||
		!slices.Contains(g.Reload, "postfix reload") {
		t.Errorf("%q, reload %q", files, g.Reload)
	}
}
