package verdict

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/message/authres"
)

func parseResults(v string) (authres.Results, error) { return authres.Parse(v) }

// ICloud is what Apple's mail service writes.
type ICloud struct {
	MoveTo    string    `json:"move_to,omitempty"` // X-Apple-MoveToFolder
	Action    string    `json:"action,omitempty"`  // X-Apple-Action
	Score     string    `json:"score,omitempty"`   // X-ICL-SCORE; its meaning is not published
	DMARCInfo string    `json:"dmarc_info,omitempty"`
	Placement Placement `json:"placement,omitempty"`
}

func (r *reader) icloud() {
	a, any := &ICloud{}, false
	for name, to := range map[string]*string{
		"X-Apple-MoveToFolder": &a.MoveTo, "X-Apple-Action": &a.Action, "X-ICL-SCORE": &a.Score, "X-DMARC-Info": &a.DMARCInfo,
	} {
		if v, ok := r.get(name); ok {
			*to, any = v, true
		}
	}
	if !any {
		return
	}
	a.Placement = folder(a.MoveTo)
	if _, to, ok := strings.Cut(a.Action, "/"); ok && a.Placement == Unknown {
		a.Placement = folder(to)
	}
	r.out.ICloud = a
}

// Fastmail is what Fastmail writes.
type Fastmail struct {
	Score    Number `json:"score"` // X-Spam-score; 5 and more goes to the spam folder unless the user set another number
	Hits     []Test `json:"hits,omitempty"`
	Source   string `json:"source,omitempty"`   // X-Spam-source
	Category string `json:"category,omitempty"` // X-ME-VSCategory
	VSScore  Number `json:"vs_score"`           // X-ME-VSScore
	KnownBy  string `json:"known_by,omitempty"` // X-Spam-known-sender
}

func (r *reader) fastmail() {
	// The names of SpamAssassin's fields differ by case only, so a field of
	// Fastmail alone has to be there.
	f, any := &Fastmail{}, false
	for _, x := range r.h.Fields {
		name := strings.ToLower(x.Name)
		any = any || strings.HasPrefix(name, "x-me-") || name == "x-spam-known-sender" || name == "x-spam-sender-reputation"
	}
	if !any {
		return
	}
	if v, ok := r.get("X-Spam-score"); ok {
		f.Score = number(v)
	}
	if v, ok := r.get("X-Spam-hits"); ok {
		f.Hits = tests(v)
	}
	f.Source, _ = r.get("X-Spam-source")
	f.Category, _ = r.get("X-ME-VSCategory")
	f.KnownBy, _ = r.get("X-Spam-known-sender")
	if v, ok := r.get("X-ME-VSScore"); ok {
		f.VSScore = number(v)
	}
	r.out.Fastmail = f
	if strings.HasPrefix(strings.ToLower(f.KnownBy), "yes") {
		r.void("X-Spam-known-sender yes")
	}
}

func (f *Fastmail) placement() Placement {
	const limit = 5
	switch {
	case !f.Score.Known:
		return Unknown
	case f.Score.Value >= limit:
		return Spam
	}
	return Inbox
}

// Proton is what Proton Mail writes.
type Proton struct {
	Action     string    `json:"action,omitempty"` // X-Pm-Spam-Action: inbox, spam, phishing
	Score      Number    `json:"score"`
	Encryption string    `json:"encryption,omitempty"` // X-Pm-Transfer-Encryption
	Origin     string    `json:"origin,omitempty"`
	Spam       string    `json:"spam,omitempty"` // X-Pm-Spam, opaque
	Placement  Placement `json:"placement,omitempty"`
}

func (r *reader) proton() {
	p, any := &Proton{}, false
	for name, to := range map[string]*string{
		"X-Pm-Spam-Action": &p.Action, "X-Pm-Transfer-Encryption": &p.Encryption, "X-Pm-Origin": &p.Origin, "X-Pm-Spam": &p.Spam,
	} {
		if v, ok := r.get(name); ok {
			*to, any = v, true
		}
	}
	if v, ok := r.get("X-Pm-Spamscore"); ok {
		p.Score, any = number(v), true
	}
	if !any {
		return
	}
	switch strings.ToLower(p.Action) {
	case "inbox":
		p.Placement = Inbox
	case "spam":
		p.Placement = Spam
	case "phishing":
		p.Placement = Phish
	}
	r.out.Proton = p
}

