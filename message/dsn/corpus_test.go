package dsn

import (
	"bufio"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/message"
)

var update = flag.Bool("update", false, "write testdata/corpus.tsv anew")

const (
	corpus = "../../../shared/corpus"
	table  = "testdata/corpus.tsv"
)

// line is a verdict in the form of the table: kind, form, and for each recipient
// kind, status and code of the reply. It holds nothing of the mails.
func line(r Report) string {
	kind := string(r.Kind)
	if kind == "" {
		kind = "none"
	}
	var list []string
	for i, x := range r.Recipients {
		if i == 12 {
			list = append(list, fmt.Sprintf("and %d more", len(r.Recipients)-i))
			break
		}
		s := string(x.Kind)
		if x.Status != "" {
			s += "/" + x.Status
		}
		if x.Reply.Code > 0 {
			s += fmt.Sprintf("/%d", x.Reply.Code)
		}
		if x.Address() == "" {
			s += "/nobody"
		}
		list = append(list, s)
	}
	return strings.Join([]string{kind, string(r.Form), string(r.Confidence), strings.Join(list, " ")}, "\t")
}

// TestCorpus runs all bounces and mails of the corpus. The table was read by people:
// a line that changes is a verdict that changes.
func TestCorpus(t *testing.T) {
	if _, err := os.Stat(corpus); err != nil {
		t.Skipf("no corpus at %s", corpus)
	}
	got := map[string]string{}
	var names []string
	for _, dir := range []string{"bounces", "messages"} {
		err := filepath.WalkDir(filepath.Join(corpus, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) == ".tsv" {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, _ := filepath.Rel(corpus, path)
			name = filepath.ToSlash(name)
			names = append(names, name)
			got[name] = line(Read(message.Parse(data, message.Options{})))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if *update {
		var b strings.Builder
		for _, n := range names {
			b.WriteString(n + "\t" + got[n] + "\n")
		}
		if err := os.WriteFile(table, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := readTable(t)
	for _, n := range names {
		if w, ok := want[n]; !ok {
			t.Errorf("%s is not in the table: %s", n, got[n])
		} else if w != got[n] {
			t.Errorf("%s:\n got %s\nwant %s", n, got[n], w)
		}
	}
}

func readTable(t *testing.T) map[string]string {
	t.Helper()
	f, err := os.Open(table)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]string{}
	for sc := bufio.NewScanner(f); sc.Scan(); {
		name, rest, _ := strings.Cut(sc.Text(), "\t")
		out[name] = rest
	}
	return out
}

// TestSignedMailIsNoBounce: mails of people, newsletters and lists.
func TestSignedMailIsNoBounce(t *testing.T) {
	if _, err := os.Stat(corpus); err != nil {
		t.Skipf("no corpus at %s", corpus)
	}
	err := filepath.WalkDir(filepath.Join(corpus, "dkim"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if r := Read(message.Parse(data, message.Options{})); r.Kind != None {
			t.Errorf("%s: %s by %v", path, r.Kind, r.Evidence)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestLineEnds: the same bounce with other line ends is the same verdict.
func TestLineEnds(t *testing.T) {
	want := readTable(t)
	n := 0
	for name, v := range want {
		for _, dir := range []string{"/dos/", "/mac/"} {
			if base, ok := want[strings.Replace(name, dir, "/bsd/", 1)]; ok && strings.Contains(name, dir) {
				n++
				if base != v {
					t.Errorf("%s: %s, and with LF %s", name, v, base)
				}
			}
		}
	}
	if n < 20 {
		t.Errorf("%d pairs", n)
	}
}
