package token

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"strings"

	"github.com/mailcheck-go/mailcheck/message"
)

const (
	// Length is the number of characters of a token: 16 octets in base32.
	Length = 26
	// Field is the header field that a probe carries its token in.
	Field = "X-Mailcheck-Probe"
	// Prefix stands before a token in a local-part, alone or behind a plus sign.
	Prefix = "t-"
	// IDPrefix stands before a token in a Message-ID.
	IDPrefix = "mailcheck."

	nonce = 8 // octets of a token that are random if there is a key
)

// Lower case: local-parts are sometimes folded, and sometimes compared as they are.
var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// New makes a token. Without a key all of it is random; with one, half of it
// proves that the holder of the key made it.
func New(key []byte) string {
	b := make([]byte, 16)
	rand.Read(b) // never fails: crypto/rand ends the program instead
	if len(key) > 0 {
		copy(b[nonce:], mac(key, b[:nonce]))
	}
	return encoding.EncodeToString(b)
}

func mac(key, b []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("mailcheck probe token\x00"))
	h.Write(b)
	return h.Sum(nil)[:16-nonce]
}

// Valid reports whether a text has the form of a token.
func Valid(s string) bool {
	b, err := encoding.DecodeString(s)
	return err == nil && len(s) == Length && len(b) == 16 && encoding.EncodeToString(b) == s
}

// Made reports whether a token was made with the key.
func Made(key []byte, s string) bool {
	b, err := encoding.DecodeString(s)
	return err == nil && Valid(s) && len(key) > 0 && subtle.ConstantTimeCompare(b[nonce:], mac(key, b[:nonce])) == 1
}

// Address is the address of a token in a domain: t-<token>@domain.
func Address(tok, domain string) string { return Prefix + tok + "@" + domain }

// Tag puts a token behind a plus sign into an address (RFC 5233, Section 1). It
// returns the address as it is if its local-part is quoted or tagged already.
func Tag(address, tok string) string {
	at := strings.LastIndexByte(address, '@')
	if at <= 0 || address[0] == '"' || strings.Contains(address[:at], "+") {
		return address
	}
	return address[:at] + "+" + Prefix + tok + address[at:]
}

// InAddress finds the token in the local-part of an address, empty if there is
// none.
func InAddress(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return ""
	}
	local := strings.ToLower(address[:at])
	if plus := strings.LastIndexByte(local, '+'); plus >= 0 {
		local = local[plus+1:]
	}
	if tok, ok := strings.CutPrefix(local, Prefix); ok && Valid(tok) {
		return tok
	}
	return ""
}

// MessageID is the Message-ID of a probe, with brackets.
func MessageID(tok, domain string) string { return "<" + IDPrefix + tok + "@" + domain + ">" }

// InMessageID finds the token in a Message-ID, with brackets or without.
func InMessageID(id string) string {
	id = strings.ToLower(strings.Trim(strings.TrimSpace(id), "<>"))
	rest, ok := strings.CutPrefix(id, IDPrefix)
	if tok, _, at := strings.Cut(rest, "@"); ok && at && Valid(tok) {
		return tok
	}
	return ""
}

// InHeader finds the token of a probe: in its own field, else in the Message-ID,
// else in the address that it was delivered to. It is empty for any other mail.
func InHeader(h *message.Header) string {
	for _, f := range h.All(Field) {
		if v := strings.ToLower(f.Value); Valid(v) {
			return v
		}
	}
	if id, ok := h.Get("Message-ID"); ok {
		if tok := InMessageID(id); tok != "" {
			return tok
		}
	}
	for _, name := range []string{"Delivered-To", "X-Original-To", "Envelope-To", "To"} {
		for _, f := range h.All(name) {
			for _, a := range message.ParseAddresses(f.Value).List {
				if tok := InAddress(a.Local + "@" + a.Domain); tok != "" {
					return tok
				}
			}
		}
	}
	return ""
}
