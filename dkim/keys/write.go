package keys

import (
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
)

// Encode is the private key in a form: empty is [FormPKCS8], which every signer
// reads, but rspamd for Ed25519, which wants [FormBareKeyPair]. Keep it secret. A
// form that the type of key does not have is an error that matches
// [ErrUnsupported].
func (k Key) Encode(form Form) ([]byte, error) {
	if k.secret == nil {
		return nil, errNone()
	}
	bare := func(b []byte) []byte { return append(base64.StdEncoding.AppendEncode(nil, b), '\n') }
	rsaKey, _ := k.Signer().(*rsa.PrivateKey)
	edKey, _ := k.Signer().(ed25519.PrivateKey)
	switch {
	case form == "" || form == FormPKCS8 || form == FormBarePKCS8:
		der, err := x509.MarshalPKCS8PrivateKey(k.Signer())
		if err != nil {
			return nil, fmt.Errorf("keys: %w", err)
		}
		if form == FormBarePKCS8 {
			return bare(der), nil
		}
		return pem.EncodeToMemory(&pem.Block{Type: blockPKCS8, Bytes: der}), nil
	case form == FormPKCS1 && rsaKey != nil:
		return pem.EncodeToMemory(&pem.Block{Type: blockPKCS1, Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)}), nil
	case form == FormBarePKCS1 && rsaKey != nil:
		return bare(x509.MarshalPKCS1PrivateKey(rsaKey)), nil
	case form == FormBareSeed && edKey != nil:
		return bare(edKey.Seed()), nil
	case form == FormBareKeyPair && edKey != nil:
		return bare(edKey), nil
	}
	return nil, &Error{Reason: fmt.Sprintf("a key of type %s has no form %q", k.Type(), shorten(string(form))), Err: ErrUnsupported}
}

// Create writes the key in a form (empty: PKCS#8 PEM) to a file that must not
// exist yet, with mode 0600. A file that is there, or a symbolic link, is never
// touched: the error then matches [fs.ErrExist].
func (k Key) Create(path string, form Form) error {
	data, err := k.Encode(form)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		if errors.Is(err, fs.ErrExist) {
			return &Error{Reason: fmt.Sprintf("%+q; a key is never overwritten", path), Hint: "choose another file, or use the key that is there", Err: fs.ErrExist}
		}
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		// Half a key helps nobody; the file was made here, so nothing else is lost.
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// SelectorFor proposes a selector for a key made at a time: "mc202611", with an
// "e" behind it for Ed25519. The date shows when the key is due for rotation.
func SelectorFor(keyType string, at time.Time) string {
	s := "mc" + at.UTC().Format("200601")
	if keyType == dkim.KeyEd25519 {
		s += "e"
	}
	return s
}
