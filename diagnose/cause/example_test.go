package cause_test

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/diagnose/cause"
)

func ExampleCause_Info() {
	i := cause.NoPTR.Info()
	fmt.Println(i.Whose, i.Checks[0], i.Rules)
	// Output: sender-host ptr [IP001 IP002]
}
