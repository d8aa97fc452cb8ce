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
	w.play("Act 1: the mail is refused", func(t *testing.T) {
		actRefused(w)
	})
	w.play("Act 2: the domain is repaired", func(t *testing.T) {
		actRepaired(w)
	})
	w.play("Referees", func(t *testing.T) {
		actRefereed(w)
	})
	w.play("Act 3: the policy is enforced", func(t *testing.T) {
		actReported(w)
	})
	w.play("Act 4: the server moves", func(t *testing.T) {
		actMoved(w)
	})
}
