package export_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// sets are record sets as read, in master file form.
type sets map[resolve.Question][]string

func (s sets) add(t testing.TB, name, typ, data string) {
	t.Helper()
	n, err := resolve.NameFromMaster(name)
	if err != nil {
		t.Fatal(err)
	}
	var rt resolve.Type
	if err := rt.UnmarshalText([]byte(typ)); err != nil {
		t.Fatal(err)
	}
	q := resolve.Question{Name: n, Type: rt}
	s[q] = append(s[q], data)
}

// readers read each format as the tool does that takes it.
var readers = map[string]func(testing.TB, string) sets{
	"bind": readZone, "cloudflare": readZone, "nsupdate": readUpdate, "dnscontrol": readDNSControl, "octodns": readOctoDNS,
	"terraform-cloudflare": readCloudflare, "terraform-route53": readTFRoute53, "route53": readRoute53,
	"powerdns": readPowerDNS, "desec": readDeSEC, "panel": readPanel, "csv": readCSV,
}

func readZone(t testing.TB, text string) sets {
	t.Helper()
	z, err := zonetest.Parse(text, zonetest.Options{World: true})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	out := sets{}
	for _, name := range z.Names() {
		for _, typ := range []resolve.Type{resolve.TypeTXT, resolve.TypeMX, resolve.TypeA, resolve.TypeAAAA, resolve.TypeCNAME, resolve.TypeTLSA, resolve.TypeCAA} {
			for _, r := range z.Records(name, typ) {
				out.add(t, name.FQDN(), typ.String(), r.Data.String())
			}
		}
	}
	return out
}

// readUpdate carries out a script on what its prerequisites say was there.
func readUpdate(t testing.TB, text string) sets {
	t.Helper()
	out := sets{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		w := strings.SplitN(line, " ", 7)
		switch {
		case strings.HasPrefix(line, "update add "):
			out.add(t, w[2], w[5], w[6])
		case strings.HasPrefix(line, "update delete "):
			n, err := resolve.NameFromMaster(w[2])
			if err != nil {
				t.Fatal(err)
			}
			var rt resolve.Type
			if err := rt.UnmarshalText([]byte(w[4])); err != nil {
				t.Fatal(err)
			}
			delete(out, resolve.Question{Name: n, Type: rt})
		}
	}
	return out
}

// call is a call of DNSControl's language.
type call struct {
	Type, Name string
	Args       []any
	Critical   bool
}

func calls(t testing.TB, list []call) sets {
	t.Helper()
	out := sets{}
	for _, c := range list {
		name := "example.org."
		if c.Name != "@" {
			name = c.Name + "." + name
		}
		var data []string
		for _, a := range c.Args {
			switch a := a.(type) {
			case string:
				data = append(data, a)
			case float64:
				data = append(data, strconv.Itoa(int(a)))
			}
		}
		switch c.Type {
		case "TXT":
			data = []string{resolve.SplitTXT(data[0]).String()}
		case "CAA":
			flags := 0
			if c.Critical {
				flags = 128
			}
			data = []string{resolve.CAA{Flags: uint8(flags), Tag: data[0], Value: data[1]}.String()}
		}
		out.add(t, name, c.Type, strings.Join(data, " "))
	}
	return out
}

var jsCall = regexp.MustCompile(`^  ([A-Z]+)\((.*), TTL\(\d+\)\),$`)

func readDNSControl(t testing.TB, text string) sets {
	t.Helper()
	var list []call
	for line := range strings.Lines(text) {
		m := jsCall.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			continue
		}
		c := call{Type: m[1]}
		args := m[2]
		if a, ok := strings.CutSuffix(args, ", CAA_CRITICAL"); ok {
			args, c.Critical = a, true
		}
		if err := json.Unmarshal([]byte("["+args+"]"), &c.Args); err != nil {
			t.Fatalf("%v: %s", err, args)
		}
		c.Name, c.Args = c.Args[0].(string), c.Args[1:]
		list = append(list, c)
	}
	return calls(t, list)
}

func readOctoDNS(t testing.TB, text string) sets {
	t.Helper()
	type entry struct {
		Type   string
		TTL    int
		Value  yaml.Node
		Values []yaml.Node
	}
	var doc map[string][]entry
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	out := sets{}
	for name, list := range doc {
		name = strings.TrimPrefix(name+".example.org.", ".")
		for _, e := range list {
			if e.Type == "CNAME" {
				e.Values = append(e.Values, e.Value)
			}
			for _, v := range e.Values {
				var s string
				var m map[string]string
				if v.Kind == yaml.MappingNode {
					if err := v.Decode(&m); err != nil {
						t.Fatal(err)
					}
				} else if err := v.Decode(&s); err != nil {
					t.Fatal(err)
				}
				switch e.Type {
				case "TXT":
					s = octoDNSRecord(t, s)
				case "MX":
					s = m["preference"] + " " + m["exchange"]
				case "TLSA":
					s = m["certificate_usage"] + " " + m["selector"] + " " + m["matching_type"] + " " + m["certificate_association_data"]
				case "CAA":
					s = m["flags"] + " " + m["tag"] + " " + strconv.Quote(m["value"])
				}
				out.add(t, name, e.Type, s)
			}
		}
	}
	return out
}

