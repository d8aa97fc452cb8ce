package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// row is a record at a fake provider, as its API shows it.
type row struct {
	id   int
	name string // relative, "@" for the apex
	typ  string
	data string
	ttl  int
	prio int
}

// fake is a provider: enough of its API for its package, and what it does to
// records.
type fake struct {
	mu     sync.Mutex
	rows   []row
	next   int
	status int  // given to every request, if not 0
	cut    bool // it cuts texts at 255 octets, and says nothing
	wrote  []string
	token  string // that it wants
}

func (f *fake) add(r row) row {
	f.next++
	r.id = f.next
	f.rows = append(f.rows, r)
	return r
}

func (f *fake) index(id string) int {
	return slices.IndexFunc(f.rows, func(r row) bool { return strconv.Itoa(r.id) == id })
}

// mangle is what the provider does to a text.
func (f *fake) mangle(typ, s string) string {
	if f.cut && typ == "TXT" && len(s) > 255 {
		return s[:255]
	}
	return s
}

// serveAPI starts the fake and sends all requests of the process to it.
func serveAPI(t *testing.T, f *fake, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if r.Method != http.MethodGet {
			f.wrote = append(f.wrote, r.Method+" "+r.URL.Path)
		}
		if f.status != 0 {
			w.WriteHeader(f.status)
			_, _ = io.WriteString(w, `{"success":false,"errors":[{"code":1,"message":"no"}],"message":"no","code":1,"status":"ERROR"}`)
			return
		}
		h(w, r)
	}))
	t.Cleanup(s.Close)
	base := http.DefaultTransport
	to, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	http.DefaultTransport = redirect{base, to}
	t.Cleanup(func() { http.DefaultTransport = base })
	return s
}

type redirect struct {
	base http.RoundTripper
	to   *url.URL
}

func (r redirect) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.URL.Scheme, req.URL.Host = r.to.Scheme, r.to.Host
	return r.base.RoundTrip(req)
}

func body(r *http.Request) map[string]any {
	m := map[string]any{}
	_ = json.NewDecoder(r.Body).Decode(&m)
	return m
}

func str(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.Itoa(int(v))
	}
	return ""
}

func num(v any) int { n, _ := strconv.Atoi(str(v)); return n }

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// bearer refuses a wrong token.
func (f *fake) bearer(w http.ResponseWriter, r *http.Request, header string) bool {
	if strings.TrimPrefix(r.Header.Get(header), "Bearer ") == f.token {
		return true
	}
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, `{"success":false,"errors":[{"code":9109,"message":"Invalid access token `+r.Header.Get(header)+`"}],"code":401,"message":"bad `+r.Header.Get(header)+`"}`)
	return false
}

func whole(name string) string {
	if name == "@" {
		return "example.org"
	}
	return name + ".example.org"
}

func relative(name string) string {
	if name == "example.org" || name == "" {
		return "@"
	}
	return strings.TrimSuffix(name, ".example.org")
}

func fakeCloudflare(t *testing.T, f *fake) {
	serveAPI(t, f, func(w http.ResponseWriter, r *http.Request) {
		if !f.bearer(w, r, "Authorization") {
			return
		}
		show := func(x row) map[string]any {
			return map[string]any{"id": strconv.Itoa(x.id), "zone_id": "z1", "name": whole(x.name), "type": x.typ, "content": x.data, "ttl": x.ttl, "priority": x.prio}
		}
		path := strings.TrimPrefix(r.URL.Path, "/client/v4")
		id := strings.TrimPrefix(path, "/zones/z1/dns_records/")
		ok := func(v any, n int) {
			reply(w, map[string]any{"success": true, "result": v, "result_info": map[string]any{"page": 1, "per_page": 100, "count": n, "total_count": n}})
		}
		switch {
		case path == "/zones":
			list := []any{}
			if r.URL.Query().Get("name") == "example.org" {
				list = append(list, map[string]any{"id": "z1", "name": "example.org"})
			}
			ok(list, len(list))
		case r.Method == http.MethodGet:
			q := r.URL.Query()
			list := []any{}
			for _, x := range f.rows {
				if q.Get("type") != "" && q.Get("type") != x.typ || q.Get("name") != "" && q.Get("name") != whole(x.name) ||
					!strings.Contains(x.data, q.Get("content.contains")) || q.Get("content.exact") != "" && q.Get("content.exact") != x.data {
					continue
				}
				list = append(list, show(x))
			}
			ok(list, len(list))
		case r.Method == http.MethodPost:
			b := body(r)
			ok(show(f.add(row{name: relative(str(b["name"])), typ: str(b["type"]), data: f.mangle(str(b["type"]), str(b["content"])), ttl: num(b["ttl"]), prio: num(b["priority"])})), 1)
		case r.Method == http.MethodPatch:
			b, i := body(r), f.index(id)
			f.rows[i].data, f.rows[i].ttl = f.mangle(f.rows[i].typ, str(b["content"])), num(b["ttl"])
			if b["priority"] != nil {
				f.rows[i].prio = num(b["priority"])
			}
			ok(show(f.rows[i]), 1)
		case r.Method == http.MethodDelete:
			i := f.index(id)
			x := f.rows[i]
			f.rows = slices.Delete(f.rows, i, i+1)
			ok(show(x), 1)
		}
	})
}

