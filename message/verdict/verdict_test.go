package verdict

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/message"
)

const received = "Received: from mail.example.org (mail.example.org [192.0.2.1]) by mx.example.net with ESMTPS; Thu, 1 Feb 2024 10:00:00 +0000\n"

func read(s string) Report {
	h := message.ParseHeader([]byte(s), message.Options{})
	return Read(&h, Options{})
}

// TestPlacement: the fields of each provider, written by hand.
func TestPlacement(t *testing.T) {
	tests := []struct {
		name, header string
		want         Placement
		source, void string
	}{
		{"Outlook inbox", "X-Microsoft-Antispam-Mailbox-Delivery: ucf:0;jmr:0;auth:0;dest:I;ENG:(910001);\n", Inbox, "X-Microsoft-Antispam-Mailbox-Delivery", ""},
		{"Outlook junk", "X-Microsoft-Antispam-Mailbox-Delivery: ucf:0;jmr:1;dest:J;\n", Spam, "X-Microsoft-Antispam-Mailbox-Delivery", ""},
		{"the mailbox before the filter", "X-Forefront-Antispam-Report: SCL:9;SFV:SPM;\nX-Microsoft-Antispam-Mailbox-Delivery: dest:I;\n", Inbox, "X-Microsoft-Antispam-Mailbox-Delivery", ""},
		{"SCL 1", "X-Forefront-Antispam-Report: CIP:192.0.2.1;CTRY:DE;LANG:en;SCL:1;SRV:;IPV:NLI;SFV:NSPM;H:mail.example.org;PTR:mail.example.org;CAT:NONE;SFS:(13230031);DIR:INB;\n", Inbox, "X-Forefront-Antispam-Report", ""},
		{"SCL 5", "X-Forefront-Antispam-Report: SCL:5;SFV:SPM;CAT:SPM;\n", Spam, "X-Forefront-Antispam-Report", ""},
		{"phishing", "X-Forefront-Antispam-Report: SCL:8;SFV:SPM;CAT:HPHISH;\n", Phish, "X-Forefront-Antispam-Report", ""},
		{"malware", "X-Forefront-Antispam-Report: SCL:9;CAT:MALW;\n", Blocked, "X-Forefront-Antispam-Report", ""},
		{"blocked sender", "X-Forefront-Antispam-Report: SCL:6;SFV:BLK;\n", Spam, "X-Forefront-Antispam-Report", ""},
		{"SCL -1 is void", "X-Forefront-Antispam-Report: SCL:-1;SFV:SKN;CAT:NONE;\nX-Microsoft-Antispam-Mailbox-Delivery: dest:I;\n", Inbox, "X-Microsoft-Antispam-Mailbox-Delivery", "SCL -1"},
		{"safe sender is void", "X-Forefront-Antispam-Report: SCL:1;SFV:SFE;\n", Inbox, "X-Forefront-Antispam-Report", "SFV SFE"},
		{"allow list is void", "X-Forefront-Antispam-Report: SCL:1;SFV:NSPM;IPV:CAL;\n", Inbox, "X-Forefront-Antispam-Report", "IPV CAL"},
		{"SCL of the organisation", "X-Forefront-Antispam-Report: SCL:1;SFV:NSPM;\nX-MS-Exchange-Organization-SCL: 6\n", Spam, "X-Forefront-Antispam-Report", ""},
		{"iCloud", "X-Apple-MoveToFolder: INBOX\nX-Apple-Action: MOVE_TO_FOLDER/INBOX\nX-ICL-SCORE: 3.1\n", Inbox, "X-Apple-MoveToFolder", ""},
		{"iCloud junk", "X-Apple-Action: MOVE_TO_FOLDER/Junk\n", Spam, "X-Apple-MoveToFolder", ""},
		{"Fastmail", "X-ME-VSCategory: clean\nX-Spam-score: 1.2\nX-Spam-hits: BAYES_00 -1.9, HTML_MESSAGE 0.001\n", Inbox, "X-Spam-score", ""},
		{"Fastmail spam", "X-ME-VSCategory: spam\nX-Spam-score: 7\n", Spam, "X-Spam-score", ""},
		{"Fastmail, known sender", "X-Spam-known-sender: yes (in contacts)\nX-Spam-score: 0.0\n", Inbox, "X-Spam-score", "X-Spam-known-sender yes"},
		{"Proton", "X-Pm-Spam-Action: inbox\nX-Pm-Spamscore: 0\n", Inbox, "X-Pm-Spam-Action", ""},
		{"Proton phishing", "X-Pm-Spam-Action: phishing\n", Phish, "X-Pm-Spam-Action", ""},
		{"rspamd", "X-Spamd-Result: default: False [1.50 / 15.00];\n\tR_SPF_ALLOW(-0.20)[+ip4:192.0.2.1];\n\tARC_NA(0.00)[]\n", Inbox, "X-Spamd-Result", ""},
		{"rspamd spam", "X-Spamd-Result: default: True [16.50 / 15.00];\n\tGTUBE(15.00)[a;b]\nX-Spam: Yes\n", Spam, "X-Spamd-Result", ""},
		{"rspamd, header alone", "X-Spam: Yes\n", Spam, "X-Spamd-Result", ""},
		{"SpamAssassin", "X-Spam-Status: No, score=-1.9 required=5.0 tests=BAYES_00,DKIM_SIGNED,\n\tDKIM_VALID autolearn=ham version=4.0.1\n", Inbox, "X-Spam-Status", ""},
		{"SpamAssassin spam", "X-Spam-Flag: YES\nX-Spam-Level: ******\n", Spam, "X-Spam-Status", ""},
		{"SpamAssassin, allowed", "X-Spam-Status: No, score=-90 required=5.0 tests=USER_IN_WELCOMELIST version=4.0.1\n", Inbox, "X-Spam-Status", "USER_IN_WELCOMELIST"},
		{"Gmail writes nothing", received + "Subject: x\n", Unknown, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := read(tt.header)
			if r.Placement != tt.want || r.Source != tt.source || r.VoidWhy != tt.void || r.Void != (tt.void != "") {
				t.Errorf("%q by %q, void %q", r.Placement, r.Source, r.VoidWhy)
			}
			if _, err := json.Marshal(r); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestMicrosoft(t *testing.T) {
	m := read("Authentication-Results: spf=fail (x; compauth=pass reason=100) smtp.mailfrom=example.org; compauth=fail reason=001\n" +
		"X-Forefront-Antispam-Report: CIP:192.0.2.1;CTRY:DE;SCL:5;SRV:BULK;IPV:NLI;SFV:SPM;H:a.example;PTR:b.example;CAT:BULK;SFTY:9.25;\n" +
		"X-Microsoft-Antispam: BCL:7;ARA:1|2;\n").Microsoft
	if m == nil || m.ClientIP != "192.0.2.1" || m.Helo != "a.example" || m.PTR != "b.example" || m.Country != "DE" || m.Source != "BULK" ||
		m.Safety != "9.25" || m.BCL != (Number{7, true}) || m.SCL != (Number{5, true}) || m.Category != "BULK" || m.SFV != "SPM" {
		t.Errorf("%+v", m)
	}
	// A comment holds the words of the sender.
	if m.CompAuth != "fail" || m.CompAuthReason != "001" {
		t.Errorf("compauth %q %q", m.CompAuth, m.CompAuthReason)
	}
}

func TestCompAuthMeaning(t *testing.T) {
	for code, word := range map[string]string{"000": "explicit", "001": "implicit", "010": "own organisation", "130": "ARC", "109": "passed", "701": "passed", "201": "softly", "310": "not checked", "451": "bypassed", "905": "bypassed", "601": "own organisation"} {
		if got := CompAuthMeaning(code); !strings.Contains(got, word) {
			t.Errorf("%s: %q", code, got)
		}
	}
	for _, code := range []string{"", "1", "12345", "5xx"} {
		if got := CompAuthMeaning(code); got != "" {
			t.Errorf("%s: %q", code, got)
		}
	}
}

func TestTests(t *testing.T) {
	r := read("X-Spamd-Result: default: False [1.50 / 15.00];\n\tA(-0.20)[x;y,z];\n\tB(0.00)[];C\n").Rspamd
	if got := fmt.Sprint(r.Score, r.Threshold, r.Tests); got != "{1.5 true} {15 true} [{A -0.2 true x;y,z} {B 0 true } {C 0 false }]" {
		t.Error(got)
	}
	s := read("X-Spam-Status: Yes, hits=6.1 required=5.0 tests=[AWL=-0.5,\n\tBAYES_99=6.6] autolearn=no version=3\n").SpamAssassin
	if got := fmt.Sprint(s.Score, s.Required, s.Tests, " ", s.AutoLearn); got != "{6.1 true} {5 true} [{AWL -0.5 true } {BAYES_99 6.6 true }] no" {
		t.Error(got)
	}
}

func TestAbove(t *testing.T) {
	r := read("X-Spam: Yes\n" + received + "X-Spam-Status: No, score=0\n")
	var got []string
	for _, f := range r.Fields {
		got = append(got, fmt.Sprintf("%s %v", f.Name, f.Above))
	}
	if s := strings.Join(got, ", "); s != "X-Spam true, X-Spam-Status false" {
		t.Error(s)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("X-Spamd-Result: default: False [1 / 2]; A(1)[b;c]; D")
	f.Add("X-Forefront-Antispam-Report: SCL:-1;SFV:SKN;:;CIP")
	f.Add("X-Spam-Status: Yes, score=1 tests=[A=1, B]")
	f.Add("X-Spam-score: 1e999\nX-ME-VSCategory: x\nX-Spam-hits: A 1, B")
	f.Fuzz(func(t *testing.T, s string) {
		r := read(s)
		if _, err := json.Marshal(r); err != nil {
			t.Fatal(err)
		}
	})
}
