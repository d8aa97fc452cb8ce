package source_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/reports/source"
)

// drain reads everything and returns the first error of a document or of the
// source, and the octets that came out.
func drain(in string, opt source.Options) (total int64, first error) {
	for doc, err := range source.Read("f", strings.NewReader(in), opt) {
		if err == nil && doc.Body != nil {
			var n int64
			n, err = io.Copy(io.Discard, doc.Body)
			total += n
		}
		if err != nil && first == nil && !errors.Is(err, source.ErrSkipped) {
			first = err
		}
	}
	return total, first
}

func bomb(head string, n int) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, head)
	chunk := bytes.Repeat([]byte(" "), 1<<20)
	for range n {
		z.Write(chunk)
	}
	z.Close()
	return b.String()
}

func TestBombs(t *testing.T) {
	big := bomb("<feedback>", 48)
	overlap := zipped("a.xml", "<feedback>"+strings.Repeat(" ", 48<<20))
	for name, tc := range map[string]struct {
		in  string
		opt source.Options
	}{
		"gzip":         {big, source.Options{}},
		"gzip in gzip": {gz(big), source.Options{}},
		"zip":          {overlap, source.Options{}},
		"many members": {zipped("a.xml", "<feedback>"+strings.Repeat(" ", 12<<20), "b.xml", "<feedback>"+strings.Repeat(" ", 12<<20), "c.xml", "<feedback>"+strings.Repeat(" ", 12<<20)), source.Options{}},
		"mail":         {multi("multipart/mixed", attachment("application/gzip", "a.gz", big)), source.Options{}},
		"bytes":        {gz("<feedback>" + strings.Repeat("x y", 2000)), source.Options{Bytes: 1000}},
		"members":      {zipped("a.xml", report, "b.xml", report), source.Options{Members: 1}},
		"large mail":   {multi("multipart/mixed", hello), source.Options{Mail: 100}},
		"depth":        {gz(gz(gz(gz(gz(gz(gz(gz(gz(gz(report)))))))))), source.Options{}},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			n, err := drain(tc.in, tc.opt)
			if !errors.Is(err, source.ErrLimit) {
				t.Errorf("%d octets, err = %v", n, err)
			}
			if n > 120<<20 || time.Since(start) > 10*time.Second {
				t.Errorf("%d octets in %v", n, time.Since(start))
			}
		})
	}
}

// TestNesting has thousands of mails and multiparts in each other.
func TestNesting(t *testing.T) {
	in := report
	for range 5000 {
		in = "From: a@b\r\nTo: c@d\r\nSubject: s\r\nDate: x\r\nContent-Type: message/rfc822\r\n\r\n" + in
	}
	if _, err := drain(in, source.Options{}); !errors.Is(err, source.ErrLimit) {
		t.Errorf("err = %v", err)
	}
	var b strings.Builder
	b.WriteString(fields)
	for i := range 5000 {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	if _, err := drain(b.String(), source.Options{}); err == nil {
		t.Error("5,000 multiparts hold a report")
	}
}

// TestForgedSizes has a zip directory that claims other sizes than the data has.
func TestForgedSizes(t *testing.T) {
	data := []byte(zipped("a.xml", report))
	at := bytes.LastIndex(data, []byte("PK\x01\x02"))
	for _, size := range []uint32{0, 5, 1 << 31, 0xfffffffe} {
		forged := bytes.Clone(data)
		binary.LittleEndian.PutUint32(forged[at+24:], size)
		n, err := drain(string(forged), source.Options{})
		if err == nil && n != int64(len(report)) || n > int64(len(report)) {
			t.Errorf("size %d: %d octets, err = %v", size, n, err)
		}
	}
}

// TestRatioOfReports has the most regular report there is: equal rows.
func TestRatioOfReports(t *testing.T) {
	row := "<record>\n<row><source_ip>192.0.2.1</source_ip><count>1</count></row>\n</record>\n"
	in := gz(strings.Replace(report, "</feedback>", strings.Repeat(row, 10_000)+"</feedback>", 1))
	for doc, err := range source.Read("f", strings.NewReader(in), source.Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		rep, err := aggregate.Read(doc.Body, aggregate.Options{}, nil)
		if err != nil || rep.Records != 10_000 {
			t.Errorf("%v after %d records", err, rep.Records)
		}
	}
}

// TestTruncatedGzip gives the rows that are there, and says that some are not.
func TestTruncatedGzip(t *testing.T) {
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, "<record><row><source_ip>192.0.%d.%d</source_ip><count>%d</count></row></record>", i/256, i%256, i*7919%1000)
	}
	in := gz(strings.Replace(report, "</feedback>", b.String()+"</feedback>", 1))
	for doc, err := range source.Read("f", strings.NewReader(in[:len(in)/2]), source.Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		rep, err := aggregate.Read(doc.Body, aggregate.Options{}, nil)
		if err != nil || rep.Complete || rep.Records < 1000 || rep.Records > 4000 {
			t.Errorf("%v, %d records, complete %v", err, rep.Records, rep.Complete)
		}
	}
}

