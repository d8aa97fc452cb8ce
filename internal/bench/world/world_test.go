package world_test

import (
	"testing"

	"github.com/mailcheck-go/mailcheck/internal/bench/world"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

func TestZone(t *testing.T) {
	z, err := zonetest.Parse(world.Zone(40), zonetest.Options{World: true})
	if err != nil {
		t.Fatal(err)
	}
	if w := z.Warnings(); len(w) > 0 {
		t.Errorf("warnings: %q", w)
	}
	mx := map[int]int{}
	for i := range 40 {
		mx[len(z.Records(resolve.MustName(world.Domain(i)), resolve.TypeMX))]++
	}
	// Of ten, four have five MX, three one, two two, and the broken one one.
	if mx[5] != 16 || mx[1] != 16 || mx[2] != 8 {
		t.Errorf("domains by number of MX: %v", mx)
	}
}
