package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/archive/archivetest"
	"github.com/mailcheck-go/mailcheck/reports/archive/sqlite"
)

const helperEnv = "MAILCHECK_TEST_HELPER"

var helpers = map[string]func(path string) int{"import": helperImport}

// TestMain lets the test binary be the process that is killed, or that has
// fewer rights.
func TestMain(m *testing.M) {
	if run := helpers[os.Getenv(helperEnv)]; run != nil {
		os.Exit(run(os.Args[1]))
	}
	os.Exit(m.Run())
}

func helper(t testing.TB, what string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Skip("no way to start this program again: ", err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), helperEnv+"="+what)
	cmd.Stderr = os.Stderr
	return cmd
}

const perBatch = 3

func crashCorpus() []*archivetest.Document { return archivetest.Corpus(5, 60) }

// helperImport takes in, in small batches, what is not in the archive yet, and
// says so after each commit.
func helperImport(path string) int {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	docs := crashCorpus()
	for i := 0; i < len(docs); {
		b, err := s.Begin(ctx)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		for n := 0; n < perBatch && i < len(docs); i++ {
			if _, known, err := b.Known(ctx, docs[i].Origin.Sum); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			} else if known {
				continue
			}
			n++
			if _, err := docs[i].Add(ctx, b); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
			if err := b.Input(ctx, archive.Input{Path: strconv.Itoa(i), Outcome: archive.New, Sum: docs[i].Origin.Sum}); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
		if err := b.Commit(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(i) // all documents before this one are in
	}
	s.Close()
	return 0
}

// TestKill kills the import at moments nobody chose: nothing that was committed
// is lost, and nothing counts twice.
func TestKill(t *testing.T) {
	rounds := 100
	if testing.Short() || raceEnabled {
		rounds = 5
	}
	docs := crashCorpus()
	path := filepath.Join(t.TempDir(), "reports.db")
	g := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	promised, kills := 0, 0
	for kills < rounds {
		n, done := killed(t, path, time.Duration(g.IntN(40_000))*time.Microsecond)
		promised = max(promised, n)
		if done {
			kept(t, path, docs, len(docs))
			path, promised = filepath.Join(t.TempDir(), "reports.db"), 0
			continue
		}
		kills++
		if kills%20 == 0 {
			kept(t, path, docs, promised)
		}
	}
	for range 20 { // to the end
		if _, done := killed(t, path, time.Minute); done {
			kept(t, path, docs, len(docs))
			return
		}
	}
	t.Error("the import does not end")
}

// killed runs the import for a while after its first commit, and tells how far
// it said it got.
func killed(t *testing.T, path string, after time.Duration) (n int, done bool) {
	t.Helper()
	cmd := helper(t, "import", path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { cmd.Process.Kill() })
	defer timer.Stop()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if n, err = strconv.Atoi(strings.TrimSpace(lines.Text())); err != nil {
			t.Fatal(err)
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		t.Fatalf("the import failed: %v", err)
	}
	return n, err == nil
}

// kept compares an archive with the documents that are in it, which are the
// first n or a few more.
func kept(t *testing.T, path string, docs []*archivetest.Document, n int) {
	t.Helper()
	s := open(t, path)
	defer s.Close()
	b := begin(t, s)
	m := &archivetest.Model{}
	in := 0
	for i, d := range docs {
		_, known, err := b.Known(context.Background(), d.Origin.Sum)
		if err != nil {
			t.Fatal(err)
		}
		if known {
			m.Add(d)
			in++
		} else if i < n {
			t.Errorf("document %d of %d that were confirmed is lost", i, n)
		}
	}
	b.Rollback()
	inputs := 0
	seen := map[string]bool{}
	for v, err := range s.Inputs(context.Background(), archive.Filter{}) {
		if err != nil || seen[v.Path] {
			t.Fatalf("ledger: %v, %+v", err, v)
		}
		seen[v.Path] = true
		inputs++
	}
	if inputs != in {
		t.Errorf("%d lines in the ledger for %d documents", inputs, in)
	}
	for _, by := range []archive.Group{archive.ByDay, archive.BySource} {
		got, err := s.Totals(context.Background(), archive.Filter{}, by)
		if want := m.Totals(archive.Filter{}, by); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%d documents: totals by %s differ, %v", in, by, err)
		}
	}
}
