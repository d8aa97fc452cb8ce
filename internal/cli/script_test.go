package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

func TestMain(m *testing.M) {
	testscript.Main(allTests{m}, map[string]func(){
		"mailcheck": checkedMain,
	})
}

// TestScripts tries the commands as a user types them.
//
// Beyond the usual commands, "exits N command…" wants that exit status, "serve
// file" starts a name server with the zone file and puts its address in $DNS
// (lines ";fault name type fault" in the file break it), "dead" puts the address
// of a port where nobody listens in $DNS, "lines file n text" writes a file, "schema
// file…" holds documents against their schemas, and "prints command…" wants one
// that is as its schema says, or an error other than wrong usage.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("NO_COLOR", "1")
			prepareSchemas(e)
			e.Setenv("HOME", e.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "serve": serve, "dead": dead, "lines": lines, "clean": clean, "columns": columns, "pause": pause, "bigtxt": bigTXT, "schema": schema, "prints": prints,
		},
	})
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		ee, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = ee.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d\nstdout:\n%s\nstderr:\n%s", got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

func serve(ts *testscript.TestScript, _ bool, args []string) {
	recursive := args[0] != "-auth" // with it, the server looks like a zone's own
	if !recursive {
		args = args[1:]
	}
	text := ts.ReadFile(args[0])
	z, err := zonetest.Parse(text, zonetest.Options{World: true, File: args[0]})
	ts.Check(err)
	for line := range strings.Lines(text) {
		if f, ok := strings.CutPrefix(line, ";every "); ok { // ";every STEP OF NAME": each STEPth of OF names times out
			var step, of int
			var name string
			_, err := fmt.Sscanf(f, "%d %d %s", &step, &of, &name)
			ts.Check(err)
			for i := 0; i < of; i += step {
				z.Inject(resolve.MustName(strings.ReplaceAll(name, "%d", strconv.Itoa(i))), 0, zonetest.Fault{Timeout: true})
			}
			continue
		}
		f, ok := strings.CutPrefix(line, ";fault ")
		if !ok {
			continue
		}
		w := strings.Fields(f)
		var typ resolve.Type
		if w[1] != "*" {
			ts.Check(typ.UnmarshalText([]byte(w[1])))
		}
		name, err := resolve.NameFromMaster(w[0])
		ts.Check(err)
		switch w[2] {
		case "servfail":
			z.Inject(name, typ, zonetest.Fault{RCode: resolve.ServFail})
		case "refused":
			z.Inject(name, typ, zonetest.Fault{RCode: resolve.Refused})
		case "timeout":
			z.Inject(name, typ, zonetest.Fault{Timeout: true})
		case "malformed":
			z.Inject(name, typ, zonetest.Fault{Malformed: true})
		case "truncate":
			z.Inject(name, typ, zonetest.Fault{Truncate: true, NoTCP: true})
		case "slow":
			z.Inject(name, typ, zonetest.Fault{Delay: 300 * time.Millisecond})
		default:
			ts.Fatalf("unknown fault %q", w[2])
		}
	}
	s, err := zonetest.Serve(z, zonetest.ServerOptions{Recursive: recursive})
	ts.Check(err)
	ts.Defer(func() { s.Close() })
	ts.Setenv("DNS", s.Addr())
	ts.Setenv("DNSPORT", s.Addr()[strings.LastIndex(s.Addr(), ":")+1:])
}

// dead finds a port and leaves it, so that nobody answers there.
func dead(ts *testscript.TestScript, _ bool, _ []string) {
	s, err := zonetest.Serve(zonetest.MustParse("example. 1 IN A 192.0.2.1\n"), zonetest.ServerOptions{})
	ts.Check(err)
	ts.Setenv("DNS", s.Addr())
	ts.Check(s.Close())
}

// lines writes a file of n lines; %d in the text is the number of the line.
func lines(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(args[2], "%d", strconv.Itoa(i)) + "\n")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o600))
}

// clean fails if an output holds a control or bidirectional character.
func clean(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		for i, r := range ts.ReadFile(name) {
			if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == '\ufffd' {
				ts.Fatalf("%s holds %U at offset %d", name, r, i)
			}
		}
	}
}

// columns fails if a line is longer than n, but for the lines of records, which
// are kept whole for copying.
func columns(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	for i, line := range strings.Split(ts.ReadFile(args[0]), "\n") {
		if len([]rune(line)) > n && !strings.Contains(line, " IN TXT ") && !strings.Contains(line, "TXT \"") {
			ts.Fatalf("%s:%d has %d columns: %s", args[0], i+1, len([]rune(line)), fmt.Sprintf("%q", line))
		}
	}
}

// pause gives a command in the background time to work.
func pause(ts *testscript.TestScript, _ bool, args []string) {
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	time.Sleep(d)
}

// bigTXT writes a zone in which a name has a TXT record of nearly 64 KiB that
// begins with the given text.
func bigTXT(ts *testscript.TestScript, _ bool, args []string) {
	text := args[2] + strings.Repeat(args[3], (64_000-len(args[2]))/len(args[3]))
	rec := resolve.Record{Name: resolve.MustName(args[1]), Type: resolve.TypeTXT, TTL: 60, Data: resolve.SplitTXT(text)}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(rec.String()+"\n"), 0o600))
}
