package cli

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/keys"
	"github.com/mailcheck-go/mailcheck/dkim/setup"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// try runs one command line in a directory and returns all that it wrote.
func try(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out, err bytes.Buffer
	code := Main(args, Streams{In: strings.NewReader(""), Out: &out, Err: &err, Getenv: func(string) string { return "" }})
	checkDocuments(t, out.Bytes())
	return code, out.String() + err.String()
}

// secrets are pieces of the private half in every coding that a program may print.
func secrets(t *testing.T, k keys.Key) []string {
	t.Helper()
	var raw [][]byte
	switch s := k.Signer().(type) {
	case *rsa.PrivateKey:
		raw = append(raw, s.D.Bytes(), s.Primes[0].Bytes(), s.Primes[1].Bytes(), x509.MarshalPKCS1PrivateKey(s)[300:])
	case ed25519.PrivateKey:
		raw = append(raw, s.Seed())
	}
	pem, err := k.Encode("")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, line := range strings.Split(string(pem), "\n") {
		if len(line) >= 40 && !strings.HasPrefix(line, "-") {
			out = append(out, line[:20], line[len(line)-20:])
		}
	}
	for _, b := range raw {
		for i := range 3 { // base64 in each of its alignments
			e := base64.RawStdEncoding.EncodeToString(b[i:24])
			out = append(out, e[:20])
		}
		out = append(out, hex.EncodeToString(b[:10]), strings.ToUpper(hex.EncodeToString(b[:10])))
	}
	return out
}

