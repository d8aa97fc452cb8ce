package dsn

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/message"
)

// The words by which texts are told apart. Those of delay and success stand before
// the weak ones of failure, as a report of a delay says "could not be delivered"
// too, and one of a success may say that errors are reported separately.
var (
	finalWords = []string{
		"permanent error", "failed permanently", "permanent fatal error", "permanently failed", "given up", "giving up", "gave up",
		"permanent failure", "retry timeout exceeded", "retry time not reached for any host after a long failure period",
		"will not be retried", "no further attempts", "has failed", "this is a permanent", "couldn't be delivered", "fatal errors",
		"returned to sender", "returning message to sender", "was rejected and discarded", "permanently rejected",
		"message expired", "maximum delivery time", "delivery time expired", "could not be delivered for", "not delivered after",
		"delivery has failed", "is being returned", "has been returned", "returned undelivered", "returned to you", "not been delivered. the", "i've given up",
		"has not been delivered to the following", "will not be delivered", "be attempted no more", "unable to be delivered", "max_queue_time",
	}
	delayWords = []string{
		"has been delayed", "is delayed", "was delayed", "delivery delayed", "delayed delivery", "delivery is delayed", "delivery delay",
		"not yet been delivered", "not been delivered yet", "has not yet been", "still being", "will continue to", "will keep trying", "still trying",
		"continue trying", "will be retried", "will retry", "will try again", "further attempts will be made", "attempts will continue",
		"this is a warning message only", "this is a warning", "do not need to resend", "you do not need to resend", "not need to resend",
		"delivery temporarily suspended", "temporary problem delivering", "delivery incomplete", "will be tried again", "transient non-fatal",
		"could not be delivered yet", "temporarily deferred", "has been deferred", "not been able to deliver your message yet",
		"keep attempting", "continue to attempt", "delivery to the following recipients has been delayed",
	}
	successWords = []string{
		"successfully delivered", "was successfully delivered", "has been delivered", "was delivered to", "been successfully", "successful delivery",
		"delivered to the following", "have been delivered", "message was relayed", "has been relayed", "successfully relayed", "relayed to",
		"delivery was successful", "your message was delivered", "successful mail delivery report", "relayed to non-dsn",
	}
	failWords = []string{
		"could not be delivered", "cannot be delivered", "can not be delivered", "can't be delivered", "was not delivered", "not been delivered", "not delivered",
		"undeliverable", "undelivered", "non-delivery", "nondelivery", "delivery failed", "delivery failure", "failed delivery", "failed to deliver",
		"unable to deliver", "not able to deliver", "wasn't able to deliver", "was unable to deliver", "could not deliver", "couldn't deliver",
		"did not reach", "didn't reach", "was rejected", "been rejected", "rejected by", "has been rejected", "were rejected", "user unknown", "unknown user", "no such user",
		"mailbox full", "quota exceeded", "over quota", "mailbox is full", "does not exist", "doesn't exist", "not found", "delivery error",
		"error delivering", "delivering your mail", "mail failure", "returned mail", "unrouteable", "bounced", "unable to relay", "failure notice", "failure:", "processing error",
		"encountered an error", "account has been disabled", "no longer valid", "is not valid", "address is wrong", "invalid recipient", "address rejected",
		"message blocked", "was blocked", "is blocked", "access denied", "relaying denied", "not accepted", "refused", "undeliver",
		"delivery to the following", "delivery notification: delivery has failed", "returned because", "unknown recipient", "recipient name is not recognized",
		"mailbox unavailable", "action not taken", "invalid user", "no such user here", "error has occurred while attempting to deliver", "not a valid user",
		"did not exactly match", "exceeds allowed", "message exceeds", "exceeded the", "account is disabled", "delivery problem", "delivery errors",
		"not deliver", "fehlgeschlagen", "unzustellbar", "nicht zugestellt", "no se pudo entregar", "n'a pas pu", "non remis", "nicht erreicht",
		"не доставлено", "не может быть доставлено", "не удалось доставить", "doručen", "nie moż", "配信できません", "送信できません", "届きません", "配信されません", "エラー",
		"couldn't be", "non consegn", "impossibile recapitare", "não foi possível", "kunde inte levereras", "kunne ikke",
	}
)

