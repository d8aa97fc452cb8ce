package mailbox

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-sasl"
)

// secret is what a user proves himself with.
type secret struct {
	text  string
	token bool
}

func (o Options) secret(ctx context.Context) (secret, error) {
	ask, token := o.Password, false
	if o.Token != nil {
		ask, token = o.Token, true
	}
	if ask == nil {
		return secret{}, fmt.Errorf("%w: there is neither a password nor a token", ErrLogin)
	}
	text, err := ask(ctx)
	switch {
	case err != nil:
		return secret{}, fmt.Errorf("%w: %w", ErrLogin, err)
	case text == "":
		return secret{}, fmt.Errorf("%w: the password or token is empty", ErrLogin)
	case strings.ContainsAny(text, "\x00\r\n"):
		return secret{}, fmt.Errorf("%w: the password or token has more than one line", ErrLogin)
	}
	return secret{text, token}, nil
}

// login uses the best mechanism that the server offers.
func (b *imapBox) login(ctx context.Context, user string, s secret) error {
	if b.client.State() != imap.ConnStateNotAuthenticated {
		return fmt.Errorf("%w: the server takes us for somebody without asking", ErrLogin) // PREAUTH
	}
	var caps imap.CapSet
	if err := b.do(ctx, smallAnswer, func() error {
		if caps = b.client.Caps(); caps == nil {
			return errors.New("it does not tell what it can do")
		}
		return nil
	}); err != nil {
		return err
	}
	err := b.do(ctx, smallAnswer, func() error {
		switch {
		case s.token && caps.Has(imap.AuthCap("OAUTHBEARER")) && !caps.Has(imap.AuthCap("XOAUTH2")):
			return b.client.Authenticate(sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{Username: user, Token: s.text}))
		case s.token:
			return b.client.Authenticate(&xoauth2{user: user, token: s.text})
		case caps.Has(imap.AuthCap(sasl.Plain)):
			return b.client.Authenticate(sasl.NewPlainClient("", user, s.text))
		case caps.Has(imap.CapLoginDisabled):
			return &imap.Error{Type: imap.StatusResponseTypeNo, Text: "it takes no password here"}
		}
		return b.client.Login(user, s.text).Wait()
	})
	if errors.Is(err, ErrRefused) {
		return fmt.Errorf("%w: %w", ErrLogin, err)
	}
	return err
}

// xoauth2 is the mechanism that large providers had before OAUTHBEARER, RFC 7628.
type xoauth2 struct{ user, token string }

func (x *xoauth2) Start() (string, []byte, error) {
	return "XOAUTH2", []byte("user=" + x.user + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}

// Next answers the description of an error, after which the server refuses.
func (x *xoauth2) Next([]byte) ([]byte, error) { return []byte{}, nil }
