package spf_test

import (
	"slices"
	"testing"

	"github.com/mailcheck-go/mailcheck/spf"
)

func TestEdits(t *testing.T) {
	const text = "v=SPF1  a   MX  include:X.example ~All  exp=e.example "
	r, err := spf.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	hand := spf.Record{Terms: []spf.Term{{Kind: spf.All, Qualifier: '-'}}}
	for id, c := range map[string]struct {
		got  func() (spf.Record, error)
		want string
	}{
		"remove":       {func() (spf.Record, error) { return r.Remove(1) }, "v=SPF1  a  include:X.example ~All  exp=e.example "},
		"remove first": {func() (spf.Record, error) { return r.Remove(0) }, "v=SPF1   MX  include:X.example ~All  exp=e.example "},
		"replace":      {func() (spf.Record, error) { return r.Replace(0, "a:x.example mx") }, "v=SPF1  a:x.example mx   MX  include:X.example ~All  exp=e.example "},
		"insert":       {func() (spf.Record, error) { return r.Insert("ip4:192.0.2.1") }, "v=SPF1  a   MX  include:X.example ip4:192.0.2.1 ~All  exp=e.example "},
		"set all":      {func() (spf.Record, error) { return r.SetAll('-') }, "v=SPF1  a   MX  include:X.example -All  exp=e.example "},
		"by hand":      {func() (spf.Record, error) { return hand.Insert("mx") }, "v=spf1 mx -all"},
	} {
		got, err := c.got()
		if err != nil || got.Text != c.want {
			t.Errorf("%s: %q, %v", id, got.Text, err)
		}
	}
	for text, want := range map[string]string{
		"v=spf1":                          "v=spf1 -all",
		"v=spf1 mx ":                      "v=spf1 mx -all ",
		"v=spf1 mx redirect=x.example":    "v=spf1 mx -all",
		"v=spf1 all -all":                 "v=spf1 -all -all",
		"v=spf1 redirect=x.example ?all ": "v=spf1 redirect=x.example -all ",
	} {
		r, _ := spf.Parse(text)
		if got, err := r.SetAll('-'); err != nil || got.Text != want {
			t.Errorf("%q: %q, %v", text, got.Text, err)
		}
	}
	for text, want := range map[string]string{
		"v=spf1 redirect=x.example": "v=spf1 mx redirect=x.example",
		"v=spf1 a ":                 "v=spf1 a mx ",
		"v=spf1":                    "v=spf1 mx",
	} {
		r, _ := spf.Parse(text)
		if got, err := r.Insert("mx"); err != nil || got.Text != want {
			t.Errorf("%q: %q, %v", text, got.Text, err)
		}
	}
	for text, want := range map[string]string{
		"v=spf1 a +A mx mx/32//128 -mx  ip4:192.0.2.1 ip4:192.0.2.1/32 include:x.example include:X.example. x=1 x=1 ~all -all": "v=spf1 a mx  ip4:192.0.2.1 include:x.example x=1 x=1 ~all",
		"v=spf1 exists:%{i}.x.example exists:%{I}.x.example":                                                                   "v=spf1 exists:%{i}.x.example exists:%{I}.x.example",
	} {
		r, _ := spf.Parse(text)
		if got, err := r.Dedupe(); err != nil || got.Text != want {
			t.Errorf("%q: %q, %v", text, got.Text, err)
		}
	}
	if _, err := r.Remove(9); err == nil {
		t.Error("removed a term that is not there")
	}
	if _, err := r.Replace(0, "foo"); err == nil {
		t.Error("put in a term that is none")
	}
}

func TestRepair(t *testing.T) {
	for text, want := range map[string]string{
		"v=spf1 ipv4:192.0.2.1  ip4: 192.0.2.2 include: x.example ~al": "v=spf1 ip4:192.0.2.1  ip4:192.0.2.2 include:x.example ~all",
		"v=spf1 a ip4: mx -all":                                            "v=spf1 a mx -all",
		"v=spf1 redirect=x.example redirect=X.example":                     "v=spf1 redirect=x.example",
		"v=spf1 mx -allother-verification=x":                               "v=spf1 mx -all",
		"v=spf1 include:x.example\u00a0\u2013all":                          "v=spf1 include:x.example -all",
		"v=spf1 a:x.example ip4:192.0.2.1,192.0.2.2 mxip4:192.0.2.3; -all": "v=spf1 a:x.example ip4:192.0.2.1 ip4:192.0.2.2 mx ip4:192.0.2.3 -all",
	} {
		r, err := spf.Parse(text)
		if err == nil {
			t.Errorf("%q is no error", text)
		}
		if got, err := r.Repair(); err != nil || got.Text != want {
			t.Errorf("%q: %q, %v", text, got.Text, err)
		}
	}
}

