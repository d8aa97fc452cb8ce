package arc_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/dkim/arc"
	"github.com/mailcheck-go/mailcheck/resolve"
)

func ExampleValidate() {
	msg := "ARC-Seal: i=2; a=rsa-sha256; cv=fail; d=list.example; s=s; b=AAAA\r\n" +
		"ARC-Message-Signature: i=2; a=rsa-sha256; d=list.example; s=s; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n" +
		"ARC-Authentication-Results: i=2; list.example; arc=fail\r\n" +
		"From: alice@author.example\r\n\r\n"
	r, err := arc.Validate(context.Background(), strings.NewReader(msg), resolve.Offline, arc.Options{})
	fmt.Println(r.Status, r.Reason, err)
	fmt.Println(r.Explanation)
	// Output:
	// fail cv-fail <nil>
	// "list.example" found the chain broken already when it sealed set 2
}
