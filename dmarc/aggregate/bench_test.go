package aggregate_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"testing"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
)

func BenchmarkRead(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		data := reportBytes(n)
		b.Run(fmt.Sprintf("records=%d", n), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				rep, err := aggregate.Read(bytes.NewReader(data), aggregate.Options{}, func(*aggregate.Record) error { return nil })
				if err != nil || rep.Records != int64(n) || len(rep.Diagnostics) != 0 {
					b.Fatal(rep, err)
				}
			}
		})
	}
}

func BenchmarkReadGzip(b *testing.B) {
	data := reportBytes(10_000)
	packed := gzipped(data)
	var z gzip.Reader
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if err := z.Reset(bytes.NewReader(packed)); err != nil {
			b.Fatal(err)
		}
		rep, err := aggregate.Read(&z, aggregate.Options{}, func(*aggregate.Record) error { return nil })
		if err != nil || rep.Records != 10_000 {
			b.Fatal(rep, err)
		}
	}
}

// BenchmarkGunzip is the floor of BenchmarkReadGzip.
func BenchmarkGunzip(b *testing.B) {
	data := reportBytes(10_000)
	packed := gzipped(data)
	var z gzip.Reader
	buf := make([]byte, 64<<10)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := z.Reset(bytes.NewReader(packed)); err != nil {
			b.Fatal(err)
		}
		for {
			if _, err := z.Read(buf); err != nil {
				break
			}
		}
	}
}
