package dkim

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// keyTable is a resolver over "name<TAB>text" lines, in which "NXDOMAIN" and
// "~~reason~~" stand for failures.
type keyTable map[resolve.Name][]string

func (k keyTable) Resolve(_ context.Context, q resolve.Question) (resolve.Answer, error) {
	a := resolve.Answer{Question: q}
	for _, text := range k[q.Name] {
		switch {
		case text == "NXDOMAIN":
			return a, &resolve.Error{Reason: resolve.ErrNXDomain, Question: q}
		case strings.HasPrefix(text, "~~"):
			return a, &resolve.Error{Reason: resolve.ErrServFail, Question: q}
		}
		a.Records = append(a.Records, resolve.Record{Name: q.Name, Type: resolve.TypeTXT, Data: resolve.SplitTXT(text)})
	}
	if len(a.Records) == 0 {
		return a, &resolve.Error{Reason: resolve.ErrNXDomain, Question: q}
	}
	return a, nil
}

func (k keyTable) add(name, text string) {
	if n, err := resolve.ParseName(name); err == nil {
		k[n] = append(k[n], text)
	}
}

// corpusMail reads a message of the corpus with the keys of its folder.
func corpusMail(t *testing.T, file string) ([]byte, keyTable) {
	t.Helper()
	keys := keyTable{}
	folder, _, _ := strings.Cut(file, "/")
	for line := range strings.Lines(corpus(t, "dkim/"+folder+"/keys.tsv")) {
		name, text, _ := strings.Cut(strings.TrimRight(line, "\r\n"), "\t")
		keys.add(name, text)
	}
	mail := []byte(corpus(t, "dkim/"+file))
	if folder == "mail-auth" { // the keys come before the mail
		head, rest, _ := bytes.Cut(mail, []byte("\n\n"))
		keys, mail = keyTable{}, rest
		for line := range strings.Lines(string(head)) {
			name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
			keys.add(name, text)
		}
	}
	return mail, keys
}

// verdict is the statuses of a message in one line.
func verdict(v Verification) string {
	var out []string
	for _, s := range v.Signatures {
		w := string(s.Status)
		if s.Reason != "" {
			w += ":" + string(s.Reason)
		}
		out = append(out, w)
	}
	if len(out) == 0 {
		return string(v.Status())
	}
	return strings.Join(out, " ")
}

// TestCorpusMail judges every message of the corpus at two times: when it was
// made, and in 2026, when some have expired. testdata/corpus.tsv holds our verdict
// beside what the source expects, and explains each difference.
func TestCorpusMail(t *testing.T) {
	table, err := os.ReadFile("testdata/corpus.tsv")
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]bool)
	for line := range strings.Lines(string(table)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 4 {
			t.Fatalf("row %q", line)
		}
		rows[f[0]] = true
		mail, keys := corpusMail(t, f[0])
		for _, at := range []int64{0, 1798761600} {
			v, err := Verify(t.Context(), bytes.NewReader(mail), keys, VerifyOptions{Explain: true, Now: func() time.Time { return time.Unix(at, 0) }})
			want := f[1]
			if then, now, ok := strings.Cut(want, " | "); ok && at > 0 {
				want = now
			} else if ok {
				want = then
			}
			if got := verdict(v); err != nil || got != want {
				t.Errorf("%s: %s, want %s; %v", f[0], got, want, err)
			}
			if agrees := agree(f[1], f[2]); agrees == (f[3] != "") {
				t.Errorf("%s: %q against %q, explained by %q", f[0], f[1], f[2], f[3])
			}
		}
	}
	for line := range strings.Lines(corpus(t, "dkim/INDEX.tsv")) {
		file, _, _ := strings.Cut(line, "\t")
		if file != "file" && !strings.HasSuffix(file, ".dns") && !strings.HasSuffix(file, ".svg") && !rows[file] {
			t.Errorf("%s is not in the table", file)
		}
	}
}

// agree compares our verdict on each signature with the source's: pass or not.
func agree(ours, theirs string) bool {
	_, now, ok := strings.Cut(ours, " | ")
	if ok {
		ours = now
	}
	o, th := strings.Fields(ours), strings.Fields(theirs)
	if len(o) != len(th) {
		return false
	}
	for i := range o {
		if (o[i] == "pass") != (th[i] == "pass") || (o[i] == "none") != (th[i] == "none") {
			return false
		}
	}
	return true
}