func fakeHetznerDNS(t *testing.T, f *fake) {
	serveAPI(t, f, func(w http.ResponseWriter, r *http.Request) {
		if !f.bearer(w, r, "Auth-API-Token") {
			return
		}
		show := func(x row) map[string]any {
			data := x.data
			if x.typ == "TXT" {
				data += " " // seen in the wild
			}
			return map[string]any{"id": strconv.Itoa(x.id), "zone_id": "z1", "name": x.name, "type": x.typ, "value": data, "ttl": x.ttl}
		}
		path := strings.TrimPrefix(r.URL.Path, "/api/v1")
		id := strings.TrimPrefix(path, "/records/")
		b := body(r)
		switch {
		case path == "/zones":
			zones := []any{}
			if r.URL.Query().Get("name") == "example.org" {
				zones = append(zones, map[string]any{"id": "z1"})
			}
			reply(w, map[string]any{"zones": zones})
		case r.Method == http.MethodGet:
			list := []any{}
			for _, x := range f.rows {
				list = append(list, show(x))
			}
			reply(w, map[string]any{"records": list})
		case r.Method == http.MethodPost:
			reply(w, map[string]any{"record": show(f.add(row{name: str(b["name"]), typ: str(b["type"]), data: f.mangle(str(b["type"]), str(b["value"])), ttl: num(b["ttl"])}))})
		case r.Method == http.MethodPut:
			i := f.index(id)
			f.rows[i].data, f.rows[i].ttl = f.mangle(f.rows[i].typ, str(b["value"])), num(b["ttl"])
			reply(w, map[string]any{"record": show(f.rows[i])})
		case r.Method == http.MethodDelete:
			i := f.index(id)
			f.rows = slices.Delete(f.rows, i, i+1)
		}
	})
}

func fakeHetzner(t *testing.T, f *fake) {
	serveAPI(t, f, func(w http.ResponseWriter, r *http.Request) {
		if !f.bearer(w, r, "Authorization") {
			return
		}
		path, ok := strings.CutPrefix(r.URL.Path, "/v1/zones/example.org/rrsets")
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			reply(w, map[string]any{"error": map[string]any{"code": "not_found", "message": "zone not found"}})
			return
		}
		b := body(r)
		put := func(name, typ string, ttl int) {
			for _, v := range b["records"].([]any) {
				f.add(row{name: name, typ: typ, data: f.mangle(typ, str(v.(map[string]any)["value"])), ttl: ttl})
			}
		}
		p := strings.Split(strings.TrimPrefix(path, "/"), "/")
		ttl := 0
		drop := func() {
			f.rows = slices.DeleteFunc(f.rows, func(x row) bool {
				if x.name == p[0] && x.typ == p[1] {
					ttl = x.ttl
					return true
				}
				return false
			})
		}
		switch {
		case r.Method == http.MethodGet:
			q := r.URL.Query()
			var records []any
			for _, x := range f.rows {
				if x.name == q.Get("name") && x.typ == q.Get("type") {
					ttl = x.ttl
					records = append(records, map[string]any{"value": x.data, "comment": ""})
				}
			}
			list := []any{}
			if records != nil {
				list = append(list, map[string]any{"id": "x", "name": q.Get("name"), "type": q.Get("type"), "ttl": ttl, "records": records})
			}
			reply(w, map[string]any{"rrsets": list})
		case r.Method == http.MethodDelete:
			drop()
		case path == "":
			put(str(b["name"]), str(b["type"]), num(b["ttl"]))
			w.WriteHeader(http.StatusCreated)
		case p[3] == "set_records":
			drop()
			put(p[0], p[1], ttl)
		case p[3] == "change_ttl":
			for i, x := range f.rows {
				if x.name == p[0] && x.typ == p[1] {
					f.rows[i].ttl = num(b["ttl"])
				}
			}
		}
	})
}

