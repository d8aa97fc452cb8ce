// Command dnsd is the name server of the measurements: it holds made-up domains,
// delays each reply, and counts and times the questions. It listens on a free
// port of 127.0.0.1, prints its address, and then answers the commands "reset"
// and "report" on standard input, the latter with a [Report] on a line. It ends
// with its input.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mailcheck-go/mailcheck/internal/bench/world"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// Report tells what was asked since the last reset.
type Report struct {
	Queries  int            `json:"queries"`
	Distinct int            `json:"distinct"`
	DKIM     int            `json:"dkim"`          // of Queries, those below _domainkey
	DKIMOnce int            `json:"dkim_distinct"` // of Distinct
	Types    map[string]int `json:"types"`
	// Waves are the questions that came together: between two waves nothing came
	// for half the delay. For one domain they are its round trips.
	Waves []Wave `json:"waves,omitempty"`
}

// Wave is a burst of questions.
type Wave struct {
	AtMS  float64 `json:"at_ms"` // since the first question
	Count int     `json:"count"`
	// Names shows the questions of a small wave.
	Names []string `json:"names,omitempty"`
}

const (
	maxWaves = 64 // more are not reported
	maxNames = 80 // in a wave
)

// record keeps the questions.
type record struct {
	mu   sync.Mutex
	seen []entry
}

type entry struct {
	q  resolve.Question
	at time.Time
}

func (r *record) add(q resolve.Question, _ string) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, entry{q, now})
}

func (r *record) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = nil
}

func (r *record) report(gap time.Duration) Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := Report{Queries: len(r.seen), Types: map[string]int{}}
	once := map[resolve.Question]bool{}
	for i, e := range r.seen {
		out.Types[e.q.Type.String()]++
		dkim := strings.Contains(e.q.Name.String(), "_domainkey.")
		if dkim {
			out.DKIM++
		}
		if !once[e.q] {
			once[e.q] = true
			out.Distinct++
			if dkim {
				out.DKIMOnce++
			}
		}
		if i == 0 || e.at.Sub(r.seen[i-1].at) >= gap {
			out.Waves = append(out.Waves, Wave{AtMS: float64(e.at.Sub(r.seen[0].at).Microseconds()) / 1000})
		}
		w := &out.Waves[len(out.Waves)-1]
		if w.Count++; w.Count <= maxNames {
			w.Names = append(w.Names, e.q.String())
		}
	}
	if gap <= 0 || len(out.Waves) > maxWaves {
		out.Waves = nil
	}
	return out
}

func main() {
	n := flag.Int("domains", 200, "domains to make up")
	delay := flag.Duration("delay", 20*time.Millisecond, "delay of each reply")
	dead := flag.Int("dead", 0, "of so many domains, one never answers; 0: all answer")
	flag.Parse()
	if err := run(*n, *delay, *dead); err != nil {
		fmt.Fprintln(os.Stderr, "dnsd:", err)
		os.Exit(1)
	}
}

func run(n int, delay time.Duration, dead int) error {
	zone, err := zonetest.Parse(world.Zone(n), zonetest.Options{World: true})
	if err != nil {
		return err
	}
	for i := 0; dead > 0 && i < n; i += dead {
		for _, below := range []string{"", "_dmarc.", "_domainkey."} {
			zone.Inject(resolve.MustName(below+world.Domain(i)), 0, zonetest.Fault{Timeout: true})
		}
	}
	rec := &record{}
	server, err := zonetest.Serve(zone, zonetest.ServerOptions{Delay: delay, Recursive: true, Log: rec.add})
	if err != nil {
		return err
	}
	defer server.Close()
	fmt.Println(server.Addr())
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		switch in.Text() {
		case "reset":
			rec.reset()
			fmt.Println("{}")
		case "report":
			doc, err := json.Marshal(rec.report(delay / 2))
			if err != nil {
				return err
			}
			fmt.Println(string(doc))
		default:
			return fmt.Errorf("unknown command %q", in.Text())
		}
	}
	return in.Err()
}