// Yahoo is what Yahoo and AOL write.
type Yahoo struct {
	FilteredBulk string `json:"filtered_bulk,omitempty"` // X-YahooFilteredBulk: the address it came from; weak evidence
	ApparentlyTo string `json:"apparently_to,omitempty"` // with the time of arrival
	Folder       string `json:"folder,omitempty"`        // X-YMail-Folder
}

func (r *reader) yahoo() {
	y, any := &Yahoo{}, false
	for name, to := range map[string]*string{
		"X-YahooFilteredBulk": &y.FilteredBulk, "X-Apparently-To": &y.ApparentlyTo, "X-YMail-Folder": &y.Folder,
	} {
		if v, ok := r.get(name); ok {
			*to, any = v, true
		}
	}
	if any {
		r.out.Yahoo = y
	}
}

// Rspamd is what rspamd writes.
type Rspamd struct {
	Score     Number `json:"score"`
	Threshold Number `json:"threshold"` // of the action that the header tells, usually "reject"
	Default   string `json:"result,omitempty"`
	Action    string `json:"action,omitempty"` // X-Rspamd-Action or X-Spam-Action
	Tests     []Test `json:"tests,omitempty"`
	Server    string `json:"server,omitempty"`
	Spam      bool   `json:"spam"` // X-Spam: Yes, or X-Spamd-Bar long enough
	SpamKnown bool   `json:"spam_known"`
}

func (r *reader) rspamd() {
	s, any := &Rspamd{}, false
	if v, ok := r.get("X-Spamd-Result"); ok {
		any = true
		s.result(v)
	}
	for _, name := range []string{"X-Rspamd-Action", "X-Spam-Action"} {
		if v, ok := r.get(name); ok {
			s.Action, any = strings.ToLower(v), true
		}
	}
	for name, to := range map[string]*string{"X-Rspamd-Server": &s.Server} {
		if v, ok := r.get(name); ok {
			*to, any = v, true
		}
	}
	if v, ok := r.get("X-Rspamd-Score"); ok && !s.Score.Known {
		s.Score, any = number(v), true
	}
	if v, ok := r.get("X-Spam"); ok {
		any, s.SpamKnown = true, true
		s.Spam = strings.EqualFold(strings.TrimSpace(v), "yes")
	}
	if any {
		r.out.Rspamd = s
	}
}

// result reads "default: False [score / threshold]; RULE(score)[args]; …".
func (s *Rspamd) result(v string) {
	head, rest, _ := strings.Cut(v, ";")
	if name, flag, ok := strings.Cut(head, ":"); ok {
		s.Default = strings.TrimSpace(name)
		flag = strings.ToLower(strings.TrimSpace(flag))
		if strings.HasPrefix(flag, "true") || strings.HasPrefix(flag, "false") {
			s.SpamKnown, s.Spam = true, strings.HasPrefix(flag, "true")
		}
	}
	if i := strings.IndexByte(head, '['); i >= 0 {
		score, limit, _ := strings.Cut(strings.Trim(head[i:], "[] "), "/")
		s.Score, s.Threshold = number(score), number(limit)
	}
	s.Tests = symbols(rest)
}

// symbols reads "RULE(1.00)[a,b;c]": a semicolon inside brackets separates nothing.
func symbols(v string) []Test {
	var out []Test
	for v != "" && len(out) < MaxTests {
		end, depth := len(v), 0
		for i := 0; i < len(v); i++ {
			switch v[i] {
			case '[', '(':
				depth++
			case ']', ')':
				depth--
			}
			if v[i] == ';' && depth <= 0 {
				end = i
				break
			}
		}
		item := strings.TrimSpace(v[:end])
		v = v[min(end+1, len(v)):]
		if item == "" {
			continue
		}
		t := Test{Name: item}
		if i := strings.IndexAny(item, "([ "); i >= 0 {
			t.Name = item[:i]
			rest := item[i:]
			if strings.HasPrefix(rest, "(") {
				n, after, _ := strings.Cut(rest[1:], ")")
				x := number(n)
				t.Score, t.Known = x.Value, x.Known
				rest = after
			}
			t.Args = strings.Trim(strings.TrimSpace(rest), "[]")
		}
		if t.Name != "" {
			out = append(out, t)
		}
	}
	return out
}

