#!/bin/sh
# Prints the figures of docs/performance.md: the built program against our own
# name server on loopback that delays each reply, then the micro benchmarks. Needs
# Go, no root and no network; takes about two minutes. ROUNDS and BENCHTIME change
# how long.
set -eu
cd "$(dirname "$0")/../.."
GO=${GO:-go}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

# The program as make build makes it.
CGO_ENABLED=0 $GO build -trimpath -ldflags '-s -w' -o "$dir/mailcheck" ./cmd/mailcheck
$GO build -o "$dir/dnsd" ./internal/bench/dnsd
$GO build -o "$dir/bench" ./internal/bench
"$dir/bench" -program "$dir/mailcheck" -dnsd "$dir/dnsd" -rounds "${ROUNDS:-5}" "$@"

echo 'micro benchmarks'
$GO test -run '^$' -bench . -benchtime "${BENCHTIME:-200ms}" -benchmem ./spf ./dkim ./dmarc ./resolve/client |
	grep -E '^(Benchmark|pkg:|FAIL|---)' || true

# Beside other libraries, on the same records and messages. They are modules of
# their own, so that nothing of them reaches the library.
for peer in internal/bench/peers/*/; do
	echo "beside others: $peer"
	(cd "$peer" && GOMAXPROCS=1 $GO test -run '^$' -bench . -benchtime "${BENCHTIME:-200ms}" -benchmem ./... |
		grep -E '^(Benchmark|FAIL|---)') || echo '  not measured: its modules cannot be had here'
done
