#!/bin/sh
# Runs the tests against real servers. As root on Debian, NSD, Knot DNS, Unbound,
# OpenDKIM, rspamd and dkimpy are installed first, and Exim is unpacked; they run on
# free ports of the loopback addresses, and only for the time of a test.
set -eu
cd "$(dirname "$0")/../.."
. internal/lab/servers.sh

# shellcheck disable=SC2086
missing=$(missing_packages $name_servers $mail_filters)
/usr/bin/python3 -c 'import nacl' >/dev/null 2>&1 || missing="$missing python3-nacl"
if [ -n "$missing" ]; then
	if can_install; then
		# shellcheck disable=SC2086
		apt_install $missing
	else
		echo "lab: not installed: $missing; to install:  sudo apt-get install $missing"
	fi
fi
unpack_exim || echo 'lab: no Exim; its tests say so'

if ! command -v nsd >/dev/null 2>&1; then
	if [ "${CI:-}" = true ]; then
		echo 'lab: FAILED: nsd is needed and cannot be installed'
		exit 1
	fi
	echo 'lab: SKIPPED: nsd is not installed, and only root can install it'
	exit 0
fi

${GO:-go} test -tags lab -count=1 -v ./internal/lab/... >"${TMPDIR:-/tmp}/mailcheck-lab.$$" 2>&1 && status=0 || status=$?
# -v tells what was skipped and compared; the names of hundreds of passed
# subtests are of no interest.
grep -Ev '^=== |^ *--- PASS: .*/' "${TMPDIR:-/tmp}/mailcheck-lab.$$" || true
rm -f "${TMPDIR:-/tmp}/mailcheck-lab.$$"
exit "$status"