func (s *Rspamd) placement() Placement {
	switch {
	case s.SpamKnown && s.Spam, s.Action == "add header", s.Action == "rewrite subject", s.Action == "reject":
		return Spam
	case s.SpamKnown, s.Action == "no action":
		return Inbox
	}
	return Unknown
}

// SpamAssassin is what SpamAssassin writes, and those who write like it.
type SpamAssassin struct {
	Spam      bool      `json:"spam"`
	SpamKnown bool      `json:"spam_known"`
	Score     Number    `json:"score"`
	Required  Number    `json:"required"`
	Tests     []Test    `json:"tests,omitempty"`
	Version   string    `json:"version,omitempty"`
	AutoLearn string    `json:"autolearn,omitempty"`
	Level     int       `json:"level,omitempty"` // stars of X-Spam-Level
	Checker   string    `json:"checker,omitempty"`
	Report    string    `json:"report,omitempty"` // X-Spam-Report, with its scores
	Placement Placement `json:"placement,omitempty"`
}

func (r *reader) spamAssassin() {
	if r.out.Fastmail != nil {
		return // the same names of fields, for its own
	}
	s, any := &SpamAssassin{}, false
	if v, ok := r.get("X-Spam-Status"); ok {
		any = true
		s.status(v)
	}
	if v, ok := r.get("X-Spam-Flag"); ok {
		any = true
		if !s.SpamKnown {
			s.SpamKnown, s.Spam = true, strings.EqualFold(strings.TrimSpace(v), "yes")
		}
	}
	if v, ok := r.get("X-Spam-Score"); ok {
		any = true
		if !s.Score.Known {
			s.Score = number(v)
		}
	}
	if v, ok := r.get("X-Spam-Level"); ok {
		any = true
		s.Level = strings.Count(v, "*")
	}
	if v, ok := r.get("X-Spam-Report"); ok {
		s.Report = v
		any = true
	}
	s.Checker, _ = r.get("X-Spam-Checker-Version")
	if !any {
		return
	}
	if s.SpamKnown {
		s.Placement = Inbox
		if s.Spam {
			s.Placement = Spam
		}
	}
	for _, t := range s.Tests {
		switch t.Name {
		case "USER_IN_WELCOMELIST", "USER_IN_WHITELIST", "USER_IN_WHITELIST_TO", "USER_IN_WELCOMELIST_TO", "USER_IN_ALL_SPAM_TO":
			r.void(t.Name)
		}
	}
	r.out.SpamAssassin = s
}

// status reads "No, score=1.2 required=5.0 tests=A,B=1.0 autolearn=ham version=4.0".
func (s *SpamAssassin) status(v string) {
	first, rest, _ := strings.Cut(v, ",")
	switch strings.ToLower(strings.TrimSpace(first)) {
	case "yes":
		s.SpamKnown, s.Spam = true, true
	case "no":
		s.SpamKnown = true
	}
	// Folding may stand inside the list of tests, behind a comma.
	rest = strings.Join(strings.Fields(rest), " ")
	rest = strings.ReplaceAll(rest, ", ", ",")
	for _, w := range strings.Fields(rest) {
		key, val, ok := strings.Cut(w, "=")
		if !ok {
			continue
		}
		switch strings.ToLower(key) {
		case "score", "hits":
			s.Score = number(val)
		case "required":
			s.Required = number(val)
		case "tests":
			s.Tests = tests(strings.Trim(val, "[]"))
		case "autolearn":
			s.AutoLearn = val
		case "version":
			s.Version = val
		}
	}
}

// tests reads "A, B=1.0, C 0.5".
func tests(v string) []Test {
	var out []Test
	for _, item := range strings.Split(v, ",") {
		item = strings.Trim(item, " \t[]")
		if item == "" || strings.EqualFold(item, "none") {
			continue
		}
		if len(out) == MaxTests {
			break
		}
		t := Test{Name: item}
		if i := strings.IndexAny(item, "= "); i > 0 {
			n := number(item[i+1:])
			t.Name, t.Score, t.Known = item[:i], n.Value, n.Known
		}
		out = append(out, t)
	}
	return out
}
