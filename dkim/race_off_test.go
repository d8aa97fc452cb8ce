//go:build !race

package dkim

// raceFactor leaves room for a busy machine.
const raceFactor = 4