var (
	octoBare   = regexp.MustCompile(`\w;`)
	octoDouble = regexp.MustCompile(`\\\\;`)
)

// octoDNSRecord is what octoDNS makes of a value: it checks it, strips outer
// quotes, escapes the others and cuts after 255 characters.
func octoDNSRecord(t testing.TB, v string) string {
	t.Helper()
	for i := range len(v) {
		if v[i] >= 0x80 {
			t.Fatalf("octoDNS refuses %q: not ASCII", v)
		}
	}
	if octoBare.MatchString(v) || octoDouble.MatchString(v) {
		t.Fatalf("octoDNS refuses the semicolon in %q", v)
	}
	if strings.HasPrefix(v, `"`) {
		v = v[1 : len(v)-1]
	}
	v = strings.ReplaceAll(strings.ReplaceAll(v, `" "`, ""), `"`, `\"`)
	var parts []string
	for v != "" {
		n := min(255, len(v))
		for n > 0 && v[n-1] == '\\' {
			n--
		}
		if n == 0 {
			t.Fatalf("octoDNS never ends to cut %q", v)
		}
		parts = append(parts, `"`+v[:n]+`"`)
		v = v[n:]
	}
	if parts == nil {
		return `""`
	}
	return strings.Join(parts, " ")
}

var hclLine = regexp.MustCompile(`^ +(name|type|content|priority|usage|selector|matching_type|certificate|flags|tag|value) += (.*)$`)

// stringLiterals finds the quoted strings of a configuration, outside of comments.
func stringLiterals(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		for i := 0; i < len(line); i++ {
			if line[i] != '"' {
				continue
			}
			j := i + 1
			for j < len(line) && line[j] != '"' {
				if line[j] == '\\' {
					j++
				}
				j++
			}
			out = append(out, line[i:j+1])
			i = j
		}
	}
	return out
}

// unhcl reads a quoted string of HCL.
func unhcl(t testing.TB, s string) string {
	t.Helper()
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		t.Fatalf("no string: %q", s)
	}
	s = s[1 : len(s)-1]
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			b.WriteByte(s[i])
		case s[i] == '\\' || s[i] == '"':
			t.Fatalf("escape at %d in %q", i, s)
		case (s[i] == '$' || s[i] == '%') && strings.HasPrefix(s[i+1:], string(s[i])+"{"):
			b.WriteString(s[i:i+1] + "{")
			i += 2
		case (s[i] == '$' || s[i] == '%') && strings.HasPrefix(s[i+1:], "{"):
			t.Fatalf("template at %d in %q", i, s)
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func blocks(t testing.TB, text string) []map[string]string {
	t.Helper()
	var out []map[string]string
	labels := map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "resource ") {
			if labels[line] {
				t.Errorf("twice: %s", line)
			}
			labels[line] = true
			out = append(out, map[string]string{})
		}
		if m := hclLine.FindStringSubmatch(line); m != nil && len(out) > 0 {
			v := m[2]
			if strings.HasPrefix(v, `"`) {
				v = unhcl(t, v)
			}
			out[len(out)-1][m[1]] = v
		}
		if v, ok := strings.CutPrefix(line, "    \""); ok && len(out) > 0 {
			out[len(out)-1]["records"] += unhcl(t, `"`+strings.TrimSuffix(v, ",")) + "\n"
		}
	}
	return out
}

func readCloudflare(t testing.TB, text string) sets {
	t.Helper()
	out := sets{}
	for _, b := range blocks(t, text) {
		data := b["content"]
		switch b["type"] {
		case "MX":
			data = b["priority"] + " " + strings.TrimSuffix(data, ".") + "."
		case "CNAME":
			data += "."
		case "TLSA":
			data = b["usage"] + " " + b["selector"] + " " + b["matching_type"] + " " + b["certificate"]
		case "CAA":
			data = b["flags"] + " " + b["tag"] + " " + strconv.Quote(b["value"])
		}
		out.add(t, b["name"], b["type"], data)
	}
	return out
}

func readTFRoute53(t testing.TB, text string) sets {
	t.Helper()
	out := sets{}
	for _, b := range blocks(t, text) {
		for v := range strings.Lines(b["records"]) {
			v = strings.TrimSuffix(v, "\n")
			if b["type"] == "TXT" {
				v = unoctal(t, `"`+v+`"`) // as the provider does
			}
			out.add(t, b["name"], b["type"], v)
		}
	}
	return out
}

