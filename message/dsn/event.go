package dsn

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// Events of delivery services come as JSON, over HTTP or in a mail. They say what a
// bounce says, and are read as far as that.

// sesEvent is a notification of Amazon SES, or the envelope of SNS around it.
type sesEvent struct {
	Message          string `json:"Message"`
	NotificationType string `json:"notificationType"`
	EventType        string `json:"eventType"`
	Bounce           struct {
		Type         string    `json:"bounceType"`
		ReportingMTA string    `json:"reportingMTA"`
		Recipients   []sesRcpt `json:"bouncedRecipients"`
	} `json:"bounce"`
	Delay struct {
		Recipients []sesRcpt `json:"delayedRecipients"`
	} `json:"deliveryDelay"`
	Complaint struct {
		Type       string    `json:"complaintFeedbackType"`
		Recipients []sesRcpt `json:"complainedRecipients"`
	} `json:"complaint"`
	Delivery struct {
		Recipients   []string  `json:"recipients"`
		Reply        string    `json:"smtpResponse"`
		ReportingMTA string    `json:"reportingMTA"`
		Time         time.Time `json:"timestamp"`
	} `json:"delivery"`
}

type sesRcpt struct {
	Address    string `json:"emailAddress"`
	Action     string `json:"action"`
	Status     string `json:"status"`
	Diagnostic string `json:"diagnosticCode"`
}

// gridEvent is an event of SendGrid, or an entry of its list of bounces.
type gridEvent struct {
	Event    string `json:"event"`
	Email    string `json:"email"`
	Reason   string `json:"reason"`
	Response string `json:"response"`
	Status   string `json:"status"`
}

// ReadEvent reads a bounce, delay, delivery or complaint that a delivery service
// tells as JSON: Amazon SES, alone or inside an SNS notification, and SendGrid.
// It reports false for anything else.
func ReadEvent(data []byte) (Report, bool) {
	if len(data) > maxStatus {
		data = data[:maxStatus]
	}
	data = bytes.TrimLeft(data, " \t\r\n\ufeff")
	if len(data) == 0 {
		return Report{}, false
	}
	dec := json.NewDecoder(bytes.NewReader(data)) // text may follow
	switch data[0] {
	case '{':
		var e sesEvent
		if dec.Decode(&e) != nil {
			return Report{}, false
		}
		if e.NotificationType == "" && e.EventType == "" && strings.HasPrefix(strings.TrimSpace(e.Message), "{") {
			inner := sesEvent{}
			if json.Unmarshal([]byte(e.Message), &inner) != nil {
				return Report{}, false
			}
			e = inner
		}
		return e.report()
	case '[':
		var list []gridEvent
		if dec.Decode(&list) != nil {
			return Report{}, false
		}
		return gridReport(list)
	}
	return Report{}, false
}

func (e sesEvent) report() (Report, bool) {
	r := Report{Form: FormEvent, System: "amazonses", Confidence: Likely}
	kind := e.NotificationType
	if kind == "" {
		kind = e.EventType
	}
	add := func(k Kind, list []sesRcpt) {
		for _, x := range list {
			r.event(k, x.Address, x.Status, x.Diagnostic)
		}
	}
	switch kind {
	case "Bounce":
		_, r.ReportingMTA = typed(e.Bounce.ReportingMTA)
		add(Failed, e.Bounce.Recipients)
	case "DeliveryDelay":
		add(Delayed, e.Delay.Recipients)
	case "Delivery":
		r.ReportingMTA = e.Delivery.ReportingMTA
		for _, a := range e.Delivery.Recipients {
			r.event(Delivered, a, "", e.Delivery.Reply)
		}
	case "Complaint":
		r.Kind = Feedback
		r.Feedback = &FeedbackFacts{Type: e.Complaint.Type}
		if len(e.Complaint.Recipients) > 0 {
			r.Feedback.Recipient = e.Complaint.Recipients[0].Address
		}
		return r, true
	default:
		return Report{}, false
	}
	r.settle()
	return r, r.Kind != None
}

func gridReport(list []gridEvent) (Report, bool) {
	r := Report{Form: FormEvent, System: "sendgrid", Confidence: Likely}
	for _, e := range list {
		text := e.Reason
		if text == "" {
			text = e.Response
		}
		switch strings.ToLower(e.Event) {
		case "bounce", "blocked", "dropped":
			r.event(Failed, e.Email, e.Status, text)
		case "deferred":
			r.event(Delayed, e.Email, e.Status, text)
		case "delivered":
			r.event(Delivered, e.Email, e.Status, text)
		case "spamreport":
			r.Kind = Feedback
			r.Feedback = &FeedbackFacts{Type: "abuse", Recipient: e.Email}
		case "":
			// The list of bounces has no event, and a reason.
			if e.Reason != "" && e.Email != "" {
				r.event(Failed, e.Email, e.Status, text)
			}
		}
	}
	if r.Kind != Feedback {
		r.settle()
	}
	return r, r.Kind != None
}

func (r *Report) event(k Kind, to, status, text string) {
	if len(r.Recipients) >= MaxRecipients {
		r.note(TooMany)
		return
	}
	x := Recipient{Kind: k, Confidence: Likely, Final: Address{Type: "rfc822", Address: cutAt(strings.Trim(to, "<> "), 512)}}
	_, x.Status = findEnhanced(status, 0)
	x.DiagType, x.Diagnostic = typed(cutAt(text, maxDiagnostic))
	if x.DiagType != "smtp" {
		x.DiagType, x.Diagnostic = "", cutAt(text, maxDiagnostic)
	}
	x.Reply, _ = ParseReply(x.Diagnostic)
	if x.Status == "" {
		x.Status = x.Reply.Enhanced
	}
	r.Recipients = append(r.Recipients, x)
}
