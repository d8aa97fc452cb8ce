package narrow

import "testing"

func TestBasis(t *testing.T) {
	for _, c := range []struct {
		p    Plan
		want string
	}{
		{Plan{Mails: 12600, Hosts: 1, Days: 30}, "none of 12600 mails from 1 host in 30 days"},
		{Plan{Mails: 1, Hosts: 2, Days: 1}, "none of 1 mail from 2 hosts in 1 day"},
		{Plan{Mails: 2, Hosts: 2}, "none of 2 mails from 2 hosts in a period that is not known"},
	} {
		if got := c.p.basis(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
