package send

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limits of the iteration count. Below the first a password is cheap to find from
// what was said (RFC 7677, Section 4); above the second a server only wants to
// keep us busy: it takes about half a second.
const (
	minIterations = 4096
	maxIterations = 1_000_000
)

// scram is the client's part of SCRAM-SHA-256 (RFC 5802, RFC 7677), without
// channel binding.
type scram struct {
	user, password string
	nonce          string
	first          string // client-first-message-bare
	signature      []byte // of the server, as it has to be
	step           int
	verified       bool // the server has proven that it knows the password
}

func newScram(user, password string) (*scram, error) {
	user, err := saslprep(user)
	if err != nil {
		return nil, err
	}
	if password, err = saslprep(password); err != nil {
		return nil, err
	}
	return &scram{user: user, password: password, nonce: rand.Text()}, nil
}

func (s *scram) start() []byte {
	// RFC 5802, Section 5.1: a comma and an equals sign of the name are encoded.
	s.first = "n=" + strings.NewReplacer("=", "=3D", ",", "=2C").Replace(s.user) + ",r=" + s.nonce
	return []byte("n,," + s.first)
}

func (s *scram) next(challenge []byte) ([]byte, error) {
	s.step++
	switch s.step {
	case 1:
		return s.proof(string(challenge))
	case 2:
		return nil, s.verify(string(challenge))
	}
	return nil, errors.New("the server asks for more than there is")
}

// proof answers server-first-message.
func (s *scram) proof(first string) ([]byte, error) {
	f := strings.Split(first, ",")
	if len(f) < 3 || !strings.HasPrefix(f[0], "r=") || !strings.HasPrefix(f[1], "s=") || !strings.HasPrefix(f[2], "i=") {
		// RFC 5802, Section 5.1: an extension that must be understood (m=) stands first.
		return nil, errors.New("its first message is none of SCRAM")
	}
	nonce := f[0][2:]
	if !strings.HasPrefix(nonce, s.nonce) || len(nonce) == len(s.nonce) || len(nonce) > 256 {
		return nil, errors.New("its nonce does not continue ours")
	}
	salt, err := base64.StdEncoding.DecodeString(f[1][2:])
	if err != nil || len(salt) == 0 || len(salt) > 1024 {
		return nil, errors.New("its salt is not usable")
	}
	n, err := strconv.Atoi(f[2][2:])
	if err != nil || n < minIterations || n > maxIterations {
		return nil, fmt.Errorf("it wants %.20q iterations, and %d to %d are done", f[2][2:], minIterations, maxIterations)
	}
	salted, err := pbkdf2.Key(sha256.New, s.password, salt, n, sha256.Size)
	if err != nil {
		return nil, err
	}
	clientKey := mac(salted, "Client Key")
	stored := sha256.Sum256(clientKey)
	last := "c=biws,r=" + nonce // "biws" is "n,,": no channel binding
	auth := s.first + "," + first + "," + last
	proof := mac(stored[:], auth)
	for i := range proof {
		proof[i] ^= clientKey[i]
	}
	s.signature = mac(mac(salted, "Server Key"), auth)
	return []byte(last + ",p=" + base64.StdEncoding.EncodeToString(proof)), nil
}

// verify reads server-final-message.
func (s *scram) verify(final string) error {
	word, _, _ := strings.Cut(final, ",")
	if reason, ok := strings.CutPrefix(word, "e="); ok {
		return fmt.Errorf("it says %q", shorten(reason))
	}
	got, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(word, "v="))
	if err != nil || !strings.HasPrefix(word, "v=") || !hmac.Equal(got, s.signature) {
		return errors.New("it does not know the password: its signature is wrong")
	}
	s.verified = true
	return nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// saslprep prepares a name or password (RFC 4013) as far as servers differ if it
// is not done: other spaces become spaces, compatibility forms are composed, and
// controls are refused.
func saslprep(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", errors.New("the user or password is not UTF-8")
	}
	s = norm.NFKC.String(strings.Map(func(r rune) rune {
		switch {
		case r == 0xad || r == 0x200b || r == 0x2060 || r == 0xfeff || r >= 0xfe00 && r <= 0xfe0f:
			return -1 // RFC 3454, Table B.1: mapped to nothing
		case unicode.Is(unicode.Zs, r):
			return ' '
		}
		return r
	}, s))
	if s == "" || strings.ContainsFunc(s, unicode.IsControl) {
		return "", errors.New("the user or password is empty or holds control characters")
	}
	return s, nil
}

func shorten(s string) string { return s[:min(len(s), 160)] }
