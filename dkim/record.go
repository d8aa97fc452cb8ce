package dkim

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// Record is a key record (RFC 6376, Section 3.6.1). Its fields are read from
// Tags; use [Record.With] and [Record.Without] to change it.
type Record struct {
	Text string // as it was read
	Tags []Tag  // in order, unknown ones too

	Version  string   // v=; empty when absent
	KeyType  string   // k=, "rsa" when absent
	Hashes   []string // h=, nil when absent: all are accepted
	Services []string // s=, nil when absent: "*"
	Flags    []string // t=
	Notes    string   // n= as published, in quoted-printable

	Key      Key
	Problems []Problem // in order of their offset, nil for a flawless record
}

// Tag is one tag=value of a record.
type Tag struct {
	Name    string // empty for a part that has none, which is then all in Value
	Value   string // as published, without white space around it
	At      int    // offset of the name in Record.Text
	ValueAt int    // offset of the value
}

// Get returns the value of the first tag of that name. Names are
// case-sensitive (RFC 6376, Section 3.2).
func (r Record) Get(name string) (value string, ok bool) {
	if i := r.find(name); i >= 0 {
		return r.Tags[i].Value, true
	}
	return "", false
}

func (r Record) find(name string) int {
	return slices.IndexFunc(r.Tags, func(t Tag) bool { return t.Name == name })
}

// HasFlag reports whether t= lists the flag: "y" for testing, "s" for no
// subdomains in i=.
func (r Record) HasFlag(flag string) bool { return slices.Contains(r.Flags, flag) }

// AllowsHash reports whether signatures with the hash may use the key.
func (r Record) AllowsHash(hash string) bool {
	return r.Hashes == nil || slices.Contains(r.Hashes, hash)
}

// AllowsService reports whether the key is for the service: "email", or
// "tlsrpt" (RFC 8460, Section 3).
func (r Record) AllowsService(service string) bool {
	return r.Services == nil || slices.Contains(r.Services, "*") || slices.Contains(r.Services, service)
}

// Err is nil when verifiers can use the record, and otherwise the reason why not,
// a *[Problem]. A revoked key is a use of a record: it has no error.
func (r Record) Err() error {
	first := -1
	for i := range r.Problems {
		switch {
		case r.Problems[i].Effect != Discarded:
		case r.Problems[i].Kind.cause():
			return &r.Problems[i]
		case first < 0:
			first = i
		}
	}
	if first < 0 {
		return nil
	}
	return &r.Problems[first]
}

// Usable reports whether signatures can be verified with the record.
func (r Record) Usable() bool { return r.Err() == nil && r.Key.Public() != nil }

// String prints the record as it should be published: tags in their order, one
// space after each semicolon, no white space inside the key. ParseRecord reads it
// back with the same tags. What was read from DNS is foreign text here too.
func (r Record) String() string {
	var b strings.Builder
	for i, t := range r.Tags {
		if i > 0 {
			b.WriteString("; ")
		}
		if t.Name == "" {
			b.WriteString(collapse(t.Value))
			continue
		}
		b.WriteString(collapse(t.Name))
		b.WriteByte('=')
		if t.Name == "p" {
			b.WriteString(strip(t.Value))
		} else {
			b.WriteString(collapse(t.Value))
		}
	}
	return b.String()
}

// With returns the record with the tag set to value, in its place or at the end.
// A new v= goes first, where it has to be.
func (r Record) With(name, value string) Record {
	tags := slices.Clone(r.Tags)
	switch i := r.find(name); {
	case i >= 0:
		tags[i].Value = value
	case name == "v":
		tags = slices.Insert(tags, 0, Tag{Name: name, Value: value})
	default:
		tags = append(tags, Tag{Name: name, Value: value})
	}
	return reread(tags)
}

// Without returns the record without the tags of that name.
func (r Record) Without(name string) Record {
	return reread(slices.DeleteFunc(slices.Clone(r.Tags), func(t Tag) bool { return t.Name == name }))
}

func reread(tags []Tag) Record {
	n, _ := ParseRecord(Record{Tags: tags}.String())
	return n
}

// RecordFor makes the record that publishes a key: an *[rsa.PublicKey] or an
// [ed25519.PublicKey].
func RecordFor(pub crypto.PublicKey) (Record, error) {
	tags := []Tag{{Name: "v", Value: version}, {Name: "k"}, {Name: "p"}}
	switch k := pub.(type) {
	case *rsa.PublicKey:
		if k == nil || k.N == nil {
			return Record{}, fmt.Errorf("dkim: no record for a key of type %T without modulus", pub)
		}
		der, err := x509.MarshalPKIXPublicKey(k)
		if err != nil {
			return Record{}, fmt.Errorf("dkim: %w", err)
		}
		tags[1].Value, tags[2].Value = KeyRSA, base64.StdEncoding.EncodeToString(der)
	case ed25519.PublicKey:
		// RFC 8463, Section 4.2: the key itself, without ASN.1 around it.
		tags[1].Value, tags[2].Value = KeyEd25519, base64.StdEncoding.EncodeToString(k)
	default:
		return Record{}, fmt.Errorf("dkim: no record for a key of type %T", pub)
	}
	r := reread(tags)
	return r, r.Err()
}

const version = "DKIM1"

// Key types.
const (
	KeyRSA     = "rsa"     // RFC 6376, Section 3.3
	KeyEd25519 = "ed25519" // RFC 8463
)