func TestLint(t *testing.T) {
	type o = spf.ObservationKind
	for text, want := range map[string][]o{
		"mx -all":                             nil,
		"mx redirect=x.example exp=y.example": nil,
		"mx":                                  {spf.NoEnd},
		"+all":                                {spf.PassAll},
		"?all":                                {spf.NeutralAll},
		"-all exp=x.example":                  nil,
		"-all mx a ~all":                      {spf.AfterAll, spf.AfterAll, spf.SecondAll},
		"redirect=x.example -all":             {spf.RedirectIgnored},
		"ptr:x.example exists:%{p}.x.example -all":    {spf.UsesPTR, spf.UsesPTR},
		"exists:%{l}._spf.%{d} -all":                  {spf.SenderMacro},
		"mx mx -all":                                  {spf.Duplicate},
		"ip4:8.8.8.0/24 ip4:8.8.8.8 -all":             {spf.Covered},
		"ip4:8.8.8.8 ip4:8.8.8.0/24 -all":             {spf.Covered},
		"-ip4:8.8.8.8 ip4:8.8.8.0/24 -all":            nil,
		"ip4:8.8.8.8/24 -all":                         {spf.HostBits},
		"ip4:10.1.2.3 ip6:fd00::/8 -all":              {spf.SpecialRange, spf.SpecialRange, spf.WideRange},
		"ip4:8.0.0.0/8 ip6:2a00::/12 -all":            {spf.WideRange, spf.WideRange},
		"a/24 -all":                                   {spf.Widened},
		"mx/8 -all":                                   {spf.Widened, spf.WideRange},
		"-include:x.example -all":                     {spf.NotPassInclude},
		"include:x.example. -all":                     {spf.TrailingDot},
		"include:u@x.example -all":                    {spf.OddTarget},
		"include:https://x.example -all":              {spf.OddTarget},
		"include:1.2.3.4.hosts.example -all":          {spf.OddTarget},
		"include:x..example -all":                     {spf.OddTarget},
		"include:x.example-all":                       {spf.OddTarget, spf.NoEnd},
		"moo=cow -all":                                {spf.UnknownModifier},
		"rp=postmaster rr=all -all":                   nil,
		"v=spf1 mx -all":                              {spf.LikelyMistake},
		"include=x.example ip4=192.0.2.1 mx=x.y -all": {spf.LikelyMistake, spf.LikelyMistake, spf.LikelyMistake},
		"redirct=x.example":                           {spf.LikelyMistake, spf.NoEnd},
		"site-verification=123 all-allMS=1 -all":      {spf.LikelyMistake, spf.LikelyMistake},
		"foo -all":                                    nil,
	} {
		r, _ := spf.Parse("v=spf1 " + text)
		var got []o
		for _, obs := range r.Lint() {
			got = append(got, obs.Kind)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

// RFC 7208, Section 4.5.
func TestSelect(t *testing.T) {
	s := spf.Select([]string{"hello", "v=spf1", "V=SPF1 -all", "v=DKIM1; p=", ""})
	if !slices.Equal(s.Records, []string{"v=spf1", "V=SPF1 -all"}) || s.Near != nil {
		t.Errorf("%+v", s)
	}
	for text, suggestion := range map[string]string{
		"v=spf1include:x.example~all":      "v=spf1 include:x.example ~all",
		"v=spf1amxip4:192.0.2.1-all":       "v=spf1 a mx ip4:192.0.2.1 -all",
		" v=spf1 -all":                     "v=spf1 -all",
		"v=spf1;a;-all":                    "v=spf1;a;-all",
		"v=spf1; a -all":                   "v=spf1 a -all",
		"\"v=spf1 -all\"":                  "v=spf1 -all",
		"\u201cv=spf1 -all":                "v=spf1 -all",
		"\ufeffv=spf1 -all":                "v=spf1 -all",
		"v=spf1\u00a0 include:x.test ~all": "v=spf1 include:x.test ~all",
		"v=spf1\ta -all":                   "v=spf1 a -all",
		"v=spf10 -all":                     "",
		"spf1 a -all":                      "v=spf1 a -all",
		"v = spf1 a -all":                  "",
		"v=spf a -all":                     "v=spf1 a -all",
		"spf2.0/mfrom,pra a -all":          "",
	} {
		s := spf.Select([]string{text})
		if len(s.Records) != 0 || len(s.Near) != 1 || s.Near[0].Reason == "" {
			t.Errorf("%q: %+v", text, s)
			continue
		}
		if got := s.Near[0].Suggestion; got != suggestion && text != "v=spf1;a;-all" {
			t.Errorf("%q: suggestion %q, want %q", text, got, suggestion)
		}
	}
}
