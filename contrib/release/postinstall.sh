#!/bin/sh
# The user that the units run as, and that owns /var/lib/mailcheck. No unit is
# enabled: which domains are looked at is for the administrator to say.
set -e
root=${DPKG_ROOT:-} # not empty when dpkg builds a system in a directory
if command -v systemd-sysusers >/dev/null 2>&1; then
	systemd-sysusers ${root:+"--root=$root"} mailcheck.conf
elif [ -z "$root" ] && ! getent passwd mailcheck >/dev/null; then
	getent group mailcheck >/dev/null || groupadd --system mailcheck
	useradd --system --gid mailcheck --home-dir /var/lib/mailcheck --no-create-home \
		--shell /usr/sbin/nologin --comment mailcheck mailcheck
fi
if [ -z "$root" ] && [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
fi
