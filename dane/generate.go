package dane

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// Errors of reading a file and of making a record from it.
var (
	ErrMaterial = errors.New("dane: no certificate or key")
	ErrGenerate = errors.New("dane: no record can be made")
)

const (
	maxFile   = 1 << 20 // octets of a file of certificates
	maxBlocks = 100     // read per file
)

// Material is what a record can be made of: a certificate, or a public key alone.
// Of a private key only the public half is kept.
type Material struct {
	Certificate *x509.Certificate // nil for a key
	PublicKey   []byte            // subject public key info, DER
	From        string            // what it was read from: "CERTIFICATE", "PRIVATE KEY", ...
}

// Issuer reports whether it is the certificate of an issuer.
func (m Material) Issuer() bool {
	return m.Certificate != nil && m.Certificate.BasicConstraintsValid && m.Certificate.IsCA
}

// Record makes the record with these parameters; the zero value stands for 3 1 1,
// or 2 1 1 for an issuer. Errors match [ErrGenerate].
func (m Material) Record(p Params) (Record, error) {
	if p == (Params{}) {
		p = Params{DANEEE, SPKI, SHA256} // RFC 7671, Section 5.1; RFC 7672, Section 3.1.1
		if m.Issuer() {
			p.Usage = DANETA
		}
	}
	r := Record{Params: p}
	switch {
	case p.Selector == SPKI:
		r.Data = p.Matching.digest(m.PublicKey)
	case p.Selector == Cert && m.Certificate == nil:
		return Record{}, fmt.Errorf("%w: %s needs a certificate, and this is a key", ErrGenerate, p)
	case p.Selector == Cert:
		r.Data = p.Matching.digest(m.Certificate.Raw)
	}
	if p.Usage == DANETA && m.Certificate != nil && !m.Issuer() {
		return Record{}, fmt.Errorf("%w: %s needs the certificate of an issuer", ErrGenerate, p)
	}
	if why := r.Unusable(); why != "" {
		return Record{}, fmt.Errorf("%w: %s", ErrGenerate, why)
	}
	r.Data = bytes.Clone(r.Data) // with Full it would be the certificate's own
	return r, nil
}

// Generate makes a record from the bytes of a file: certificates, a private or
// public key or a signing request, in PEM or DER. With several certificates it takes
// the first, which is the server's, or the first issuer if usage 2 is asked for.
// The zero value of p stands for 3 1 1, or 2 1 1 for an issuer. Errors match
// [ErrMaterial] or [ErrGenerate].
func Generate(file []byte, p Params) (Record, error) {
	list, err := ReadMaterial(file)
	if err != nil {
		return Record{}, err
	}
	m := list[0]
	for _, x := range list {
		if p.Usage == DANETA && x.Issuer() {
			m = x
			break
		}
		if m.Certificate == nil && x.Certificate != nil && p.Usage != DANETA {
			m = x // a key stands before its certificate: that says more
		}
	}
	return m.Record(p)
}

// ReadMaterial reads every certificate and key of a file, in PEM or DER. Errors match
// [ErrMaterial].
func ReadMaterial(file []byte) ([]Material, error) {
	if len(file) > maxFile {
		return nil, fmt.Errorf("%w: the file has %d octets, the limit is %d", ErrMaterial, len(file), maxFile)
	}
	if !bytes.Contains(file, []byte("-----BEGIN ")) {
		return readDER(file)
	}
	var list []Material
	var why error
	for n, rest := 0, file; n < maxBlocks; n++ {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		m, err := readBlock(b)
		switch {
		case err != nil:
			if why == nil {
				why = fmt.Errorf("%w: %s: %w", ErrMaterial, clip(b.Type), err)
			}
		case len(m.PublicKey) > 0:
			list = append(list, m)
		}
	}
	switch {
	case why != nil:
		return nil, why // half a file makes half a set of records
	case len(list) == 0:
		return nil, fmt.Errorf("%w in the file", ErrMaterial)
	}
	return list, nil
}

// readBlock reads one block of PEM; what is neither certificate nor key, such as
// parameters, is empty.
func readBlock(b *pem.Block) (Material, error) {
	switch {
	case b.Type == "CERTIFICATE" || b.Type == "X509 CERTIFICATE":
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return Material{}, err
		}
		return Material{c, c.RawSubjectPublicKeyInfo, "CERTIFICATE"}, nil
	case strings.HasPrefix(b.Type, "ENCRYPTED"), strings.Contains(b.Headers["Proc-Type"], "ENCRYPTED"):
		return Material{}, errors.New("the key is encrypted: use the certificate, or the public key")
	case b.Type == "PUBLIC KEY":
		return fromPublic(b.Bytes)
	case strings.HasSuffix(b.Type, "CERTIFICATE REQUEST"):
		r, err := x509.ParseCertificateRequest(b.Bytes)
		if err != nil {
			return Material{}, err
		}
		return Material{nil, r.RawSubjectPublicKeyInfo, "CERTIFICATE REQUEST"}, nil
	case b.Type == "RSA PUBLIC KEY":
		k, err := x509.ParsePKCS1PublicKey(b.Bytes)
		if err != nil {
			return Material{}, err
		}
		return fromKey(k, b.Type)
	case strings.HasSuffix(b.Type, "PRIVATE KEY"):
		return fromPrivate(b.Bytes)
	}
	return Material{}, nil
}

// readDER tries each form that a file without PEM can have.
func readDER(file []byte) ([]Material, error) {
	if list, err := x509.ParseCertificates(file); err == nil && len(list) > 0 && len(list) <= maxBlocks {
		var out []Material
		for _, c := range list {
			out = append(out, Material{c, c.RawSubjectPublicKeyInfo, "CERTIFICATE"})
		}
		return out, nil
	}
	if m, err := fromPrivate(file); err == nil {
		return []Material{m}, nil
	}
	if m, err := fromPublic(file); err == nil {
		return []Material{m}, nil
	}
	if r, err := x509.ParseCertificateRequest(file); err == nil {
		return []Material{{nil, r.RawSubjectPublicKeyInfo, "CERTIFICATE REQUEST"}}, nil
	}
	return nil, fmt.Errorf("%w: it is neither PEM nor DER that can be read", ErrMaterial)
}

func fromPublic(der []byte) (Material, error) {
	k, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return Material{}, err
	}
	return fromKey(k, "PUBLIC KEY")
}

// fromPrivate reads PKCS #8, PKCS #1 and SEC 1.
func fromPrivate(der []byte) (Material, error) {
	k, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		if rsa, e := x509.ParsePKCS1PrivateKey(der); e == nil {
			k, err = rsa, nil
		} else if ec, e := x509.ParseECPrivateKey(der); e == nil {
			k, err = ec, nil
		}
	}
	if err != nil {
		return Material{}, errors.New("no private key that can be read") // the cause could quote the key
	}
	signer, ok := k.(crypto.Signer)
	if !ok {
		return Material{}, errors.New("a key that cannot sign is in no certificate")
	}
	return fromKey(signer.Public(), "PRIVATE KEY")
}

func fromKey(k crypto.PublicKey, from string) (Material, error) {
	der, err := x509.MarshalPKIXPublicKey(k)
	if err != nil {
		return Material{}, err
	}
	return Material{nil, der, from}, nil
}
