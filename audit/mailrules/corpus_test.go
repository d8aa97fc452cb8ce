package mailrules

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/mail"
	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

var update = flag.Bool("update", false, "write the table of the corpus")

const corpus = "../../../shared/corpus"

// keys is a world with the keys of the corpus and nothing else: names that are not in it
// do not exist.
func keys(t *testing.T) resolve.Resolver {
	var text strings.Builder
	seen := map[string]bool{}
	tables, _ := filepath.Glob(filepath.Join(corpus, "dkim", "*", "keys.tsv"))
	for _, table := range append(tables, filepath.Join(corpus, "dkim", "keys.tsv")) {
		b, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			f := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
			n, err := resolve.NameFromText(f[0])
			if len(f) < 2 || f[1] == "" || err != nil || seen[n.String()] || strings.ContainsAny(f[1], "\"\\") {
				continue
			}
			seen[n.String()] = true
			fmt.Fprintf(&text, "%s 60 IN TXT %s\n", n.FQDN(), quoted(f[1]))
		}
	}
	z, err := zonetest.Parse(text.String(), zonetest.Options{World: true})
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// TestCorpus runs every mail of the corpus, offline and with its keys, and counts the
// verdicts.
func TestCorpus(t *testing.T) {
	if _, err := os.Stat(corpus); err != nil {
		t.Skipf("no corpus at %s", corpus)
	}
	got := map[string]int{}
	for _, world := range []struct {
		name, dir string
		resolver  resolve.Resolver
	}{{"messages, offline", "messages", resolve.Offline}, {"dkim, with its keys", "dkim", keys(t)}} {
		err := filepath.WalkDir(filepath.Join(corpus, world.dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) == ".tsv" {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			f := mail.Gather(ctx, world.resolver, message.Parse(data, message.Options{}), mail.Options{Name: path, Now: func() time.Time { return arrival }})
			r := audit.RunMail(f, All(), audit.Options{Profiles: Profiles()})
			tally(t, got, world.name, f, r)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	for _, k := range slices.Sorted(maps.Keys(got)) {
		fmt.Fprintf(&b, "%s\t%d\n", k, got[k])
	}
	const table = "testdata/corpus.tsv"
	if *update {
		if err := os.WriteFile(table, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, b.Bytes()) {
		t.Errorf("the verdicts have changed; with -update the table is written anew:\n%s", b.Bytes())
	}
}

// tally counts one mail, and refuses a rule that failed in itself or a report that is
// no JSON.
func tally(t *testing.T, got map[string]int, world string, f *mail.Facts, r audit.Report) {
	t.Helper()
	got[world+"\tmails"]++
	for _, c := range f.Checks {
		got[world+"\t"+c.Method+"="+c.Ours]++
		if c.Difference != nil {
			got[world+"\t"+c.Method+" differs: "+string(c.Difference.Cause)]++
		}
	}
	for _, x := range r.Rules {
		if strings.Contains(x.Reason, "a defect of mailcheck") {
			t.Errorf("%s: %s: %s", f.Name, x.ID, x.Reason)
		}
		if x.Outcome == audit.Fail {
			got[world+"\t"+string(x.ID)]++
		}
	}
	if _, err := json.Marshal(r); err != nil {
		t.Errorf("%s: %v", f.Name, err)
	}
}
