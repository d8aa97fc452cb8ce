#!/bin/sh
# Proves that a release can be made: goreleaser accepts the configuration, builds
# every target, and its archives and packages hold what they should and work.
#
#   release-check.sh          goreleaser check, one binary, the systemd units
#   release-check.sh full     also all archives and packages, twice, and compared; and
#                             the image, with buildah, installed when root
#
# goreleaser is built from source once and kept in $MAILCHECK_TOOLS (default: the
# user's cache directory). Nothing is published and nothing outside of dist, bin and the
# cache is written. Without a way to build goreleaser this fails if CI is set, and
# says that it was skipped otherwise.
set -eu
cd "$(dirname "$0")/../.."

GORELEASER=v2.16.0 # v2.17 and later need a module that the module proxy refuses
tools=${MAILCHECK_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/mailcheck/tools}
tool=$tools/goreleaser-$GORELEASER
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "release-check: $*" >&2; exit 1; }
step() { echo "release-check: $*"; }
# run prints what a command said only if it fails.
run() { "$@" >"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2; fail "$* failed"; }; }

if ! [ -x "$tool" ]; then
	step "building goreleaser $GORELEASER, once; it takes some minutes"
	if ! (unset GOOS GOARCH; CGO_ENABLED=0 GOWORK=off GOFLAGS=-mod=mod GOBIN="$work/bin" \
		go install -trimpath -ldflags '-s -w' "github.com/goreleaser/goreleaser/v2@$GORELEASER" >"$work/log" 2>&1); then
		tail -n 5 "$work/log" >&2
		[ -z "${CI:-}" ] || fail "goreleaser $GORELEASER cannot be built"
		step "SKIPPED: goreleaser $GORELEASER cannot be built here"
		exit 0
	fi
	mkdir -p "$tools"
	mv "$work/bin/goreleaser" "$tool"
fi

# goreleaser wants a repository with a commit, a remote and no change. Those of the
# person who runs this are let alone: the tree as it is goes to a repository of its own.
step "copying the tree"
git ls-files -z --cached --others --exclude-standard >"$work/files"
mkdir "$work/tree"
tar -c --null --ignore-failed-read -T "$work/files" -f - 2>/dev/null | tar -x -C "$work/tree" -f -
cd "$work/tree"
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
git init -q -b main
git remote add origin https://git.invalid/mailcheck-go/mailcheck.git
git add -A
GIT_AUTHOR_DATE='2026-01-02T03:04:05Z' GIT_COMMITTER_DATE='2026-01-02T03:04:05Z' \
	git -c user.name=release-check -c user.email=nobody@localhost.invalid commit -q -m 'release-check'
git tag v0.0.1

step "goreleaser check"
run "$tool" check

if [ "${1:-}" != full ]; then
	step "goreleaser build, for this machine"
	run "$tool" build --snapshot --single-target --clean --output "$work/mailcheck"
	"$work/mailcheck" version | grep -q '^mailcheck v0\.0\.2-snapshot' || fail "the version is not in the binary: $("$work/mailcheck" version)"
	step "ok"
	exit 0
fi

step "goreleaser release, all targets"
run "$tool" release --snapshot --clean --skip=docker,publish
cp -r dist "$work/first"
sh internal/packaging/inspect.sh "$work/first"

step "the same again: the bytes have to be the same"
run "$tool" release --snapshot --clean --skip=docker,publish
cmp "$work/first/checksums.txt" dist/checksums.txt || fail "two builds of one commit differ"

if ! command -v buildah >/dev/null 2>&1 && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	step "installing buildah"
	run apt-get update
	run env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends buildah
fi
if command -v buildah >/dev/null 2>&1; then
	sh internal/packaging/image-check.sh "$work/first"
elif [ -n "${CI:-}" ]; then
	fail "buildah is not there: apt-get install buildah"
else
	step "SKIPPED: the image, as buildah is not there"
fi
step "ok"
