package diagnose

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"flag"
	"fmt"
	"io/fs"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/diagnose/cause"
)

var update = flag.Bool("update", false, "write the verdicts of the corpora to testdata")

const corpusDir = "../../shared/corpus/bounces"

// parts is a bounce taken apart as simply as a test can: package message does it
// for programs.
type parts struct {
	text   string
	status string // the message/delivery-status part
}

func takeApart(data []byte) parts {
	data = bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	m, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		return parts{text: string(data)}
	}
	var p parts
	p.walk(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body, 0)
	if strings.TrimSpace(p.text+p.status) == "" { // broken MIME
		_, body, _ := strings.Cut(string(data), "\n\n")
		p.text = body
	}
	return p
}

func (p *parts) walk(ctype, enc string, r interface{ Read([]byte) (int, error) }, depth int) {
	kind, params, err := mime.ParseMediaType(ctype)
	if err != nil {
		kind = "text/plain"
	}
	var body bytes.Buffer
	body.ReadFrom(r)
	if strings.HasPrefix(kind, "multipart/") && depth < 5 && params["boundary"] != "" {
		mr := multipart.NewReader(&body, params["boundary"])
		for {
			part, err := mr.NextRawPart()
			if err != nil {
				return
			}
			p.walk(part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part, depth+1)
		}
	}
	raw := body.Bytes()
	switch strings.ToLower(strings.TrimSpace(enc)) {
	case "quoted-printable":
		var out bytes.Buffer
		out.ReadFrom(quotedprintable.NewReader(bytes.NewReader(raw)))
		raw = out.Bytes()
	case "base64":
		if b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(raw)), "")); err == nil {
			raw = b
		}
	}
	switch {
	case kind == "message/delivery-status":
		p.status += string(raw) + "\n\n"
	case kind == "text/html":
		p.text += regexp.MustCompile(`<[^>]*>`).ReplaceAllString(regexp.MustCompile(`(?i)<(br|p|div|tr|li|h\d)[^>]*>`).ReplaceAllString(string(raw), "\n"), " ") + "\n\n"
	case strings.HasPrefix(kind, "text/") && kind != "text/rfc822-headers":
		p.text += string(raw) + "\n\n"
	}
}

// recipients reads the fields of a delivery-status part.
func (p *parts) recipients() []Recipient {
	var out []Recipient
	unfolded := regexp.MustCompile(`\n[ \t]+`).ReplaceAllString(p.status, " ")
	for _, block := range regexp.MustCompile(`\n\s*\n`).Split(unfolded, -1) {
		var r Recipient
		found := false
		for line := range strings.SplitSeq(block, "\n") {
			name, value, _ := strings.Cut(line, ":")
			value = strings.TrimSpace(value)
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "action":
				r.Action, found = value, true
			case "status":
				r.Status, found = value, true
			case "diagnostic-code":
				r.DiagnosticCode, found = value, true
			case "remote-mta":
				r.RemoteMTA = value
			case "final-recipient":
				r.Recipient = value
			}
		}
		if found {
			r.Text = p.text
			out = append(out, r)
		}
	}
	return out
}

// verdict is what the package says of one file.
func verdict(data []byte) Result {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) || bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		return jsonVerdict(string(data))
	}
	p := takeApart(data)
	rs := p.recipients()
	if len(rs) == 0 {
		return Bounce(p.text)
	}
	for _, r := range rs {
		if strings.EqualFold(r.Action, "failed") {
			return DSN(r)
		}
	}
	return DSN(rs[0])
}

// jsonVerdict reads the events of services that bounce by JSON.
func jsonVerdict(s string) Result {
	s = strings.ReplaceAll(s, `\"`, `"`)
	for _, key := range []string{"diagnosticCode", "reason", "response", "bounceSubType"} {
		if m := regexp.MustCompile(`"` + key + `"\s*:\s*"((?:[^"\\]|\\.)*)"`).FindStringSubmatch(s); m != nil && m[1] != "" {
			return Reply(strings.ReplaceAll(m[1], `\"`, `"`))
		}
	}
	return Reply("")
}

// TestCorpus compares the verdict on every bounce of the corpus with the reviewed
// table. The table holds names of files and causes only.
func TestCorpus(t *testing.T) {
	if _, err := os.Stat(corpusDir); err != nil {
		t.Skip("the corpus of bounces is not here")
	}
	got := make(map[string]string)
	err := filepath.WalkDir(corpusDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".tsv") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(corpusDir, path)
		r := verdict(data)
		how := "permanent"
		if r.Temporary {
			how = "temporary"
		}
		if r.Cause == cause.Delivered || r.Cause == cause.Unknown && r.Code == "" && r.Enhanced == "" {
			how = "-"
		}
		got[filepath.ToSlash(rel)] = string(r.Cause) + "\t" + how
		if testing.Verbose() {
			fmt.Printf("## %s\t%s\t%s\t%s\t%.160s\n", rel, r.Cause, r.Entry, r.Confidence, r.Code+" "+r.Enhanced+" "+r.Text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	compareTable(t, "testdata/bounces.tsv", got)
}

// compareTable compares verdicts with a reviewed table, or writes it.
func compareTable(t *testing.T, file string, got map[string]string) {
	t.Helper()
	names := make([]string, 0, len(got))
	for n := range got {
		names = append(names, n)
	}
	slices.Sort(names)
	if *update {
		var b strings.Builder
		for _, n := range names {
			b.WriteString(n + "\t" + got[n] + "\n")
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := make(map[string]string)
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if name, v, ok := strings.Cut(sc.Text(), "\t"); ok && !strings.HasPrefix(name, "#") {
			want[name] = v
		}
	}
	for _, n := range names {
		if w, ok := want[n]; !ok {
			t.Logf("%s is not in the table", n)
		} else if w != got[n] {
			t.Errorf("%s gives %q, the table says %q", n, got[n], w)
		}
	}
}

const repliesFile = "../../shared/data/smtp-replies.yaml"

// TestReplies does the same for a collection of single replies.
func TestReplies(t *testing.T) {
	data, err := os.ReadFile(repliesFile)
	if err != nil {
		t.Skip("the collection of replies is not here")
	}
	got := make(map[string]string)
	id := ""
	for line := range strings.SplitSeq(string(data), "\n") {
		if v, ok := strings.CutPrefix(line, "  - id: "); ok {
			id = strings.TrimSpace(v)
		}
		if v, ok := strings.CutPrefix(line, "    example: '"); ok {
			r := Reply(strings.ReplaceAll(strings.TrimSuffix(v, "'"), "''", "'"))
			how := "permanent"
			if r.Temporary {
				how = "temporary"
			}
			got[id] = string(r.Cause) + "\t" + how
		}
	}
	if len(got) < 100 {
		t.Fatalf("read only %d replies", len(got))
	}
	compareTable(t, "testdata/replies.tsv", got)
}