// kindOf tells what a text is about, by its words: in lower case, with single
// spaces. strong says that the words are not those of every mail.
func kindOf(lower string) (Kind, bool) {
	hit := func(list []string) bool {
		for _, w := range list {
			if strings.Contains(lower, w) {
				return true
			}
		}
		return false
	}
	final, late, success, fail := hit(finalWords), hit(delayWords), hit(successWords), hit(failWords)
	switch {
	case final && !late:
		if success && !fail && !final {
			return Delivered, false
		}
		return Failed, true
	case late && !final:
		return Delayed, true
	case late && final:
		// "has been delayed … gave up": both were said. The last state is what a
		// final word tells, unless it announces what will be ("will be returned").
		if strings.Contains(lower, "warning") || strings.Contains(lower, "will retry") || strings.Contains(lower, "will continue") || strings.Contains(lower, "will keep") {
			return Delayed, true
		}
		return Failed, true
	case success && !fail:
		return Delivered, true
	case fail:
		return Failed, false
	}
	return None, false
}

// subjects of reports.
var (
	failSubjects = []string{
		"failure notice", "undeliverable", "undelivered", "returned mail", "mail delivery failed", "delivery status notification (failure)",
		"delivery failure", "delivery failed", "mail delivery failure", "could not be delivered", "not delivered", "delivery notification: delivery has failed",
		"nondeliverable", "non-delivery", "non delivery", "mail system error", "undeliver", "delivery error", "mail failure", "unzustellbar", "bounce notification",
		"returned to sender", "message rejected", "mail could not be delivered", "delivery report (failure)", "failed mail", "failure delivery", "error mail", "rejected:",
		"not deliver", "failed delivery", "deliver error", "delivery problem", "permanent delivery failure", "unable to deliver", "nicht zustellbar", "fehlgeschlagen", "エラー",
		"mail error", "delivery has failed", "undelivery", "processing error", "mail not delivered", "nondelivery", "wurde nicht", "returned message", "no entregado", "message not delivered",
		"unknown user", "user unknown", "mailbox full", "message was not delivered", "mdaemon notification", "failed mail", "status notification: error", "error during delivery", "not been delivered", "was unable to deliver", "email bounce",
	}
	delaySubjects = []string{
		"delivery status notification (delay)", "delayed", "delay)", "warning: could not send", "warning: message", "delivery delay", "temporarily", "still trying", "not yet delivered", "delivery incomplete", "status notification: warning",
		"could not send message for past", "warning - delayed", "verzögert",
	}
	successSubjects = []string{
		"successful mail delivery report", "delivery status notification (success)", "delivery status notification (relay)", "return receipt", "delivery report (success)", "relayed:", "delivered:", "successfully delivered", "delivery notification: your message", "zugestellt:",
	}
	generalSubjects = []string{
		"delivery status notification", "delivery report", "mail delivery", "delivery notification", "mail status", "mail system", "postmaster", "dsn:", "status report", "transcript",
	}
	autoSubjects = []string{
		"out of office", "out of the office", "automatic reply", "auto reply", "auto-reply", "autoreply", "auto response", "auto-response", "autoresponse", "autoresponder",
		"automatische antwort", "abwesenheit", "vacation", "on holiday", "on leave", "away from", "réponse automatique", "absence du bureau", "respuesta automática", "fuera de la oficina",
		"risposta automatica", "自動返信", "自動応答", "автоответ", "ooo:", "auto:", "i am away", "not in the office", "resposta automática", "automatisch antwoord", "automatiskt svar",
	}
)