func fakeGandi(t *testing.T, f *fake) {
	serveAPI(t, f, func(w http.ResponseWriter, r *http.Request) {
		if !f.bearer(w, r, "Authorization") {
			return
		}
		const base = "/v5/livedns/domains/example.org"
		switch path, ok := strings.CutPrefix(r.URL.Path, base); {
		case !ok:
			w.WriteHeader(http.StatusNotFound)
			reply(w, map[string]any{"code": 404, "message": "no such domain"})
		case path == "":
			reply(w, map[string]any{"fqdn": "example.org", "domain_records_href": "https://api.gandi.net" + base + "/records"})
		case path == "/records":
			sets := map[string]map[string]any{}
			list := []any{}
			for _, x := range f.rows {
				k := x.name + " " + x.typ
				if sets[k] == nil {
					sets[k] = map[string]any{"rrset_name": x.name, "rrset_type": x.typ, "rrset_ttl": x.ttl, "rrset_values": []string{}}
					list = append(list, sets[k])
				}
				sets[k]["rrset_values"] = append(sets[k]["rrset_values"].([]string), x.data)
			}
			reply(w, list)
		default:
			p := strings.Split(strings.TrimPrefix(path, "/records/"), "/")
			f.rows = slices.DeleteFunc(f.rows, func(x row) bool { return x.name == p[0] && x.typ == p[1] })
			if r.Method == http.MethodPut {
				b := body(r)
				for _, v := range b["rrset_values"].([]any) {
					f.add(row{name: p[0], typ: p[1], data: f.mangle(p[1], str(v)), ttl: num(b["rrset_ttl"])})
				}
			}
			w.WriteHeader(http.StatusCreated)
		}
	})
}

func fakeDigitalOcean(t *testing.T, f *fake) {
	serveAPI(t, f, func(w http.ResponseWriter, r *http.Request) {
		if !f.bearer(w, r, "Authorization") {
			return
		}
		show := func(x row) map[string]any {
			return map[string]any{"id": x.id, "name": x.name, "type": x.typ, "data": x.data, "ttl": x.ttl, "priority": x.prio}
		}
		path, ok := strings.CutPrefix(r.URL.Path, "/v2/domains/example.org/records")
		id := strings.TrimPrefix(path, "/")
		b := body(r)
		data := f.mangle(str(b["type"]), str(b["data"]))
		if str(b["type"]) == "CNAME" || str(b["type"]) == "MX" {
			data = strings.TrimSuffix(data, ".")
		}
		switch {
		case !ok:
			w.WriteHeader(http.StatusNotFound)
			reply(w, map[string]any{"id": "not_found", "message": "no such domain"})
		case r.Method == http.MethodGet:
			q := r.URL.Query()
			var set []row
			for _, x := range f.rows {
				if q.Get("type") == x.typ && q.Get("name") == whole(x.name) {
					set = append(set, x)
				}
			}
			// One to a page, so that there are pages.
			page := max(1, num(q.Get("page")))
			list, links := []any{}, map[string]any{}
			if page <= len(set) {
				list = append(list, show(set[page-1]))
			}
			if page < len(set) {
				next := fmt.Sprintf("https://api.digitalocean.com/v2/domains/example.org/records?page=%d", page+1)
				links["pages"] = map[string]any{"next": next, "last": next}
			}
			reply(w, map[string]any{"domain_records": list, "links": links})
		case r.Method == http.MethodPost:
			w.WriteHeader(http.StatusCreated)
			reply(w, map[string]any{"domain_record": show(f.add(row{name: str(b["name"]), typ: str(b["type"]), data: data, ttl: num(b["ttl"]), prio: num(b["priority"])}))})
		case r.Method == http.MethodPut:
			i := f.index(id)
			f.rows[i].data, f.rows[i].ttl, f.rows[i].prio = data, num(b["ttl"]), num(b["priority"])
			reply(w, map[string]any{"domain_record": show(f.rows[i])})
		case r.Method == http.MethodDelete:
			i := f.index(id)
			f.rows = slices.Delete(f.rows, i, i+1)
			w.WriteHeader(http.StatusNoContent)
		}
	})
}

