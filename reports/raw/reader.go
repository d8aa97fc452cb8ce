package raw

import (
	"archive/zip"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"iter"
	"path/filepath"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/source"
)

const (
	maxLine     = 1 << 20   // octets of a line of the ledger
	maxMembers  = 1_000_000 // of a pack: more than a batch holds by far
	maxDocument = source.DefaultBytes
)

// Member is a document in a pack.
type Member struct {
	Sum      archive.Sum
	Kind     archive.Kind
	Rejected bool // no parser could read it when the pack was made
	Size     int64
	At       time.Time // when the pack was made
}

// Pack is a pack that is open for reading.
type Pack struct {
	Name    string
	zip     *zip.ReadCloser
	members map[archive.Sum]*zip.File
}

// Pack opens a pack.
func (d *Dir) Pack(name string) (*Pack, error) {
	if !packName.MatchString(name) {
		return nil, fmt.Errorf("%w: %q is not the name of a pack", ErrMissing, name)
	}
	z, err := zip.OpenReader(filepath.Join(d.path, name))
	var pe *fs.PathError
	switch {
	case errors.As(err, &pe):
		return nil, err
	case err != nil && !errors.Is(err, zip.ErrInsecurePath): // such members are not looked at
		return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, name, err)
	}
	p := &Pack{Name: name, zip: z, members: map[archive.Sum]*zip.File{}}
	if len(z.File) > maxMembers {
		z.Close()
		return nil, fmt.Errorf("%w: %s: more than %d members", ErrDamaged, name, maxMembers)
	}
	for _, f := range z.File {
		if sum, _, ok := member(f.Name); ok {
			p.members[sum] = f
		}
	}
	return p, nil
}

// Close closes the pack.
func (p *Pack) Close() error { return p.zip.Close() }

// Members yields the documents in the order they were added.
func (p *Pack) Members() iter.Seq[Member] {
	return func(yield func(Member) bool) {
		for _, f := range p.zip.File {
			if sum, kind, ok := member(f.Name); ok && !yield(Member{sum, kind, f.Comment == rejected, int64(f.UncompressedSize64), f.Modified}) {
				return
			}
		}
	}
}

// Lines yields the ledger. A line that is none ends it with an error.
func (p *Pack) Lines() iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		for _, f := range p.zip.File {
			if f.Name != ledgerName {
				continue
			}
			rc, err := f.Open()
			if err != nil {
				yield(Line{}, p.damaged(err))
				return
			}
			defer rc.Close()
			sc := bufio.NewScanner(rc)
			sc.Buffer(nil, maxLine)
			for sc.Scan() {
				var l Line
				if err := json.Unmarshal(sc.Bytes(), &l); err != nil {
					yield(Line{}, p.damaged(err))
					return
				}
				if !yield(l, nil) {
					return
				}
			}
			if err := sc.Err(); err != nil {
				yield(Line{}, p.damaged(err))
			}
			return
		}
	}
}

func (p *Pack) damaged(err error) error { return fmt.Errorf("%w: %s: %w", ErrDamaged, p.Name, err) }

// Has tells whether a document is in the pack.
func (p *Pack) Has(sum archive.Sum) (Member, bool) {
	f := p.members[sum]
	if f == nil {
		return Member{}, false
	}
	_, kind, _ := member(f.Name)
	return Member{sum, kind, f.Comment == rejected, int64(f.UncompressedSize64), f.Modified}, true
}

// Open reads a document. Its end is an error if the content has another sum.
func (p *Pack) Open(sum archive.Sum) (io.ReadCloser, error) {
	f := p.members[sum]
	if f == nil {
		return nil, fmt.Errorf("%w: %s in %s", ErrMissing, sum, p.Name)
	}
	rc, err := f.Open()
	if err != nil {
		return nil, p.damaged(err)
	}
	return &verified{rc: rc, want: sum, h: sha256.New(), p: p}, nil
}

// verified reads a member and compares its sum.
type verified struct {
	rc   io.ReadCloser
	want archive.Sum
	h    hash.Hash
	n    int64
	p    *Pack
}

func (v *verified) Read(b []byte) (int, error) {
	n, err := v.rc.Read(b)
	v.h.Write(b[:n])
	if v.n += int64(n); v.n > maxDocument {
		return n, fmt.Errorf("%w: %s in %s has more than %d octets", ErrLimit, v.want, v.p.Name, int64(maxDocument))
	}
	switch {
	case err == io.EOF && archive.Sum(v.h.Sum(nil)) != v.want:
		return n, v.p.damaged(fmt.Errorf("%s has another content", v.want))
	case err != nil && err != io.EOF:
		return n, v.p.damaged(err)
	}
	return n, err
}

func (v *verified) Close() error { return v.rc.Close() }

// Get finds a document in any pack. It looks through all of them.
func (d *Dir) Get(ctx context.Context, sum archive.Sum) (io.ReadCloser, Member, error) {
	packs, err := d.Packs()
	if err != nil {
		return nil, Member{}, err
	}
	for _, name := range packs {
		if err := ctx.Err(); err != nil {
			return nil, Member{}, err
		}
		p, err := d.Pack(name)
		if errors.Is(err, ErrDamaged) {
			continue
		} else if err != nil {
			return nil, Member{}, err
		}
		if m, ok := p.Has(sum); ok {
			rc, err := p.Open(sum)
			if err != nil {
				p.Close()
				return nil, Member{}, err
			}
			return closers{rc, p}, m, nil
		}
		p.Close()
	}
	return nil, Member{}, fmt.Errorf("%w: %s", ErrMissing, sum)
}

type closers struct {
	io.ReadCloser
	pack *Pack
}

func (c closers) Close() error { return errors.Join(c.ReadCloser.Close(), c.pack.Close()) }
