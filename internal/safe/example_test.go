package safe_test

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/internal/safe"
)

func ExampleText() {
	fmt.Println(safe.Text("v=spf1 \x1b[32mPASS\x1b[0m -all"))
	fmt.Println(safe.Text("mx.\u202egro.elpmaxe"))
	// Output:
	// v=spf1 \x1b[32mPASS\x1b[0m -all
	// mx.\u{202e}gro.elpmaxe
}

func ExampleLimit() {
	fmt.Println(safe.Limit("550 5.7.1 rejected\r\n", 9))
	// Output: 550 5.7.1… (20 octets)
}