// unoctal reads a value of Route 53: strings in quotes, next to each other or
// with spaces between, with escapes of three octal digits.
func unoctal(t testing.TB, v string) string {
	t.Helper()
	var d resolve.TXT
	for i := 0; i < len(v); i++ {
		if v[i] == ' ' {
			continue
		}
		if v[i] != '"' {
			t.Fatalf("no quote at %d of %q", i, v)
		}
		var b strings.Builder
		for i++; ; i++ {
			if i >= len(v) {
				t.Fatalf("no end: %q", v)
			}
			if v[i] == '"' {
				break
			}
			if v[i] != '\\' {
				b.WriteByte(v[i])
				continue
			}
			i++
			if v[i] >= '0' && v[i] <= '7' {
				n, err := strconv.ParseUint(v[i:i+3], 8, 8)
				if err != nil {
					t.Fatal(err)
				}
				b.WriteByte(byte(n))
				i += 2
				continue
			}
			b.WriteByte(v[i])
		}
		if b.Len() > 255 {
			t.Fatalf("a string of %d octets", b.Len())
		}
		d.Strings = append(d.Strings, b.String())
	}
	return d.String()
}

func readRoute53(t testing.TB, text string) sets {
	t.Helper()
	var doc struct {
		Changes []struct {
			Action            string
			ResourceRecordSet struct {
				Name, Type      string
				TTL             int
				ResourceRecords []struct{ Value string }
			}
		}
	}
	unjson(t, text, &doc)
	out := sets{}
	for _, c := range doc.Changes {
		for _, r := range c.ResourceRecordSet.ResourceRecords {
			v := r.Value
			if c.ResourceRecordSet.Type == "TXT" {
				v = unoctal(t, v)
			}
			if c.Action != "DELETE" {
				out.add(t, c.ResourceRecordSet.Name, c.ResourceRecordSet.Type, v)
			}
		}
	}
	return out
}

func unjson(t testing.TB, text string, to any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), to); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}

func readPowerDNS(t testing.TB, text string) sets {
	t.Helper()
	var doc struct {
		RRsets []struct {
			Name, Type, ChangeType string
			TTL                    int
			Records                []struct{ Content string }
		}
	}
	unjson(t, text, &doc)
	out := sets{}
	for _, s := range doc.RRsets {
		if (s.ChangeType == "DELETE") != (len(s.Records) == 0) || (s.ChangeType == "REPLACE") != (s.TTL > 0) {
			t.Errorf("%+v", s)
		}
		for _, r := range s.Records {
			out.add(t, s.Name, s.Type, r.Content)
		}
	}
	return out
}

func readDeSEC(t testing.TB, text string) sets {
	t.Helper()
	var doc []struct {
		Subname, Type string
		TTL           int
		Records       []string
	}
	unjson(t, text, &doc)
	out := sets{}
	for _, s := range doc {
		for _, r := range s.Records {
			out.add(t, strings.TrimPrefix(s.Subname+".example.org.", "."), s.Type, r)
		}
	}
	return out
}

var panelHead = regexp.MustCompile(`^\d+\. (Create|Change|Delete) (\S+)$`)

func readPanel(t testing.TB, text string) sets {
	t.Helper()
	out := sets{}
	var typ, name, word, priority, line string
	for l := range strings.Lines(text) {
		l = strings.TrimSuffix(l, "\n")
		if m := panelHead.FindStringSubmatch(l); m != nil {
			typ = m[2]
		}
		if v, ok := strings.CutPrefix(l, "   Name, whole:  "); ok {
			name = v
		}
		for _, w := range []string{"Delete", "Add", "Leave"} {
			if strings.HasPrefix(l, "   "+w+" the record") {
				word = w
			}
		}
		if v, ok := strings.CutPrefix(l, "     Priority:         "); ok {
			priority = v + " "
		}
		if v, ok := strings.CutPrefix(l, "     Value, one line:  "); ok {
			line = v
		}
		v, ok := strings.CutPrefix(l, "     Value, quoted:    ")
		if ok && !strings.HasPrefix(line, "not possible") {
			// Both say the same.
			if fmt.Sprint(readZone(t, "x. 1 IN TXT "+v)) != fmt.Sprint(readZone(t, "x. 1 IN TXT "+resolve.SplitTXT(line).String())) {
				t.Errorf("one line %q, quoted %q", line, v)
			}
		}
		if !ok {
			v, ok = strings.CutPrefix(l, "     Value:            ")
		}
		if ok && word != "Delete" {
			out.add(t, name, typ, priority+v)
		}
		if ok {
			priority = ""
		}
	}
	return out
}

func readCSV(t testing.TB, text string) sets {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := sets{}
	for _, r := range rows[1:] {
		if r[0] != "remove" {
			out.add(t, r[1], r[2], r[4])
		}
	}
	return out
}
