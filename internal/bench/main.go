//go:build unix

// Command bench measures the built program against a name server that delays
// each reply, and prints the tables of docs/performance.md. internal/bench/run.sh
// builds what it needs and runs it.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/mailcheck-go/mailcheck/internal/bench/world"
)

// usual is the delay of a reply: a resolver some way off that has nothing cached.
const usual = 20 * time.Millisecond

// bench holds the programs and what is known of the runs so far.
type bench struct {
	program, dnsd, dir string
	rounds             int
	verbose            bool
	out                io.Writer
}

func main() {
	b := &bench{out: os.Stdout}
	flag.StringVar(&b.program, "program", "bin/mailcheck", "the program to measure")
	flag.StringVar(&b.dnsd, "dnsd", "", "the name server, built from internal/bench/dnsd")
	flag.IntVar(&b.rounds, "rounds", 5, "runs of each measurement; the median counts")
	flag.BoolVar(&b.verbose, "v", false, "list the questions of each round trip of one domain")
	flag.Parse()
	if err := b.run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) run() error {
	dir, err := os.MkdirTemp("", "mailcheck-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.dir = dir
	if b.program, err = filepath.Abs(b.program); err != nil {
		return err
	}
	fmt.Fprintf(b.out, "%s/%s, %d cores, %s, %s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), cpu(), runtime.Version())
	fmt.Fprintf(b.out, "median of %d runs, each a new process with an empty cache\n\n", b.rounds)
	for _, step := range []func() error{b.startUp, b.oneDomain, b.bulk} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// cpu names the processor, where the system tells.
func cpu() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// usage is what one run took.
type usage struct {
	wall, cpu time.Duration
	rss       int64 // octets
	report    report
}

// measure runs the program once, its output going to a file.
func (b *bench) measure(stdin string, args ...string) (usage, error) {
	out, err := os.Create(filepath.Join(b.dir, "out"))
	if err != nil {
		return usage{}, err
	}
	defer out.Close()
	var stderr bytes.Buffer
	cmd := exec.Command(b.program, args...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = b.dir, strings.NewReader(stdin), out, &stderr
	begin := time.Now()
	err = cmd.Run()
	u := usage{wall: time.Since(begin)}
	if cmd.ProcessState == nil {
		return u, err
	}
	// Exit codes 1 and 2 tell of findings and unknowns.
	if code := cmd.ProcessState.ExitCode(); code < 0 || code > 2 {
		return u, fmt.Errorf("%s %s: exit code %d: %.500s", b.program, strings.Join(args, " "), code, stderr.String())
	}
	r := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if u.rss = int64(r.Maxrss); runtime.GOOS != "darwin" {
		u.rss *= 1024 // octets on macOS, KiB elsewhere
	}
	return u, nil
}

// median is the run in the middle by wall time, with the largest memory of all.
func median(runs []usage) usage {
	slices.SortFunc(runs, func(a, b usage) int { return int(a.wall - b.wall) })
	m := runs[len(runs)/2]
	for _, r := range runs {
		m.rss = max(m.rss, r.rss)
	}
	return m
}

func (b *bench) startUp() error {
	var runs []usage
	for range 20 {
		u, err := b.measure("", "version")
		if err != nil {
			return err
		}
		runs = append(runs, u)
	}
	m := median(runs)
	fmt.Fprintf(b.out, "start-up: mailcheck version: %.1f ms, %d MB (median of 20; target 30 ms)\n\n", ms(m.wall), m.rss>>20)
	return nil
}

// report is what the name server saw.
type report struct {
	Queries  int            `json:"queries"`
	Distinct int            `json:"distinct"`
	DKIM     int            `json:"dkim"`
	DKIMOnce int            `json:"dkim_distinct"`
	Types    map[string]int `json:"types"`
	Waves    []struct {
		AtMS  float64  `json:"at_ms"`
		Count int      `json:"count"`
		Names []string `json:"names"`
	} `json:"waves"`
}

// server is a running dnsd.
type server struct {
	addr string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
}

func (b *bench) serve(domains int, delay time.Duration, dead int) (*server, error) {
	s := &server{cmd: exec.Command(b.dnsd, "-domains", fmt.Sprint(domains), "-delay", delay.String(), "-dead", fmt.Sprint(dead))}
	s.cmd.Stderr = os.Stderr
	var err error
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.out = bufio.NewReaderSize(out, 1<<20)
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := s.out.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("dnsd: %w", err)
	}
	s.addr = strings.TrimSpace(line)
	return s, nil
}

func (s *server) ask(command string) (report, error) {
	fmt.Fprintln(s.in, command)
	var r report
	line, err := s.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &r)
	}
	return r, err
}

func (s *server) close() {
	s.in.Close()
	_ = s.cmd.Wait()
}

// runs measures an audit of domains repeatedly against one server.
func (b *bench) runs(s *server, rounds int, domains []string, extra ...string) (usage, error) {
	var list []usage
	args := append([]string{"audit", "domain", "--domains-file", "-", "--resolver", s.addr, "-o", "jsonl"}, extra...)
	for range rounds {
		if _, err := s.ask("reset"); err != nil {
			return usage{}, err
		}
		u, err := b.measure(strings.Join(domains, "\n")+"\n", args...)
		if err != nil {
			return usage{}, err
		}
		if u.report, err = s.ask("report"); err != nil {
			return usage{}, err
		}
		list = append(list, u)
	}
	return median(list), nil
}

func names(n int) []string {
	var out []string
	for i := range n {
		out = append(out, world.Domain(i))
	}
	return out
}

// oneDomain audits one domain of each kind.
func (b *bench) oneDomain() error {
	s, err := b.serve(200, usual, 0)
	if err != nil {
		return err
	}
	defer s.close()
	fmt.Fprintln(b.out, "| one cold domain, 20 ms a reply | wall ms | CPU ms | MB | round trips | queries | without DKIM |")
	fmt.Fprintln(b.out, "|---|---|---|---|---|---|---|")
	for _, c := range []struct {
		name  string
		index int
	}{{"Google MX, reports to another domain", 0}, {"Outlook", 4}, {"own MX, deep SPF", 7}, {"over the lookup limit", 9}, {"two SPF records", 19}, {"no SPF, DMARC invalid", 29}, {"neither SPF nor DMARC", 39}} {
		u, err := b.runs(s, b.rounds, []string{world.Domain(c.index)})
		if err != nil {
			return err
		}
		r := u.report
		fmt.Fprintf(b.out, "| %s | %.0f | %.0f | %d | %d | %d | %d |\n", c.name, ms(u.wall), ms(u.cpu), u.rss>>20, len(r.Waves), r.Queries, r.Queries-r.DKIM)
		if b.verbose {
			for _, w := range r.Waves {
				fmt.Fprintf(os.Stderr, "  at %.1f ms: %d: %s\n", w.AtMS, w.Count, strings.Join(w.Names, ", "))
			}
		}
	}
	fmt.Fprintln(b.out)
	return nil
}

func (b *bench) bulk() error {
	fmt.Fprintln(b.out, "| bulk | wall s | CPU s | MB | domains/s | queries | distinct | a domain | without DKIM |")
	fmt.Fprintln(b.out, "|---|---|---|---|---|---|---|---|---|")
	for _, c := range []struct {
		name    string
		domains int
		delay   time.Duration
		dead    int
		rounds  int
		flags   []string
	}{
		{"200 domains, 0 ms", 200, 0, 0, b.rounds, nil},
		{"200 domains, 20 ms", 200, usual, 0, b.rounds, nil},
		{"1,000 domains, 20 ms", 1000, usual, 0, min(3, b.rounds), nil},
		{"1,000 domains, 20 ms, every tenth never answers", 1000, usual, 10, 1, nil},
		{"10,000 domains, 20 ms", 10000, usual, 0, 1, nil},
	} {
		s, err := b.serve(c.domains, c.delay, c.dead)
		if err != nil {
			return err
		}
		u, err := b.runs(s, c.rounds, names(c.domains), c.flags...)
		s.close()
		if err != nil {
			return err
		}
		r, n := u.report, float64(c.domains)
		fmt.Fprintf(b.out, "| %s | %.2f | %.2f | %d | %.0f | %d | %d | %.1f | %.1f |\n", c.name, u.wall.Seconds(), u.cpu.Seconds(), u.rss>>20,
			n/u.wall.Seconds(), r.Queries, r.Distinct, float64(r.Queries)/n, float64(r.Queries-r.DKIM)/n)
	}
	fmt.Fprint(b.out, beside)
	return nil
}

// beside are figures to compare with, of domains of the same kinds at 20 ms a
// reply on a like machine. They were measured once and are not repeated here.
const beside = `
beside: checkdmarc 5.17.5 as a library, which asks one query at a time and has no DKIM:
  1.26 s for one domain (57 queries), 132.5 s for 200 (29.7 queries a domain)
limit: the dependent queries of one domain 0.09 s; those of 200 domains, 256 in flight, 0.30 s
targets: 0.13 s one, 0.7 s for 200, 16 queries a domain without DKIM, 60 MB, start-up 30 ms

`

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
