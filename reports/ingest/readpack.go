package ingest

import (
	"context"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// readPack reads a pack as its ledger has it.
func (r *run) readPack(ctx context.Context, u *unit) {
	broken := func(err error) {
		r.send(ctx, u, &document{path: u.pack, err: err, lost: true})
	}
	p, err := r.opt.Raw.Pack(u.pack)
	if err != nil {
		u.unread = true
		broken(err)
		return
	}
	defer p.Close()
	done := map[archive.Sum]bool{}
	for l, err := range p.Lines() {
		if err != nil {
			broken(err)
			return
		}
		d := &document{path: l.Path, kind: l.Kind, line: &l}
		if m, ok := p.Has(l.Sum); ok && !done[l.Sum] {
			done[l.Sum] = true
			d.kind = m.Kind
			if rc, err := p.Open(l.Sum); err != nil {
				d.damaged = true
				broken(err)
			} else {
				d.spool, err = r.opt.Raw.Spool(m.Kind, rc)
				rc.Close()
				if d.spool == nil {
					d.fatal = err
				} else if err != nil {
					// What is left of it has another sum, and is not the document.
					d.spool.Close()
					d.spool, d.damaged = nil, true
					broken(err)
				}
			}
		}
		if !r.send(ctx, u, d) {
			return
		}
	}
}
