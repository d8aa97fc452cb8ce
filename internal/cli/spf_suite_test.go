package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

type spfSuite struct {
	Description string
	Tests       map[string]struct {
		Helo, Host, Mailfrom string
		Result               any
		Explanation          string
	}
	Zonedata map[string][]yaml.Node
}

// suiteServer serves the zone of a document of the suite as it describes it: SPF
// records answer TXT questions too, unless the name has TXT records of its own.
func suiteServer(t *testing.T, data map[string][]yaml.Node) *zonetest.Server {
	t.Helper()
	var zone strings.Builder
	type silence struct {
		name resolve.Name
		has  []resolve.Type
	}
	var silent []silence
	name := func(s string) resolve.Name {
		if s == "" || s == "." {
			return resolve.Root
		}
		n, err := resolve.NameFromText(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for owner, entries := range data {
		n := name(owner)
		var has []resolve.Type
		write := func(typ resolve.Type, d resolve.Data) {
			fmt.Fprintln(&zone, resolve.Record{Name: n, Type: typ, TTL: 60, Data: d})
			has = append(has, typ)
		}
		var txt, spf [][]string
		quiet := false
		for _, e := range entries {
			if e.Kind == yaml.ScalarNode {
				quiet = quiet || e.Value == "TIMEOUT"
				continue
			}
			kind, v := e.Content[0].Value, e.Content[1]
			switch kind {
			case "TXT", "SPF":
				strs := []string{octets(v.Value)}
				if v.Kind != yaml.ScalarNode {
					strs = nil
					for _, s := range v.Content {
						strs = append(strs, octets(s.Value))
					}
				}
				if len(strs) == 0 {
					strs = []string{""} // on the wire a TXT has at least one string
				}
				if kind == "TXT" {
					txt = append(txt, strs)
				} else {
					spf = append(spf, strs)
				}
			case "MX":
				var pref uint16
				fmt.Sscan(v.Content[0].Value, &pref)
				write(resolve.TypeMX, resolve.MX{Preference: pref, Host: name(v.Content[1].Value)})
			case "PTR":
				write(resolve.TypePTR, resolve.Host{Name: name(v.Value)})
			case "CNAME":
				write(resolve.TypeCNAME, resolve.Host{Name: name(v.Value)})
			case "A", "AAAA":
				fmt.Fprintf(&zone, "%s 60 IN %s %s\n", n.FQDN(), kind, v.Value)
				var typ resolve.Type
				if err := typ.UnmarshalText([]byte(kind)); err != nil {
					t.Fatal(err)
				}
				has = append(has, typ)
			default:
				t.Fatalf("zone type %q", kind)
			}
		}
		if txt == nil {
			txt = spf
		}
		for _, strs := range txt {
			if len(strs) == 1 && strs[0] == "NONE" {
				write(resolve.TypeSPF, resolve.Raw{Text: `"none"`}) // the name exists, and has no TXT
				continue
			}
			write(resolve.TypeTXT, resolve.TXT{Strings: strs})
		}
		if quiet {
			silent = append(silent, silence{n, has})
		}
	}
	z, err := zonetest.Parse(zone.String(), zonetest.Options{World: true, File: "suite"})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range silent {
		for _, typ := range []resolve.Type{resolve.TypeTXT, resolve.TypeA, resolve.TypeAAAA, resolve.TypeMX, resolve.TypePTR} {
			if !slices.Contains(s.has, typ) {
				z.Inject(s.name, typ, zonetest.Fault{Timeout: true})
			}
		}
	}
	srv, err := zonetest.Serve(z, zonetest.ServerOptions{Recursive: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	return srv
}

// octets undoes the UTF-8 that YAML makes of "\x80".
func octets(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return s
		}
		b = append(b, byte(r))
	}
	return string(b)
}

// TestSPFSuite runs the public test suite of the SPF project for RFC 7208 as a
// user would: the command line against a name server on a socket.
func TestSPFSuite(t *testing.T) {
	f, err := os.Open("../../../shared/corpus/spf/rfc7208-tests.yml")
	if err != nil {
		t.Skip("the RFC 7208 test suite is not here: ", err)
	}
	defer f.Close()
	total := 0
	for d := yaml.NewDecoder(f); ; {
		var doc spfSuite
		if err := d.Decode(&doc); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		srv := suiteServer(t, doc.Zonedata)
		for id, c := range doc.Tests {
			total++
			t.Run(id, func(t *testing.T) {
				t.Parallel()
				var out, diag bytes.Buffer
				code := Main([]string{"spf", "check", "--resolver", srv.Addr(), "--timeout", "2s", "--ip", c.Host, "--from", c.Mailfrom, "--helo", c.Helo, "-o", "json"},
					Streams{In: strings.NewReader(""), Out: &out, Err: &diag, Getenv: func(string) string { return "" }})
				checkDocuments(t, out.Bytes())
				var v spfCheckView
				if err := json.Unmarshal(out.Bytes(), &v); err != nil {
					t.Fatalf("%v: %s%s", err, &out, &diag)
				}
				// Where two results are allowed, the records are equal: a name server has
				// one of them only (RFC 2181, Section 5).
				allowed, several := c.Result.([]any)
				if !several {
					allowed = []any{c.Result}
				}
				if !slices.Contains(allowed, any(v.Result)) || (code != 0) != (v.Result == "temperror") || diag.Len() > 0 {
					t.Errorf("%s, exit status %d, want %v: %s\n%s", v.Result, code, c.Result, &diag, &out)
				}
				explanation := strings.TrimPrefix(c.Explanation, "DEFAULT")
				if c.Explanation != "" && v.Explanation != explanation {
					t.Errorf("explanation %q, want %q", v.Explanation, explanation)
				}
			})
		}
	}
	if total != 203 {
		t.Errorf("%d tests, want 203", total)
	}
}
