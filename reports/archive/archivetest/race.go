//go:build race

package archivetest

// slow says that the race detector is on: engines are ten times as slow then.
const slow = true