func fakePorkbun(t *testing.T, f *fake) {
	serveAPI(t, f, func(w http.ResponseWriter, r *http.Request) {
		b := body(r)
		if str(b["secretapikey"]) != f.token {
			w.WriteHeader(http.StatusBadRequest)
			reply(w, map[string]any{"status": "ERROR", "message": "Invalid API key. (" + str(b["secretapikey"]) + ")"})
			return
		}
		p := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/json/v3/dns/"), "/")
		if p[1] != "example.org" {
			w.WriteHeader(http.StatusBadRequest)
			reply(w, map[string]any{"status": "ERROR", "message": "Invalid domain."})
			return
		}
		out := map[string]any{"status": "SUCCESS"}
		switch p[0] {
		case "retrieveByNameType":
			f.wrote = f.wrote[:len(f.wrote)-1] // a POST that reads
			name := "@"
			if len(p) > 3 {
				name = p[3]
			}
			list := []any{}
			for _, x := range f.rows {
				if x.typ == p[2] && x.name == name {
					list = append(list, map[string]any{"id": strconv.Itoa(x.id), "name": whole(x.name), "type": x.typ, "content": x.data, "ttl": strconv.Itoa(x.ttl), "prio": strconv.Itoa(x.prio), "notes": nil})
				}
			}
			out["records"] = list
		case "create":
			out["id"] = f.add(row{name: relative(str(b["name"])), typ: str(b["type"]), data: f.mangle(str(b["type"]), str(b["content"])), ttl: num(b["ttl"]), prio: num(b["prio"])}).id
		case "edit":
			i := f.index(p[2])
			f.rows[i].data, f.rows[i].ttl, f.rows[i].prio = f.mangle(f.rows[i].typ, str(b["content"])), num(b["ttl"]), num(b["prio"])
		case "delete":
			i := f.index(p[2])
			f.rows = slices.Delete(f.rows, i, i+1)
		}
		reply(w, out)
	})
}

func fakeOVH(t *testing.T, f *fake) {
	serveAPI(t, f, func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, "/1.0")
		if path == "/auth/time" {
			_, _ = io.WriteString(w, "1763900000")
			return
		}
		if r.Header.Get("X-Ovh-Consumer") != f.token {
			w.WriteHeader(http.StatusForbidden)
			reply(w, map[string]any{"message": "This credential is not valid: " + r.Header.Get("X-Ovh-Consumer")})
			return
		}
		rec, ok := strings.CutPrefix(path, "/domain/zone/example.org/")
		id := strings.TrimPrefix(rec, "record/")
		show := func(x row) map[string]any {
			name := x.name
			if name == "@" {
				name = ""
			}
			data := x.data
			if x.typ == "TXT" {
				data = `"` + strings.Join(split(data), `" "`) + `"` // no escapes
			}
			return map[string]any{"id": x.id, "subDomain": name, "fieldType": x.typ, "target": data, "ttl": x.ttl}
		}
		switch {
		case !ok:
			w.WriteHeader(http.StatusNotFound)
			reply(w, map[string]any{"message": "no such zone"})
		case rec == "refresh":
			reply(w, nil)
		case rec == "record" && r.Method == http.MethodGet:
			q := r.URL.Query()
			ids := []int{}
			for _, x := range f.rows {
				if !q.Has("fieldType") || q.Get("fieldType") == x.typ && relative(q.Get("subDomain")) == x.name {
					ids = append(ids, x.id)
				}
			}
			reply(w, ids)
		case rec == "record":
			b := body(r)
			reply(w, show(f.add(row{name: relative(str(b["subDomain"])), typ: str(b["fieldType"]), data: f.mangle(str(b["fieldType"]), str(b["target"])), ttl: num(b["ttl"])})))
		case r.Method == http.MethodGet:
			reply(w, show(f.rows[f.index(id)]))
		case r.Method == http.MethodDelete:
			i := f.index(id)
			f.rows = slices.Delete(f.rows, i, i+1)
			reply(w, nil)
		}
	})
}