// TestChecksum has compressed data that does not match its check value: the
// report is there, and not to be trusted in full.
func TestChecksum(t *testing.T) {
	for name, in := range map[string][]byte{"gzip": []byte(gz(report)), "zlib": []byte(zl(report))} {
		at := len(in) - 1
		if name == "gzip" {
			at = len(in) - 8
		}
		in[at] ^= 1
		for doc, err := range source.Read("f", bytes.NewReader(in), source.Options{}) {
			if err != nil {
				t.Fatal(err)
			}
			rep, err := aggregate.Read(doc.Body, aggregate.Options{}, nil)
			if err != nil || rep.Complete || rep.Metadata.ReportID != "1" {
				t.Errorf("%s: %v %+v", name, err, rep)
			}
		}
	}
	data := []byte(zipped("a.xml", report))
	data[bytes.LastIndex(data, []byte("PK\x01\x02"))+10] = 9 // Deflate64
	if _, err := drain(string(data), source.Options{}); !errors.Is(err, source.ErrUnsupported) {
		t.Errorf("zip: %v", err)
	}
}

// TestMailCost has mails made to be slow to take apart.
func TestMailCost(t *testing.T) {
	const mb = 1 << 19
	for name, in := range map[string]string{
		"folded lines":   "Subject: x\r\n" + strings.Repeat(" a\r\n", mb) + "\r\n",
		"fields":         strings.Repeat("A: b\n", mb) + "\n",
		"boundaries":     multi("multipart/mixed", strings.Repeat("--=_b\r\n\r\n", mb/4)),
		"parameters":     fields + "Content-Type: text/plain; " + strings.Repeat("a=b;", mb) + "\r\n\r\n",
		"parts of names": fields + "Content-Type: text/plain; " + strings.Repeat("n*1=b;", mb) + "\r\n\r\n",
		"soft breaks":    single("Content-Transfer-Encoding: quoted-printable", strings.Repeat("=\r\n=", mb)),
		"base64 junk":    single("Content-Transfer-Encoding: base64", strings.Repeat("=!", 4*mb)),
		"mbox of one":    strings.Repeat("From a b 00:00:00 2023\n\n", mb/32),
		"dashes":         fields + "Content-Type: multipart/mixed\r\n\r\n" + strings.Repeat("--\r\n", mb),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			drain(in, source.Options{})
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("%d octets took %v", len(in), d)
			}
		})
	}
}

// TestMailboxMemory reads a mailbox that is larger than the memory it may use.
func TestMailboxMemory(t *testing.T) {
	mail := "From a@b Tue Nov 14 22:13:20 2023\n" + multi("multipart/mixed", attachment("application/octet-stream", "a.gz", gz(report)), attachment("image/png", "x.png", "\x89PNG"+strings.Repeat("x", 100_000))) + "\n"
	const mails = 300
	readers := make([]io.Reader, mails)
	for i := range readers {
		readers[i] = strings.NewReader(mail)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	found, peak := 0, uint64(0)
	for doc, err := range source.Read("f", io.MultiReader(readers...), source.Options{}) {
		if err != nil {
			continue
		}
		io.Copy(io.Discard, doc.Body)
		if found++; found%20 == 0 {
			runtime.ReadMemStats(&after)
			peak = max(peak, after.HeapAlloc)
		}
	}
	if found != mails || peak > before.HeapAlloc+32<<20 {
		t.Errorf("%d mails, %d MB", found, (peak-before.HeapAlloc)>>20)
	}
}
