module github.com/mailcheck-go/mailcheck/internal/bench/peers/spf

go 1.26.0

require (
	blitiri.com.ar/go/spf v1.6.0
	github.com/mailcheck-go/mailcheck v0.0.0
)

require (
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/mailcheck-go/mailcheck => ../../../..
