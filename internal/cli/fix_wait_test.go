package cli

import (
	"testing"
	"time"
)

func TestWaitWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		48 * time.Hour: "2 days", 24 * time.Hour: "1 day", 36 * time.Hour: "36 hours", time.Hour: "1 hour", 90 * time.Minute: "90 minutes",
		5 * time.Second: "5 seconds", 1500 * time.Millisecond: "1.5s",
	} {
		if got := waitWords(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
