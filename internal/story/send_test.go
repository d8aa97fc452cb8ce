//go:build story

package story

import (
	"encoding/json"
	"strings"
)

// letter is one SMTP transaction.
type letter struct {
	server   string // host:port
	helo     string
	mailFrom string
	to       []string
	data     string
}

// The client that everybody has: it says what it is told, and no more.
const sendProgram = `
import json, smtplib, sys
l = json.load(sys.stdin)
host, _, port = l["server"].rpartition(":")
s = smtplib.SMTP(local_hostname=l["helo"], timeout=60)
code, text = s.connect(host.strip("[]"), int(port))
if code == 220:
    code, text = s.ehlo()
if code == 250:
    code, text = s.mail(l["from"])
for to in l["to"]:
    if code in (250, 251):
        code, text = s.rcpt(to)
if code in (250, 251):
    data = l["data"].replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8", "surrogateescape")
    try:
        code, text = s.data(data)
    except smtplib.SMTPDataError as e:
        code, text = e.smtp_code, e.smtp_error
try:
    s.quit()
except Exception:
    pass
json.dump({"code": code, "text": text.decode("utf-8", "replace")}, sys.stdout)
`

// send sends one mail from that machine and returns the reply of DATA, or of the
// first command that was refused. Lines of the text are separated by line feeds.
func (h *host) send(l letter) (code int, text string) {
	h.w.t.Helper()
	in, err := json.Marshal(map[string]any{"server": l.server, "helo": l.helo, "from": l.mailFrom, "to": l.to, "data": l.data})
	if err != nil {
		h.w.t.Fatal(err)
	}
	cmd := h.command("/usr/bin/python3", "-c", sendProgram)
	cmd.Stdin = strings.NewReader(string(in))
	out, err := cmd.Output()
	if err != nil {
		h.w.t.Fatalf("%s: mail to %s: %v %s", h.name, l.server, err, stderrOf(err))
	}
	var reply struct {
		Code int
		Text string
	}
	if err := json.Unmarshal(out, &reply); err != nil {
		h.w.t.Fatalf("%s: mail to %s: %v", h.name, l.server, err)
	}
	h.w.note("%s sends <%s> to %s: %d %s", h.name, l.mailFrom, strings.Join(l.to, ", "), reply.Code, reply.Text)
	return reply.Code, reply.Text
}
