# Debian's servers for the lab and the story; sourced with the root of the tree as
# the working directory. As root on Debian, what is missing is installed. Exim and
# Postfix exclude each other there, so Exim is unpacked beside Postfix, and is found
# by PATH.

exim_dir=${MAILCHECK_LAB_DIR:-/var/cache/mailcheck-lab}/exim
PATH=$PATH:/usr/sbin:$exim_dir/usr/sbin
export PATH

can_install() { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; }

apt_updated=
# apt_install installs packages, each on its own: without one, the tests that need
# it say so, and the others run. A service that is just installed must not start
# and take port 25 or 53.
apt_install() {
	policy=/usr/sbin/policy-rc.d
	ours=
	if [ ! -e "$policy" ]; then
		ours=1
		trap 'rm -f "$policy"' EXIT
		trap 'exit 130' INT TERM
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	[ -n "$apt_updated" ] || apt-get update -qq
	apt_updated=1
	for p in "$@"; do
		echo "lab: installing $p"
		TMPDIR=/var/tmp DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$p" >/dev/null ||
			echo "lab: $p cannot be installed"
		if command -v systemctl >/dev/null 2>&1; then
			systemctl disable "$p" >/dev/null 2>&1 || true
		fi
	done
	if [ -n "$ours" ]; then
		rm -f "$policy"
		trap - EXIT INT TERM
	fi
}

# missing_packages prints the packages of those "program:package" pairs whose
# program is not there.
missing_packages() {
	for pair in "$@"; do
		command -v "${pair%%:*}" >/dev/null 2>&1 || printf '%s ' "${pair##*:}"
	done
}

# unpack_exim puts Exim, with SPF, where it hurts nobody.
unpack_exim() {
	command -v exim4 >/dev/null 2>&1 && return 0
	can_install || return 1
	echo 'lab: unpacking exim4-daemon-heavy'
	work=$(mktemp -d)
	(
		chmod 755 "$work" && cd "$work" && apt-get -o APT::Sandbox::User=root download -qq exim4-daemon-heavy exim4-config >/dev/null &&
			mkdir -p "$exim_dir" && for deb in *.deb; do dpkg -x "$deb" "$exim_dir"; done
	) || { rm -rf "$work"; return 1; }
	rm -rf "$work"
	# Its libraries are those that Debian names; exim4-base holds only scripts.
	libs=$(ldd "$exim_dir/usr/sbin/exim4" | awk '/not found/ {print $1}')
	if [ -n "$libs" ]; then
		apt_install libspf2-2 libmariadb3 libpq5 libgnutls-dane0 libldap-2.5-0 libperl5.36 libidn12 libnsl2 libdb5.3
	fi
	# The user that Debian's binary runs as.
	getent passwd Debian-exim >/dev/null || useradd --system --user-group --home-dir /var/spool/exim4 --shell /usr/sbin/nologin Debian-exim
	exim4 --version >/dev/null 2>&1
}

name_servers='nsd:nsd knotd:knot unbound:unbound dnssec-signzone:bind9-utils ldns-signzone:ldnsutils delv:bind9-dnsutils named:bind9 jq:jq unbound-host:unbound-host'
mail_filters='opendkim:opendkim opendkim-genkey:opendkim-tools rspamd:rspamd dkimverify:python3-dkim'
mail_servers='postconf:postfix doveadm:dovecot-core /usr/lib/dovecot/imap:dovecot-imapd /usr/lib/dovecot/lmtp:dovecot-lmtpd sievec:dovecot-sieve spfquery:spfquery redis-server:redis-server ip:iproute2'

# story_servers installs all that the story needs, and fails if something lacks.
story_servers() {
	[ "$(id -u)" -eq 0 ] || return 1
	# shellcheck disable=SC2086
	missing=$(missing_packages $name_servers $mail_filters $mail_servers)
	/usr/bin/python3 -c 'import nacl' >/dev/null 2>&1 || missing="$missing python3-nacl"
	if [ -n "$missing" ]; then
		can_install || return 1
		# shellcheck disable=SC2086
		apt_install $missing
	fi
	unpack_exim || { echo 'story: exim4 cannot be unpacked'; return 1; }
	# shellcheck disable=SC2086
	missing=$(missing_packages $name_servers $mail_filters $mail_servers)
	[ -z "$missing" ] || { echo "story: not installed: $missing"; return 1; }
}
