#!/bin/sh
# Plays the story (see doc.go): installs Debian's servers when root, builds the
# command and the tests, and runs them in namespaces that end with this script.
set -eu
cd "$(dirname "$0")/../.."
PATH=$PATH:/usr/sbin
export PATH

. internal/lab/servers.sh
if ! story_servers; then
	if [ "${CI:-}" = true ]; then
		echo 'story: FAILED: the servers cannot be installed'
		exit 1
	fi
	echo 'story: SKIPPED: only root can install the servers and make namespaces'
	exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
CGO_ENABLED=0 ${GO:-go} build -trimpath -o "$work/mailcheck" ./cmd/mailcheck
CGO_ENABLED=0 ${GO:-go} test -tags story -c -o "$work/story.test" ./internal/story
PATH=$work:$PATH
export PATH
# A network without a way out, and a process namespace: whatever happens, all
# servers, links and mounts go when the tests end.
cd internal/story
# What the servers said is long: what failed stands last.
{
	STORY_OUTER=1 unshare --net --mount --ipc --pid --fork --kill-child --mount-proc \
		"$work/story.test" -test.v -test.count=1 -test.failfast -test.timeout=20m ${STORY_RUN:+-test.run "$STORY_RUN"} 2>&1 ||
		echo $? >"$work/failed"
} | tee "$work/out"
if [ -e "$work/failed" ]; then
	echo 'story: FAILED:'
	grep -v ' said:$' "$work/out" | grep -A 12 '^ \+[a-z0-9_]*_test\.go:[0-9]*: ' | cut -c 1-500 | head -40
	exit 1
fi
