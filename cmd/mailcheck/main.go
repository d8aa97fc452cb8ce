// Command mailcheck finds out why mail is not delivered and fixes it.
package main

import (
	"os"

	"github.com/mailcheck-go/mailcheck/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], cli.System()))
}
