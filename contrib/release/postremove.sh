#!/bin/sh
# The archive of reports and the user that owns it stay: they are the
# administrator's. To remove them as well:
#   rm -r /var/lib/mailcheck && userdel mailcheck
set -e
if [ -z "${DPKG_ROOT:-}" ] && [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
fi
