package raw

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"archive/zip"
)

// Keep decides what stays in the packs.
type Keep struct {
	Document func(Member) (bool, error)
	Line     func(Line) bool
}

// Removed counts what Remove removed.
type Removed struct {
	Documents int64 `json:"documents"`
	Lines     int64 `json:"lines"`
	Packs     int64 `json:"packs"` // of which nothing was left
	Octets    int64 `json:"octets"`
	// Damaged packs were let alone.
	Damaged []string `json:"damaged"`
}

// Remove removes documents and lines. A pack is written anew under its name, in
// one step; what was removed before an error stays removed.
func (d *Dir) Remove(ctx context.Context, keep Keep) (Removed, error) {
	out := Removed{Damaged: []string{}}
	packs, err := d.Packs()
	if err != nil {
		return out, err
	}
	for _, name := range packs {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		switch err := d.thin(name, keep, &out); {
		case errors.Is(err, ErrDamaged):
			out.Damaged = append(out.Damaged, name)
		case err != nil:
			return out, err
		}
	}
	d.mu.Lock()
	d.refused = nil
	d.mu.Unlock()
	return out, nil
}

// thin removes from one pack.
func (d *Dir) thin(name string, keep Keep, out *Removed) error {
	p, err := d.Pack(name)
	if err != nil {
		return err
	}
	defer p.Close()
	var stay []*zip.File
	var gone Removed
	for m := range p.Members() {
		ok, err := keep.Document(m)
		if err != nil {
			return err
		}
		if f := p.members[m.Sum]; ok {
			stay = append(stay, f)
		} else {
			gone.Documents++
			gone.Octets += int64(f.CompressedSize64)
		}
	}
	w := &Writer{dir: d}
	defer w.Abort()
	lines := 0
	for l, err := range p.Lines() {
		switch {
		case err != nil:
			return err
		case !keep.Line(l):
			gone.Lines++
			continue
		}
		lines++
		if err := w.Line(l); err != nil {
			return err
		}
	}
	path := filepath.Join(d.path, name)
	switch {
	case gone.Documents == 0 && gone.Lines == 0:
		return nil
	case lines == 0 && len(stay) == 0:
		p.Close()
		if err := os.Remove(path); err != nil {
			return err
		}
		gone.Packs++
	default:
		if err := w.open(); err != nil {
			return err
		}
		for _, f := range stay {
			if err := w.zip.Copy(f); err != nil {
				return p.damaged(err)
			}
		}
		p.Close() // where an open file cannot be replaced
		if err := w.seal(path); err != nil {
			return err
		}
	}
	out.Documents += gone.Documents
	out.Lines += gone.Lines
	out.Packs += gone.Packs
	out.Octets += gone.Octets
	return nil
}
