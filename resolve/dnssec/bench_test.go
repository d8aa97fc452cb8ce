package dnssec_test

import (
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve/dnssec"
)

// A new validator has to prove the root, two zones and the answer; a used one
// only the answer.
func BenchmarkValidate(b *testing.B) {
	w := newWorld(b, zones()...)
	used := newValidator(b, w, dnssec.Options{})
	for _, q := range []string{"mx.good.test A", "nothing.salt3.test A"} {
		b.Run("new/"+q, func(b *testing.B) {
			for b.Loop() {
				newValidator(b, w, dnssec.Options{}).Validate(b.Context(), question(q))
			}
		})
		b.Run("used/"+q, func(b *testing.B) {
			for b.Loop() {
				used.Validate(b.Context(), question(q))
			}
		})
	}
}
