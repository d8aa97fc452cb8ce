//go:build unix

package client_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

const (
	auditDomains = 200
	auditQueries = 16
)

// audit asks the questions of 200 domains with 256 goroutines.
func audit(b *testing.B, c *client.Client) {
	b.Helper()
	questions := make(chan resolve.Question, 256)
	var wg sync.WaitGroup
	for range 256 {
		wg.Go(func() {
			for q := range questions {
				if _, err := c.Resolve(context.Background(), q); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for d := range auditDomains {
		for n := range auditQueries {
			questions <- resolve.Question{Name: resolve.MustName(fmt.Sprintf("n%d.d%d.example", n, d)), Type: resolve.TypeTXT}
		}
	}
	close(questions)
	wg.Wait()
}

// BenchmarkAudit is 200 domains with 16 questions each at 20 ms a reply.
func BenchmarkAudit(b *testing.B) {
	var text strings.Builder
	text.WriteString("example. 60 IN SOA ns. h. 1 2 3 4 60\n")
	for d := range auditDomains {
		for n := range auditQueries {
			fmt.Fprintf(&text, "n%d.d%d.example. 60 IN TXT \"v=spf1 include:_spf.example.net ip4:192.0.2.0/24 -all\"\n", n, d)
		}
	}
	s, err := zonetest.Serve(zonetest.MustParse(text.String()), zonetest.ServerOptions{Delay: 20 * time.Millisecond})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for b.Loop() {
		c, err := client.New(client.Options{Servers: []string{s.Addr()}})
		if err != nil {
			b.Fatal(err)
		}
		audit(b, c)
		c.Close()
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/audit")
}

// BenchmarkResolve is one question to a server that answers at once and costs
// next to nothing; cpu-µs is the processor time of both.
func BenchmarkResolve(b *testing.B) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer pc.Close()
	go func() {
		buf := make([]byte, 2048)
		answer := "\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x0c\x0bv=spf1 -all"
		for {
			n, from, err := pc.(*net.UDPConn).ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			buf[2], buf[7], buf[11] = 0x81, 1, 0
			n = n - 11 + copy(buf[n-11:], answer)
			pc.(*net.UDPConn).WriteToUDPAddrPort(buf[:n], from)
		}
	}()
	c, err := client.New(client.Options{Servers: []string{pc.LocalAddr().String()}, CacheSize: -1})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	b.ReportAllocs()
	start := cpuTime()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			q := resolve.Question{Name: resolve.MustName(fmt.Sprintf("n%d.example.org", i)), Type: resolve.TypeTXT}
			if _, err := c.Resolve(context.Background(), q); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64((cpuTime()-start).Microseconds())/float64(b.N), "cpu-µs/op")
}

// BenchmarkCached is one question that the cache answers.
func BenchmarkCached(b *testing.B) {
	s, err := zonetest.Serve(zonetest.MustParse(`example.org. 60 IN TXT "v=spf1 -all"`), zonetest.ServerOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	c, err := client.New(client.Options{Servers: []string{s.Addr()}})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	q := resolve.Question{Name: resolve.MustName("example.org"), Type: resolve.TypeTXT}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Resolve(context.Background(), q); err != nil {
			b.Fatal(err)
		}
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