type r53Set struct {
	Name    string `xml:"Name"`
	Type    string `xml:"Type"`
	TTL     int    `xml:"TTL"`
	Records struct {
		Record []struct {
			Value string `xml:"Value"`
		} `xml:"ResourceRecord"`
	} `xml:"ResourceRecords"`
}

func fakeRoute53(t *testing.T, f *fake) {
	s := serveAPI(t, f, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		if !strings.Contains(r.Header.Get("Authorization"), "Credential=AKIDEXAMPLE/") || f.token == "other" {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `<ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error></ErrorResponse>`)
			return
		}
		switch {
		case strings.HasSuffix(r.URL.Path, "/hostedzonesbyname"):
			zone := ""
			if r.URL.Query().Get("dnsname") == "example.org." {
				zone = `<HostedZone><Id>/hostedzone/Z1</Id><Name>example.org.</Name><CallerReference>x</CallerReference></HostedZone>`
			}
			_, _ = io.WriteString(w, `<ListHostedZonesByNameResponse><HostedZones>`+zone+`</HostedZones><IsTruncated>false</IsTruncated><MaxItems>1</MaxItems></ListHostedZonesByNameResponse>`)
		case r.Method == http.MethodGet:
			var b strings.Builder
			b.WriteString(`<ListResourceRecordSetsResponse><ResourceRecordSets>`)
			done := map[string]bool{}
			for _, x := range f.rows {
				if done[x.name+x.typ] {
					continue
				}
				done[x.name+x.typ] = true
				fmt.Fprintf(&b, `<ResourceRecordSet><Name>%s.</Name><Type>%s</Type><TTL>%d</TTL><ResourceRecords>`, whole(x.name), x.typ, x.ttl)
				for _, y := range f.rows {
					if y.name == x.name && y.typ == x.typ {
						b.WriteString(`<ResourceRecord><Value>`)
						_ = xml.EscapeText(&b, []byte(y.data))
						b.WriteString(`</Value></ResourceRecord>`)
					}
				}
				b.WriteString(`</ResourceRecords></ResourceRecordSet>`)
			}
			b.WriteString(`</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>1000</MaxItems></ListResourceRecordSetsResponse>`)
			_, _ = io.WriteString(w, b.String())
		default:
			var req struct {
				Changes []struct {
					Action string `xml:"Action"`
					Set    r53Set `xml:"ResourceRecordSet"`
				} `xml:"ChangeBatch>Changes>Change"`
			}
			_ = xml.NewDecoder(r.Body).Decode(&req)
			for _, c := range req.Changes {
				name := relative(strings.TrimSuffix(c.Set.Name, "."))
				f.rows = slices.DeleteFunc(f.rows, func(x row) bool { return x.name == name && x.typ == c.Set.Type })
				for _, v := range c.Set.Records.Record {
					if c.Action != "DELETE" {
						f.add(row{name: name, typ: c.Set.Type, data: f.mangle53(c.Set.Type, v.Value), ttl: c.Set.TTL})
					}
				}
			}
			_, _ = io.WriteString(w, `<ChangeResourceRecordSetsResponse><ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status><SubmittedAt>2026-11-23T12:00:00Z</SubmittedAt></ChangeInfo></ChangeResourceRecordSetsResponse>`)
		}
	})
	t.Setenv("AWS_ENDPOINT_URL_ROUTE_53", s.URL)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
}

// mangle53 cuts between the strings of a value, where the others cut anywhere.
func (f *fake) mangle53(typ, v string) string {
	if first, _, ok := strings.Cut(v, `" "`); f.cut && typ == "TXT" && ok {
		return first + `"`
	}
	return v
}
