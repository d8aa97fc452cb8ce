#!/bin/sh
# Runs the tests against real servers. As root on Debian, NSD, Knot DNS, Unbound,
# OpenDKIM, rspamd, Exim and dkimpy are installed first; they run on free ports of
# the loopback addresses, and only for the time of a test.
set -eu
cd "$(dirname "$0")/../.."
PATH=$PATH:/usr/sbin
export PATH

missing=
for pair in nsd:nsd knotd:knot unbound:unbound dnssec-signzone:bind9-utils ldns-signzone:ldnsutils delv:bind9-dnsutils named:bind9 jq:jq unbound-host:unbound-host; do
	command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done

# A service of a package just installed must not start and take port 53.
policy=/usr/sbin/policy-rc.d
install_servers() {
	if [ ! -e "$policy" ]; then
		trap 'rm -f "$policy"' EXIT
		trap 'exit 130' INT TERM
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	apt-get update -qq
	# Each on its own: without all but NSD, their tests are skipped.
	for p in $missing; do
		echo "lab: installing $p"
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$p" >/dev/null ||
			echo "lab: $p cannot be installed"
		if command -v systemctl >/dev/null 2>&1; then
			systemctl disable "$p" >/dev/null 2>&1 || true
		fi
	done
}

# The mail filters prove the guides of "mailcheck dkim setup". Exim is left out
# where another mail server is installed: installing it would remove that one.
for pair in opendkim:opendkim opendkim-genkey:opendkim-tools rspamd:rspamd dkimverify:python3-dkim; do
	command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
if ! command -v exim4 >/dev/null 2>&1 && ! [ -e /usr/sbin/sendmail ]; then
	missing="$missing exim4-daemon-light"
fi
case $missing in *python3-dkim*) missing="$missing python3-nacl" ;; esac

if [ -n "$missing" ]; then
	if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
		install_servers
	else
		echo "lab: not installed:$missing; to install:  sudo apt-get install$missing"
	fi
fi

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
