package probetest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"sync/atomic"
	"time"
)

// CA is an authority with an intermediate, as real ones have.
type CA struct {
	Root         *x509.Certificate
	Intermediate *x509.Certificate
	key          *ecdsa.PrivateKey // of the intermediate
	now          time.Time
	serial       atomic.Int64
}

// Spec says what a certificate is like. The zero value with Names is a good one.
type Spec struct {
	Names      []string  // DNS names, or addresses
	CommonName string    // beside the names; it counts for nothing
	From, To   time.Time // zero: a day before and 90 days after the time of the CA
	RSA        int       // bits; 0 means an EC key
	SelfSigned bool
	// Bare leaves out the intermediate from what the host presents.
	Bare bool
	// Usage of the key; nil means server authentication.
	Usage []x509.ExtKeyUsage
}

// NewCA makes an authority that is valid around now.
func NewCA(now time.Time) (*CA, error) {
	ca := &CA{now: now}
	ca.serial.Store(2)
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if ca.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	authority := func(serial int64, name string) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
			NotBefore: now.AddDate(-5, 0, 0), NotAfter: now.AddDate(5, 0, 0),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		}
	}
	root := authority(1, "Test Root")
	if ca.Root, err = create(root, root, &rootKey.PublicKey, rootKey); err != nil {
		return nil, err
	}
	ca.Intermediate, err = create(authority(2, "Test Intermediate"), ca.Root, &ca.key.PublicKey, rootKey)
	return ca, err
}

// Pool holds the root.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.Root)
	return pool
}

// Issue makes a certificate with its key and what the host presents beside it.
func (ca *CA) Issue(s Spec) (*tls.Certificate, error) {
	serial := ca.serial.Add(1) // scripts that run in parallel share one CA
	if s.From.IsZero() {
		s.From = ca.now.AddDate(0, 0, -1)
	}
	if s.To.IsZero() {
		s.To = ca.now.AddDate(0, 0, 90)
	}
	if s.Usage == nil {
		s.Usage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: s.CommonName},
		NotBefore: s.From, NotAfter: s.To, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, ExtKeyUsage: s.Usage,
	}
	for _, n := range s.Names {
		if ip := net.ParseIP(n); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	key, err := newKey(s.RSA)
	if err != nil {
		return nil, err
	}
	parent, signer := ca.Intermediate, crypto.Signer(ca.key)
	if s.SelfSigned {
		t.Subject.CommonName = "Self " + s.CommonName // an empty name would be no issuer
		parent, signer = t, key
	}
	leaf, err := create(t, parent, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	out := &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
	if !s.SelfSigned && !s.Bare {
		out.Certificate = append(out.Certificate, ca.Intermediate.Raw)
	}
	return out, nil
}

func newKey(bits int) (crypto.Signer, error) {
	if bits > 0 {
		return rsa.GenerateKey(rand.Reader, bits)
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

func create(t, parent *x509.Certificate, pub crypto.PublicKey, signer crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, t, parent, pub, signer)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
