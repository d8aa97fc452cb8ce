package send

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/probe/send/internal/wire"
	"github.com/mailcheck-go/mailcheck/probe/smtp"
)

const (
	maxRounds = 8       // of one login; SCRAM needs three
	maxSecret = 8 << 10 // octets; OAuth tokens of large providers have up to four thousand
)

// mechanism is the client's part of a login (RFC 4954).
type mechanism interface {
	start() []byte // nil: nothing is said before the first challenge
	next(challenge []byte) ([]byte, error)
	// done reports whether success may be believed.
	done() bool
}

// credentials are asked for once for each run.
func (s *Submission) credentials(ctx context.Context) (secret string, token bool, err error) {
	ask := s.Password
	if s.Token != nil && !slices.Contains([]string{"PLAIN", "LOGIN", "SCRAM-SHA-256"}, s.Mechanism) {
		ask, token = s.Token, true
	}
	secret, err = ask(ctx)
	switch {
	case err != nil:
		return "", token, fmt.Errorf("password or token: %w", err)
	case secret == "" || len(secret) > maxSecret || strings.ContainsAny(secret, "\x00\r\n\x01"):
		return "", token, errors.New("the password or token is empty, too long or has more than one line")
	}
	return secret, token, nil
}

// choose picks a mechanism of those that the server offers.
func (s *Submission) choose(offered []smtp.Text, token bool) (string, bool) {
	order := []string{"SCRAM-SHA-256", "PLAIN", "LOGIN"}
	if token {
		order = []string{"XOAUTH2", "OAUTHBEARER"}
	}
	if s.Mechanism != "" {
		order = []string{s.Mechanism}
	}
	for _, m := range order {
		if slices.ContainsFunc(offered, func(t smtp.Text) bool { return strings.EqualFold(string(t), m) }) {
			return m, true
		}
	}
	return strings.Join(order, ", "), false
}

func newMechanism(name, user, secret string) (mechanism, error) {
	switch name {
	case "PLAIN":
		return &simple{first: "\x00" + user + "\x00" + secret}, nil // RFC 4616
	case "LOGIN":
		return &simple{answers: []string{user, secret}}, nil
	case "XOAUTH2":
		return &simple{first: "user=" + user + "\x01auth=Bearer " + secret + "\x01\x01", bearer: true}, nil
	case "OAUTHBEARER": // RFC 7628, Section 3.1
		id := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(user)
		return &simple{first: "n,a=" + id + ",\x01auth=Bearer " + secret + "\x01\x01", bearer: true}, nil
	}
	s, err := newScram(user, secret)
	return s, err
}

// simple is a mechanism without proof of the server.
type simple struct {
	first   string
	answers []string
	bearer  bool
	said    string // what a server says of a token before it refuses
}

func (m *simple) start() []byte {
	if m.first == "" {
		return nil
	}
	return []byte(m.first)
}

func (m *simple) next(challenge []byte) ([]byte, error) {
	if m.bearer {
		m.said = string(challenge)
		return []byte{}, nil // the description of an error is answered, then comes the refusal
	}
	if len(m.answers) == 0 {
		return nil, errors.New("the server asks for more than there is")
	}
	a := m.answers[0]
	m.answers = m.answers[1:]
	return []byte(a), nil
}

func (m *simple) done() bool { return true }

func (s *scram) done() bool { return s.verified }

// authenticate logs in (RFC 4954, Section 4).
func authenticate(ctx context.Context, c *wire.Client, name, user, secret string) error {
	b64 := base64.StdEncoding.EncodeToString
	c.Blank(secret, b64([]byte(secret)), b64([]byte("\x00"+user+"\x00"+secret)))
	m, err := newMechanism(name, user, secret)
	if err != nil {
		return wire.Fail(StepAuth, BadAuth, "%v", err)
	}
	line := "AUTH " + name
	if first := m.start(); first != nil {
		c.Blank(b64(first))
		line += " " + b64(first)
	}
	r, err := c.Secret(ctx, StepAuth, line, "AUTH "+name+" ")
	for range maxRounds {
		if err != nil {
			return err
		}
		if r.Code != 334 {
			return finished(c, r, m)
		}
		challenge, err := base64.StdEncoding.DecodeString(strings.TrimSpace(c.Challenge()))
		if err != nil {
			return wire.Fail(StepAuth, BadAuth, "a challenge is not base64")
		}
		answer, err := m.next(challenge)
		if err != nil {
			// RFC 4954, Section 4: "*" ends the login.
			_, _ = c.Command(ctx, StepAuth, "*")
			return wire.Fail(StepAuth, BadAuth, "%s: %v", name, err)
		}
		c.Blank(b64(answer))
		if r, err = c.Secret(ctx, StepAuth, b64(answer), ""); err != nil {
			return err
		}
	}
	return wire.Fail(StepAuth, BadAuth, "the login does not end")
}

func finished(c *wire.Client, r smtp.Reply, m mechanism) error {
	err := c.Expect(r, 235)
	if e, ok := errors.AsType[*smtp.Error](err); ok {
		if s, ok := m.(*simple); ok && s.said != "" {
			e.Detail += fmt.Sprintf(" (%q)", shorten(s.said))
		}
		return e
	}
	if !m.done() {
		// RFC 5802, Section 5: a server that is not the one that knows the password
		// can say yes, too.
		return wire.Fail(StepAuth, BadAuth, "the server says yes and has not proven that it knows the password")
	}
	return nil
}
