package mailbox

import (
	"context"

	"github.com/emersion/go-imap/v2"
)

// Folders gives every folder with its attributes (RFC 9051, Section 7.3.1; RFC
// 6154, Section 2), such as \Junk.
func (b *imapBox) Folders(ctx context.Context) (map[string][]string, error) {
	out := map[string][]string{}
	err := b.do(ctx, smallAnswer, func() error {
		var opt *imap.ListOptions
		if b.client.Caps().Has(imap.CapSpecialUse) && b.client.Caps().Has(imap.CapListExtended) {
			opt = &imap.ListOptions{ReturnSpecialUse: true}
		}
		list, err := b.client.List("", "*", opt).Collect()
		for _, x := range list {
			attrs := []string{}
			for _, a := range x.Attrs {
				attrs = append(attrs, string(a))
			}
			out[x.Mailbox] = attrs
		}
		return err
	})
	return out, err
}
