package keys_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/mailcheck-go/mailcheck/dkim/keys"
)

func Example() {
	dir, err := os.MkdirTemp("", "keys")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s1.pem")

	k, err := keys.Generate(keys.Options{})
	if err != nil {
		panic(err)
	}
	if err := k.Create(path, ""); err != nil {
		panic(err)
	}
	fmt.Println(k.Create(path, "") != nil) // a key is never overwritten

	read, _, err := keys.ReadFile(path)
	if err != nil {
		panic(err)
	}
	record, err := read.Record()
	if err != nil {
		panic(err)
	}
	fmt.Println(read.Type(), read.Bits(), k.Matches(record.Key), record.String()[:21])
	// Output:
	// true
	// rsa 2048 true v=DKIM1; k=rsa; p=MII
}

func ExampleParse() {
	k, err := keys.Parse([]byte("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="))
	if err != nil {
		panic(err)
	}
	record, err := k.Record()
	fmt.Println(k.Form(), record, err)
	fmt.Println(k.Warnings(true)[0][:14])
	// Output:
	// Ed25519 seed base64 v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= <nil>
	// Ed25519 alone:
}