func contains(s string, list []string) bool {
	for _, w := range list {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// signs is what speaks for a mail being a report of a mail system.
type signs struct {
	score   int
	kind    Kind // by the subject
	auto    bool // an answer of a program
	daemon  bool
	null    bool // the null reverse-path
	nobody  bool // no author
	report  bool // multipart/report
	failed  bool // a field names failed recipients
	words   []string
	subject string
}

// system reports whether a sign is one that people's programs do not make.
func (s *signs) system() bool {
	return s.null || s.daemon || s.nobody || s.failed || s.report
}

func (s *signs) add(n int, word string) {
	s.score += n
	s.words = append(s.words, word)
}

func findSigns(m *message.Message, t texts) signs {
	s := signs{}
	h := &m.Header
	get := func(name string) string {
		v, _ := h.Get(name)
		return v
	}
	s.subject = strings.ToLower(strings.Join(strings.Fields(message.DecodeWords(get("Subject"))), " "))
	if v, ok := h.Get("Return-Path"); ok && strings.HasPrefix(strings.TrimSpace(v), "<>") {
		s.null = true
		s.add(2, "null-return-path")
	} else if ok && strings.Contains(strings.ToUpper(v), "MAILER-DAEMON") {
		s.daemon = true
		s.add(2, "daemon-return-path")
	}
	if strings.Contains(t.lower, "**** message from interscan") {
		s.daemon = true
		s.add(1, "banner")
	}
	s.from(get("From"))
	if v, ok := h.Get("X-Failed-Recipients"); ok && strings.Contains(v, "@") {
		s.failed = true
		s.add(4, "x-failed-recipients")
	}
	if m.Root.Type == "multipart/report" {
		s.report = true
		s.add(3, "multipart-report")
	}
	auto := strings.ToLower(get("Auto-Submitted"))
	if strings.HasPrefix(auto, "auto-") {
		s.add(1, "auto-submitted")
	}
	s.bySubject()
	switch {
	case t.kind != None && t.strong:
		s.add(2, "text-"+string(t.kind))
	case t.kind != None:
		s.add(1, "text-"+string(t.kind))
	}
	if hasReply(t.human) {
		s.add(2, "reply")
	}
	if t.original != "" {
		s.add(1, "original")
	}
	for p := range m.Root.Walk(false) {
		if p.IsMessage() || p.Type == "text/rfc822-headers" {
			s.add(1, "original")
			break
		}
	}
	_, vacation := h.Get("X-Autoreply")
	_, respond := h.Get("X-Autorespond")
	s.auto = strings.HasPrefix(auto, "auto-replied") || strings.HasPrefix(auto, "auto-generated (vacation)") || vacation || respond ||
		contains(strings.ToLower(get("Precedence")), []string{"auto_reply", "auto-reply"}) || contains(s.subject, autoSubjects) || get("X-Auto-Reply-From") != ""
	return s
}

// bySubject sorts the subject.
func (s *signs) bySubject() {
	switch {
	case strings.Contains(s.subject, "returned mail") && !strings.Contains(s.subject, "warning"):
		s.kind = Failed
		s.add(3, "subject-failure")
	case contains(s.subject, delaySubjects):
		s.kind = Delayed
		s.add(3, "subject-delay")
	case contains(s.subject, successSubjects):
		s.kind = Delivered
		s.add(2, "subject-success")
	case contains(s.subject, failSubjects):
		s.kind = Failed
		s.add(3, "subject-failure")
	case contains(s.subject, generalSubjects):
		s.add(2, "subject")
	}
}

// hasReply reports whether a line of the text begins with the reply of a server.
func hasReply(text string) bool {
	for n, l := range strings.Split(cutAt(text, 16<<10), "\n") {
		if l = strings.TrimLeft(l, " \t<>"); n < 200 && len(l) > 8 && l[0] == '5' && isCode(l[:3]) && codeAt(l, 0) && strings.ContainsAny(l[3:5], " -") {
			return true
		}
	}
	return false
}

// from looks at who wrote the mail.
func (s *signs) from(v string) {
	lower := strings.ToLower(message.DecodeWords(v))
	local := ""
	if list := message.ParseAddresses(v); len(list.List) > 0 {
		local = strings.ToLower(list.List[0].Local)
	}
	switch {
	case strings.Contains(lower, "mailer-daemon"), strings.Contains(lower, "mail delivery s"), strings.Contains(lower, "mail-daemon"), strings.Contains(lower, "mailerdaemon"),
		strings.Contains(lower, "mail delivery subsystem"), strings.Contains(lower, "microsoftexchange"), strings.Contains(lower, "maildelivery"), strings.Contains(lower, "system administrator"),
		strings.Contains(lower, "mail system"), strings.Contains(lower, "mailservice"), strings.Contains(lower, "mail_service"), strings.Contains(lower, "mailer daemon"), strings.Contains(lower, "delivery system"), strings.Contains(lower, "mdaemon"), local == "<>":
		s.daemon = true
		s.add(3, "from-daemon")
	case local == "postmaster" || local == "post_master" || local == "mailer" || local == "mail" || local == "bounce" || local == "bounces" || strings.Contains(lower, "postmaster"):
		s.daemon = true
		s.add(2, "from-postmaster")
	case v == "" || strings.TrimSpace(v) == "<>":
		s.nobody = true
		s.add(1, "from-nobody")
	}
}

// enough is what signs have to weigh together: a mail of a person never has the
// signs of the envelope, and one of a mail system two of them.
const enough = 5

// fromText decides about a mail without a machine-readable part.
func (r *Report) fromText(m *message.Message, t texts) {
	s := findSigns(m, t)
	says := t.kind != None || s.kind != None || s.failed
	if strings.Contains(s.subject, "dmarc") && (strings.Contains(s.subject, "forensic") || strings.Contains(s.subject, "failure report")) {
		// A failure report without its machine-readable part (RFC 6591).
		r.Kind, r.Confidence, r.Evidence, r.Form = Feedback, Possible, s.words, FormText
		r.Feedback = &FeedbackFacts{Type: "auth-failure"}
		r.note(NoStatusPart)
		return
	}
	dead := t.kind == Failed && s.nobody // "not a valid user", from nobody
	if s.auto && !dead && !s.failed && !(s.daemon && s.kind != None) && !(t.strong && t.kind == Failed && s.daemon) && !(s.kind == Failed && t.kind == Failed && t.original != "") {
		r.Kind, r.Confidence, r.Evidence = AutoReply, Likely, s.words
		return
	}
	if complaint(m, s) {
		r.Kind, r.Confidence, r.Evidence, r.Form = Feedback, Likely, s.words, FormText
		r.Feedback = &FeedbackFacts{Type: "abuse"}
		r.findOriginal(m, t)
		return
	}
	// Words alone are not enough: they stand in the mail of people too. One sign has
	// to be of those that mail systems make.
	if s.score < enough || !says || !s.system() {
		// A mail of a person never has the null reverse-path (RFC 3834, Section 3.3).
		if s.null && !s.daemon && !says {
			r.Kind, r.Confidence, r.Evidence = AutoReply, Possible, s.words
		}
		return
	}
	r.Evidence = s.words
	r.Form = FormText
	if m.Root.Type == "multipart/report" {
		r.note(NoStatusPart)
	}
	r.findOriginal(m, t)
	r.System = system(m, t.human)
	r.readText(m, t)
}

// complaint reports whether a mail is a complaint of a feedback loop that has a form
// of its own: the mail complained about, attached to a known subject.
func complaint(m *message.Message, s signs) bool {
	if !strings.HasPrefix(s.subject, "complaint about message from") && !strings.HasPrefix(s.subject, "email feedback report") && !strings.HasPrefix(s.subject, "abuse report") {
		return false
	}
	for p := range m.Root.Walk(false) {
		if p.IsMessage() {
			return true
		}
	}
	return false
}

// readText makes the recipients out of the text.
func (r *Report) readText(m *message.Message, t texts) {
	s := findSigns(m, t)
	kind, confidence := verdict(s, t), Possible
	if r.System != "" || s.failed {
		confidence = Likely
	}
	list := findRecipients(m, r, t)
	guess := false
	if len(list) == 0 && r.Original != nil && r.Original.To != "" {
		list = []found{{address: r.Original.To}}
		guess = true
	}
	if len(list) == 0 {
		r.note(NoRecipient)
		r.Kind, r.Confidence = kind, confidence
		return
	}
	for _, f := range list {
		x := Recipient{Kind: kind, Confidence: confidence, Final: Address{Type: "rfc822", Address: f.address}}
		if f.original != "" && !strings.EqualFold(f.original, f.address) {
			x.Original = Address{Type: "rfc822", Address: f.original}
		}
		if guess || !f.sure {
			x.Problems = addWord(x.Problems, RecipientGuess)
			x.Confidence = Possible
		}
		x.Diagnostic = cutAt(strings.Join(strings.Fields(f.text), " "), maxDiagnostic)
		if reply, ok := ParseReply(f.text); ok {
			x.Reply = reply
		} else if len(list) == 1 {
			x.Reply, _ = ParseReply(t.human)
		}
		x.Status = x.Reply.Enhanced
		// A reply of success in a failure is not the one that failed.
		if x.Reply.Class() == 2 && kind != Delivered {
			x.Reply, x.Status = Reply{}, ""
		}
		if x.Kind == Unclear && x.Reply.Class() == 5 {
			x.Kind = Failed
		}
		r.Recipients = append(r.Recipients, x)
	}
	r.settle()
}

// verdict is what subject and text say together.
func verdict(s signs, t texts) Kind {
	switch {
	case s.kind == t.kind:
		if s.kind == None {
			if s.failed {
				return Failed // the field is called so, and delays say it in their text
			}
			return Unclear
		}
		return s.kind
	case s.kind == None:
		return t.kind
	case t.kind == None:
		return s.kind
	case t.strong && t.kind == Delayed && s.kind == Failed:
		// Subjects are often the same for both; a text that says that tries go on
		// is about a delay.
		return Delayed
	case s.kind == Delayed:
		return Delayed
	case s.kind == Delivered && t.kind == Failed:
		if t.strong {
			return Unclear
		}
		return Delivered
	case t.kind == Delivered && s.kind == Failed:
		return Unclear
	}
	return s.kind
}

// system names the mail system by its words.
func system(m *message.Message, text string) string {
	lower := strings.ToLower(cutAt(text, 16<<10))
	from, _ := m.Header.Get("From")
	from = strings.ToLower(from)
	mailer, _ := m.Header.Get("X-Mailer")
	mailer = strings.ToLower(mailer)
	for _, w := range []struct{ name, in, words string }{
		{"qmail", lower, "this is the qmail-send program"},
		{"qmail", lower, "this is the mail delivery agent at"},
		{"mailmarshal", lower, "mailmarshal"},
		{"exim", lower, "this message was created automatically by mail delivery software"},
		{"postfix", lower, "this is the mail system at host"},
		{"postfix", lower, "this is the postfix program at host"},
		{"sendmail", lower, "----- transcript of session follows"},
		{"sendmail", lower, "the following addresses had permanent fatal errors"},
		{"gmail", from, "@googlemail.com"},
		{"gmail", from, "@google.com"},
		{"exchange", lower, "microsoft exchange"},
		{"exchange", lower, "msexch:"},
		{"exchange", lower, "generating server:"},
		{"exchange", from, "microsoftexchange"},
		{"exchange", mailer, "internet mail service"},
		{"yahoo", lower, "message from yahoo"},
		{"yahoo", from, "@yahoo."},
		{"dma", lower, "dragonfly mail agent"},
		{"opensmtpd", lower, "this is the mailer-daemon, please do not reply"},
		{"interscan", lower, "**** message from interscan"},
		{"sendgrid", lower, "message from sendgrid"},
		{"domino", mailer, "lotus notes"},
		{"courier", lower, "this is the courier"},
		{"mdaemon", lower, "mdaemon"},
		{"imail", mailer, "smtp32"},
		{"mail.ru", from, "@corp.mail.ru"},
		{"mail.ru", from, "mailer-daemon@mail.ru"},
		{"amazonses", from, "amazonses.com"},
		{"zoho", from, "@zoho"},
		{"james", lower, "apache james"},
		{"mimecast", lower, "mimecast"},
		{"groupwise", mailer, "groupwise"},
	} {
		if strings.Contains(w.in, w.words) {
			return w.name
		}
	}
	return ""
}
