// Package spfbench measures package spf beside blitiri.com.ar/go/spf, with the
// same records and answers from memory. It is a module of its own, so that the
// peer is no dependency of the library:
//
//	cd bench/spf && go test -bench . -benchmem
package spfbench
