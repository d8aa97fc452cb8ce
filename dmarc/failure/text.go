package failure

import (
	"strings"
)

// readText reads the reports of systems that send a text for people alone, with
// lines such as "Sender IP Address: 192.0.2.1", and behind them the header of the
// message. It reports whether source and domain were found.
func (r *Report) readText(text string) (original []byte, ok bool) {
	rest := text
	for n := 0; rest != "" && n < 500; n++ {
		var l string
		l, rest, _ = strings.Cut(rest, "\n")
		l = strings.TrimSpace(l)
		if strings.HasPrefix(l, "---") && strings.Contains(l, "header") {
			original = []byte(rest)
			text = text[:len(text)-len(rest)]
			break
		}
		key, value, found := strings.Cut(l, ":")
		if value = strings.TrimSpace(value); !found || value == "" {
			continue
		}
		r.textLine(strings.ToLower(strings.TrimSpace(key)), value)
	}
	r.Text = shorten(strings.TrimSpace(text), maxTextKept)
	return original, r.SourceIP.IsValid() && len(r.ReportedDomain) > 0
}

func (r *Report) textLine(key, value string) {
	switch key {
	case "sender domain", "domain", "reported domain":
		if len(r.ReportedDomain) == 0 {
			r.ReportedDomain = append(r.ReportedDomain, domain(value))
		}
	case "sender ip address", "ip address", "source ip", "sender ip":
		if !r.SourceIP.IsValid() {
			r.source(value)
		}
	case "received date", "arrival date", "date":
		if r.ArrivalDate.IsZero() {
			r.ArrivalDate = r.date("Arrival-Date", value)
		}
	case "spf alignment", "dkim alignment":
		if strings.EqualFold(value, "no") {
			name, _, _ := strings.Cut(key, " ")
			r.IdentityAlignment = append(r.IdentityAlignment, Word{name, name})
		}
	case "dmarc results":
		// "None, Accept": the policy and what was done.
		r.FeedbackType = Word{"auth-failure", "auth-failure"}
		r.AuthFailure = []Word{{"dmarc", "dmarc"}}
		if policy, action, ok := strings.Cut(value, ","); ok {
			r.Other = append(r.Other, Field{"Policy", strings.TrimSpace(policy)})
			action = strings.ToLower(strings.TrimSpace(action))
			r.DeliveryResult = Word{map[string]string{
				"accept": "delivered", "reject": "reject", "quarantine": "spam",
			}[action], action}
		}
	}
}