// TestPrivateNeverShown runs every command that touches a private key, in both
// formats and with mistakes, and looks for the key in all that comes out: the
// reports, the errors, the log of queries and the files that are no key files.
func TestPrivateNeverShown(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	zone := "example.org. 3600 IN SOA ns1.example.org. admin.example.org. 1 7200 900 1209600 300\n"
	var all []keys.Key
	for i, typ := range []string{dkim.KeyRSA, dkim.KeyEd25519} {
		k, err := keys.Generate(keys.Options{Type: typ})
		if err != nil {
			t.Fatal(err)
		}
		sel := []string{"r", "e"}[i]
		if err := k.Create(sel+".pem", ""); err != nil {
			t.Fatal(err)
		}
		bare, err := k.Encode(keys.FormBarePKCS8)
		if err != nil {
			t.Fatal(err)
		}
		pem, err := k.Encode("")
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range map[string][]byte{sel + ".bare": bare, sel + ".cut": pem[:len(pem)/2], sel + ".txt": append([]byte("v=DKIM1; p="), bare...)} {
			if err := os.WriteFile(name, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r, err := k.Record()
		if err != nil {
			t.Fatal(err)
		}
		name, err := dkim.KeyName(resolve.MustName("example.org"), sel)
		if err != nil {
			t.Fatal(err)
		}
		zone += setup.FormsOf(name, resolve.Name{}, r).Zone + "\n"
		all = append(all, k)
	}
	mail := "From: a@example.org\nSubject: x\nDate: Sun, 01 Nov 2026 12:00:00 +0000\n\nHello\n"
	for name, text := range map[string]string{"z.zone": zone, "mail": mail} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	dns := []string{"--zone", "z.zone", "--offline", "-v"}
	var lines [][]string
	for _, sel := range []string{"r", "e"} {
		for _, file := range []string{sel + ".pem", sel + ".bare", sel + ".cut", sel + ".txt"} {
			for _, format := range []string{"text", "json"} {
				lines = append(lines,
					append([]string{"dkim", "match", "--key", file, "--domain", "example.org", "--selector", "r", "-o", format}, dns...),
					[]string{"dkim", "record", "example.org", "--selector", sel, "--key", file, "-o", format},
					[]string{"dkim", "record", "--file", file, "-o", format},
					[]string{"dkim", "setup", "rspamd", "--domain", "example.org", "--selector", sel, "--key", file, "-o", format},
					[]string{"dkim", "keygen", "example.org", "--from", file, "--selector", sel, "--key", "new-" + file + format, "-o", format},
					append([]string{"dkim", "rotate", "start", "example.org", "--from", "r", "--to", "new", "--key", file, "--state", file + format + ".json", "-o", format}, dns...),
					append([]string{"dkim", "rotate", "start", "example.org", "--from", "e", "--to", "new", "--key", file, "--state", file + format + ".json", "-o", format}, dns...),
					append([]string{"dkim", "find", "example.org", "--keytable", file, "--message", file, "-o", format}, dns...),
					append([]string{"dkim", "rotate", "status", "--state", file, "-o", format}, dns...),
					append([]string{"dkim", "verify", file, "-o", format}, dns...),
				)
			}
			lines = append(lines,
				[]string{"dkim", "sign", "mail", "--key", file, "--domain", "example.org", "--selector", sel},
				[]string{"dkim", "sign", file, "--key", "r.pem", "--domain", "example.org", "--selector", sel},
			)
		}
	}
	var hidden []string
	for _, k := range all {
		hidden = append(hidden, secrets(t, k)...)
	}
	check := func(what, text string) {
		for _, h := range hidden {
			if strings.Contains(text, h) {
				t.Errorf("%s shows a part of a private key: %q", what, h)
				return
			}
		}
	}
	succeeded := 0
	for _, args := range lines {
		code, out := try(t, args...)
		if code == ExitOK {
			succeeded++
		}
		check(strings.Join(args, " "), out)
	}
	if succeeded < 20 {
		t.Errorf("only %d of %d commands succeeded: the test tries too little", succeeded, len(lines))
	}
	states, err := filepath.Glob("*.json")
	if err != nil || len(states) == 0 {
		t.Fatalf("no state files: %v", err)
	}
	for _, f := range states {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		check(f, string(b))
	}
}

// TestCompareKey tells how a published record differs from the private key.
func TestCompareKey(t *testing.T) {
	k, err := keys.Generate(keys.Options{})
	if err != nil {
		t.Fatal(err)
	}
	own, err := k.Record()
	if err != nil {
		t.Fatal(err)
	}
	p, _ := own.Get("p")
	other, err := keys.Generate(keys.Options{Bits: 1024})
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := other.Record()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ text, want string }{
		{own.String(), ""},
		{"p=" + p, ""},
		{"v=DKIM1; p=", "revoked"},
		{"v=DKIM1; k=rsa; p=" + p[:237], "cut after 237"},
		{theirs.String(), "it has 1024 bits"},
		{"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "of type ed25519"},
		{"v=DKIM1; p=*", "cannot be read"},
	} {
		r, _ := dkim.ParseRecord(tt.text)
		if got := compareKey(r, k); tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%.40s: %q, want %q", tt.text, got, tt.want)
		}
	}
}

// FuzzRecordTexts reads records from any text: no panic, and a record printed in
// zone file form is found again.
func FuzzRecordTexts(f *testing.F) {
	f.Add("s1._domainkey IN TXT ( \"v=DKIM1; k=rsa; \"\n\t\"p=\" ) ; comment")
	f.Add("\"v=DKIM1; \" \"p=\"")
	f.Add("v=DKIM1; p=")
	f.Add("$ORIGIN x.\n_domainkey TXT \"")
	domain := resolve.MustName("example.org")
	f.Fuzz(func(t *testing.T, text string) {
		for _, got := range recordTexts(text, domain) {
			r, err := dkim.ParseRecord(got)
			if err != nil {
				continue
			}
			name, err := dkim.KeyName(domain, "s1")
			if err != nil {
				t.Fatal(err)
			}
			form := setup.FormsOf(name, domain, r)
			again := recordTexts(form.Zone, domain)
			if len(again) != 1 || again[0] != form.Line {
				t.Fatalf("%q read back as %q", form.Zone, again)
			}
		}
	})
}
