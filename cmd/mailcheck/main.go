// Command mailcheck finds out why mail is not delivered and fixes it.
package main

import (
	"os"

	// The roots of TLS for machines that have none, such as an image from scratch.
	_ "golang.org/x/crypto/x509roots/fallback"

	"github.com/mailcheck-go/mailcheck/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], cli.System()))
}
