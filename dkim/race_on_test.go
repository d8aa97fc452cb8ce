//go:build race

package dkim

// raceFactor is how much slower the race detector may be.
const raceFactor = 40
