#!/bin/sh
# mail-failure UNIT: mails to $MAILTO what a unit wrote to the journal in its last run.
set -eu
unit=$1
# A mail about a unit with such a name would be a mail with headers of a stranger.
case $unit in
*[!A-Za-z0-9:_.@\\-]*) echo "mail-failure: no name of a unit" >&2; exit 3 ;;
esac
host=$(uname -n)
# systemd tells which run it was (since version 251).
if [ -n "${MONITOR_INVOCATION_ID:-}" ]; then
	set -- "_SYSTEMD_INVOCATION_ID=$MONITOR_INVOCATION_ID"
else
	set -- -u "$unit" --since=-30min
fi
{
	printf 'To: %s\nSubject: %s: %s\nAuto-Submitted: auto-generated\n' "${MAILTO:-root}" "$host" "$unit"
	printf 'MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n'
	printf '%s ended with status %s.\n\n' "$unit" "${MONITOR_EXIT_STATUS:-unknown}"
	journalctl --no-pager --output=cat --lines=500 "$@"
} | "${SENDMAIL:-/usr/sbin/sendmail}" -t -i
