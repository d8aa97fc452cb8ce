package arc

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// keyTable is a resolver over names and texts.
type keyTable map[resolve.Name]string

func (k keyTable) Resolve(_ context.Context, q resolve.Question) (resolve.Answer, error) {
	text, ok := k[q.Name]
	if !ok {
		return resolve.Answer{}, &resolve.Error{Reason: resolve.ErrNXDomain, Question: q}
	}
	return resolve.Answer{Records: []resolve.Record{{Name: q.Name, Type: resolve.TypeTXT, Data: resolve.SplitTXT(text)}}}, nil
}

func (k keyTable) add(name, text string) {
	if n, err := resolve.ParseName(name); err == nil {
		k[n] = text
	}
}

func corpusMail(t *testing.T, file string) ([]byte, keyTable) {
	t.Helper()
	base := filepath.Join("..", "..", "..", "shared", "corpus", "dkim")
	mail, err := os.ReadFile(filepath.Join(base, file))
	if err != nil {
		t.Skip("no corpus of real mail")
	}
	keys := keyTable{}
	// Other folders have keys of other times for the same domains.
	tables, _ := filepath.Glob(filepath.Join(base, "*", "keys.tsv"))
	for _, table := range append(tables, filepath.Join(base, filepath.Dir(file), "keys.tsv")) {
		b, _ := os.ReadFile(table)
		for line := range strings.Lines(string(b)) {
			name, text, _ := strings.Cut(strings.TrimRight(line, "\r\n"), "\t")
			keys.add(name, text)
		}
	}
	if strings.HasPrefix(file, "mail-auth/") {
		head, rest, _ := bytes.Cut(mail, []byte("\n\n"))
		mail = rest
		for line := range strings.Lines(string(head)) {
			name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
			keys.add(name, text)
		}
	}
	return mail, keys
}

// TestCorpus judges every chain of the corpus. Files whose name says pass or fail
// agree; the others are explained here.
func TestCorpus(t *testing.T) {
	for _, c := range []struct {
		file   string
		status Status
		reason Reason
		at     int
		sealer string
	}{
		{"blaze/002.mail", Pass, "", 0, "google.com"},
		{"blaze/005.mail", Pass, "", 0, "subspace.kernel.org"},
		{"kumomta/arc-example.eml", Pass, "", 0, "messagingengine.com"},
		{"kumomta/arc-example-2.eml", Pass, "", 0, "messagingengine.com"},
		{"mail-auth/001.txt", Pass, "", 0, "google.com"},
		{"mail-auth/002.txt", Pass, "", 0, "manchego.org"},
		{"mailauth/arc-pass.eml", Pass, "", 0, "google.com"},
		{"mailauth/arc-pass2.eml", Pass, "", 0, "google.com"},
		{"mailauth/authtest.eml", Pass, "", 0, "google.com"},
		{"mailauth/arc-fail.eml", Fail, ReasonSeal, 2, "google.com"},  // b= of the second seal is damaged
		{"mailauth/arc-fail2.eml", Fail, ReasonSeal, 2, "google.com"}, // b= of the first one is, and the second covers it
		{"ocaml-dkim/005.mail", Fail, ReasonSaidFail, 3, "subspace.kernel.org"},
		{"rspamd/good_dkim_rspamd.eml", Fail, ReasonMessage, 1, "google.com"}, // its From was edited for the test suite
		{"rspamd/no_dkim_valid_spf.eml", Fail, ReasonMessage, 1, "google.com"},
		// The key that is kept is of another year.
		{"dkim_verifier/Fastmail from CNN - Welcome to CNN Breaking News.eml", Fail, ReasonMessage, 1, "messagingengine.com"},
		{"dkim/../mailauth/message2.eml", None, "", 0, ""},
	} {
		mail, keys := corpusMail(t, c.file)
		r, err := Validate(t.Context(), bytes.NewReader(mail), keys, Options{Now: func() time.Time { return time.Unix(1500000000, 0) }})
		if err != nil || r.Status != c.status || r.Reason != c.reason || r.Instance != c.at || r.Sealer != c.sealer {
			t.Errorf("%s: %s %s at %d by %q: %s, %v", c.file, r.Status, r.Reason, r.Instance, r.Sealer, r.Explanation, err)
		}
	}
}
