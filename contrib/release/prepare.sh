#!/bin/sh
# Makes what a release holds beside the binary and is not in the tree: the
# completions and the compressed man pages, in bin/release. The same commit gives
# the same bytes.
set -eu
cd "$(dirname "$0")/../.."
out=bin/release
rm -rf "$out"
mkdir -p "$out/completions" "$out/man"

# The tool of the machine that builds, whatever is built for.
unset GOOS GOARCH
CGO_ENABLED=0 go build -trimpath -o "$out/mailcheck" ./cmd/mailcheck
"$out/mailcheck" completion bash >"$out/completions/mailcheck.bash"
"$out/mailcheck" completion zsh >"$out/completions/_mailcheck"
"$out/mailcheck" completion fish >"$out/completions/mailcheck.fish"
"$out/mailcheck" completion powershell >"$out/completions/mailcheck.ps1"
rm "$out/mailcheck"

for page in docs/man/*.1; do
	gzip -9 -n <"$page" >"$out/man/$(basename "$page").gz" # -n: without name and time
done
