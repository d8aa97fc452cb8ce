// Package dkim measures mailcheck's DKIM beside github.com/emersion/go-msgauth on
// the same messages, and compares their verdicts on messages that were changed at
// random. It is a module of its own, so that mailcheck does not depend on the peer.
//
//	GOMAXPROCS=1 go test -bench . ./...
//	go test -run Differential -v ./...
package dkim
