package verdict_test

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/message/verdict"
)

func ExampleRead() {
	m := message.Parse([]byte("X-Forefront-Antispam-Report: CIP:192.0.2.1;SCL:-1;SFV:SKN;CAT:NONE;\r\n"+
		"X-Microsoft-Antispam-Mailbox-Delivery: ucf:0;dest:I;\r\n\r\n"), message.Options{})
	r := verdict.Read(&m.Header, verdict.Options{})
	fmt.Println(r.Placement, "void:", r.Void, r.VoidWhy)
	// Output: inbox void: true SCL -1
}
