//go:build !race

package archivetest

const slow = false
