//go:build story

package story

import "testing"

func TestStory(t *testing.T) {
	w := newWorld(t)
	w.play("The name servers", func(t *testing.T) {
		w.startDNS()
	})
	w.play("The mail servers", func(t *testing.T) {
		w.startMail()
	})
}
