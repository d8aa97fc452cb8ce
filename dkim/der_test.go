package dkim

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"testing"
)

// TestPlainSPKI: the short way and crypto/x509 agree.
func TestPlainSPKI(t *testing.T) {
	for _, bits := range []int{512, 1023, 1024, 2048, 4096, 16384} {
		for _, e := range []int{3, 127, 128, 65537, 1<<31 - 1} {
			want := fakeRSA(bits)
			want.E = e
			der, err := x509.MarshalPKIXPublicKey(want)
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := plainSPKI(der); !ok || !got.Equal(want) {
				t.Errorf("%d bits, exponent %d: %v", bits, e, ok)
			}
			for i := range der {
				if _, ok := plainSPKI(der[:i]); ok {
					t.Fatalf("%d bits: %d of %d octets are taken", bits, i, len(der))
				}
			}
		}
	}
}

func FuzzPlainSPKI(f *testing.F) {
	der, err := x509.MarshalPKIXPublicKey(fakeRSA(512))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Fuzz(func(t *testing.T, der []byte) {
		got, ok := plainSPKI(der)
		if !ok {
			return
		}
		back, err := x509.MarshalPKIXPublicKey(got)
		if err != nil || !bytes.Equal(back, der) {
			t.Fatalf("%x reads as a key that is %x, %v", der, back, err)
		}
		if pub, err := x509.ParsePKIXPublicKey(der); err == nil && !pub.(*rsa.PublicKey).Equal(got) {
			t.Fatalf("%x: crypto/x509 reads another key", der)
		}
	})
}
