package sqlite

import (
	"crypto/sha256"
	"net/netip"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// dict is what the writer remembers of the tables name, policy and look. All of
// it can be forgotten at any time.
type dict struct {
	c        *conn
	version  int64 // PRAGMA data_version: changes when somebody else has written
	names    cache[string, int64]
	policies cache[archive.Policy, int64]
	looks    cache[lookHash, *lookInfo]
	byID     cache[int64, *lookInfo]
	buf      []byte
}

// lookHash identifies a look without its source: half of a SHA-256 sum, so that
// nobody finds two looks that are taken for one.
type lookHash [16]byte

// lookInfo is what the sums need of a look.
type lookInfo struct {
	id      int64
	verdict verdict
	signers []signer
}

// signer is a key that a look has one or more signatures of.
type signer struct {
	domain, selector int64 // in name
	pass             bool
}

func newDict(c *conn) *dict { return &dict{c: c} }

// forget is for when rows that are remembered may be gone.
func (d *dict) forget() { *d = dict{c: d.c, version: d.version} }

// fresh forgets if another process has written: it may have pruned.
func (d *dict) fresh() error {
	v, err := d.dataVersion()
	if err == nil && v != d.version {
		d.forget()
		d.version = v
	}
	return err
}

func (d *dict) dataVersion() (int64, error) {
	r, err := d.c.one("PRAGMA data_version")
	if err != nil || r == nil {
		return 0, err
	}
	return r.int(0), r.err
}

// name gives the id of a name.
func (d *dict) name(s string) (int64, error) {
	if id, ok := d.names.get(s); ok {
		return id, nil
	}
	r, err := d.c.one("SELECT id FROM name WHERE value = ?", s)
	if err != nil {
		return 0, err
	}
	var id int64
	if r != nil {
		id = r.int(0)
	} else if id, err = d.c.insert("INSERT INTO name (value) VALUES (?)", s); err != nil {
		return 0, err
	}
	d.names.put(s, id)
	return id, nil
}

func (d *dict) policy(p archive.Policy) (int64, error) {
	if id, ok := d.policies.get(p); ok {
		return id, nil
	}
	args := []any{p.P, p.SP, p.NP, p.ADKIM, p.ASPF, p.FO, p.Pct, p.Testing, p.Discovery}
	r, err := d.c.one("SELECT id FROM policy WHERE (p, sp, np, adkim, aspf, fo, pct, testing, discovery) = (?, ?, ?, ?, ?, ?, ?, ?, ?)", args...)
	if err != nil {
		return 0, err
	}
	var id int64
	if r != nil {
		id = r.int(0)
	} else if id, err = d.c.insert("INSERT INTO policy (p, sp, np, adkim, aspf, fo, pct, testing, discovery) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", args...); err != nil {
		return 0, err
	}
	d.policies.put(p, id)
	return id, nil
}

// look gives what is known of a look; it is put into the archive if it is new.
func (d *dict) look(l *archive.Look) (*lookInfo, error) {
	bare := *l
	bare.Source = netip.Addr{}
	d.buf = bare.AppendKey(d.buf[:0])
	sum := sha256.Sum256(d.buf)
	hash := lookHash(sum[:16])
	if info, ok := d.looks.get(hash); ok {
		return info, nil
	}
	info := &lookInfo{verdict: verdictOf(l)}
	r, err := d.c.one("SELECT id FROM look WHERE hash = ?", hash[:])
	if err != nil {
		return nil, err
	}
	if r != nil {
		info.id = r.int(0)
	} else if info.id, err = d.addLook(hash, l, info.verdict); err != nil {
		return nil, err
	}
	if info.signers, err = d.signers(l.Signatures); err != nil {
		return nil, err
	}
	d.looks.put(hash, info)
	return info, nil
}

// children tells which tables have rows of a look.
const (
	hasReasons = 1 << iota
	hasSignatures
	hasSPF
)

func (d *dict) addLook(hash lookHash, l *archive.Look, v verdict) (int64, error) {
	children := 0
	if len(l.Reasons) > 0 {
		children |= hasReasons
	}
	if len(l.Signatures) > 0 {
		children |= hasSignatures
	}
	if len(l.Checks) > 0 {
		children |= hasSPF
	}
	id, err := d.c.insert(`INSERT INTO look (hash, verdict, disposition, header_from, envelope_from, envelope_to, source_text, children)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, hash[:], int(v), l.Disposition, l.HeaderFrom, l.EnvelopeFrom, l.EnvelopeTo, l.SourceText, children)
	if err != nil {
		return 0, err
	}
	for i, x := range l.Reasons {
		if err := d.c.run("INSERT INTO reason VALUES (?, ?, ?, ?)", id, i, x.Type, x.Comment); err != nil {
			return 0, err
		}
	}
	for i, x := range l.Signatures {
		if err := d.c.run("INSERT INTO signature VALUES (?, ?, ?, ?, ?)", id, i, x.Domain, x.Selector, string(x.Result)); err != nil {
			return 0, err
		}
	}
	for i, x := range l.Checks {
		if err := d.c.run("INSERT INTO spf VALUES (?, ?, ?, ?, ?)", id, i, x.Domain, x.Scope, string(x.Result)); err != nil {
			return 0, err
		}
	}
	return id, nil
}

// signers gives each key once: a message counts once for it, as a pass if one
// of several equal signatures passed.
func (d *dict) signers(signatures []archive.Signature) (out []signer, err error) {
next:
	for _, g := range signatures {
		s := signer{pass: g.Result == "pass"}
		if s.domain, err = d.name(g.Domain); err != nil {
			return nil, err
		}
		if s.selector, err = d.name(g.Selector); err != nil {
			return nil, err
		}
		for i := range out {
			if o := &out[i]; o.domain == s.domain && o.selector == s.selector {
				o.pass = o.pass || s.pass
				continue next
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// info is look for one that is in the archive.
func (d *dict) info(id int64, v verdict, children int64) (*lookInfo, error) {
	if info, ok := d.byID.get(id); ok {
		return info, nil
	}
	info := &lookInfo{id: id, verdict: v}
	if children&hasSignatures != 0 {
		var all []archive.Signature
		err := readSignatures(d.c, id, func(g archive.Signature) { all = append(all, g) })
		if err == nil {
			info.signers, err = d.signers(all)
		}
		if err != nil {
			return nil, err
		}
	}
	d.byID.put(id, info)
	return info, nil
}

// cacheLimit bounds each half of a cache: some MB in all.
const cacheLimit = 2 << 10

// cache keeps what was used of late: when one half is full it becomes the old
// half, and what is found there moves over.
type cache[K comparable, V any] struct {
	young, old map[K]V
}

func (c *cache[K, V]) get(k K) (V, bool) {
	if v, ok := c.young[k]; ok {
		return v, true
	}
	v, ok := c.old[k]
	if ok {
		c.put(k, v)
	}
	return v, ok
}

func (c *cache[K, V]) put(k K, v V) {
	if c.young == nil || len(c.young) >= cacheLimit {
		c.young, c.old = make(map[K]V), c.young
	}
	c.young[k] = v
}
