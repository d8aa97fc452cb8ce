#!/bin/sh
# inspect.sh DIST: looks into the archives and packages that goreleaser made.
set -eu
dist=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "inspect: $*" >&2; exit 1; }
# has LIST NAME...: the list of files has each of the names.
has() {
	list=$1
	shift
	for name; do
		grep -qxF -- "$name" "$list" || fail "$list has no $name: $(head -n 20 "$list")"
	done
}

(cd "$dist" && sha256sum --quiet -c checksums.txt) || fail "the checksums do not match"

for target in linux_amd64 linux_arm64 darwin_amd64 darwin_arm64 freebsd_amd64 freebsd_arm64 windows_amd64 windows_arm64; do
	case $target in
	windows_*) archive=$(ls "$dist"/mailcheck_*_"$target".zip) binary=mailcheck.exe ;;
	*) archive=$(ls "$dist"/mailcheck_*_"$target".tar.gz) binary=mailcheck ;;
	esac
	top=$(basename "$archive" .tar.gz)
	top=$(basename "$top" .zip)
	case $target in
	windows_*) unzip -Z1 "$archive" >"$work/$target" 2>/dev/null || python3 -m zipfile -l "$archive" | awk 'NR > 1 { print $1 }' >"$work/$target" ;;
	*) tar -tzf "$archive" >"$work/$target" ;;
	esac
	for name in "$binary" README.md LICENSE SECURITY.md CHANGELOG.md man/mailcheck.1 man/mailcheck-audit-domain.1 \
		completions/mailcheck.bash completions/_mailcheck completions/mailcheck.fish completions/mailcheck.ps1 \
		contrib/systemd/mailcheck-audit@.service contrib/systemd/mailcheck-audit@.timer contrib/cron/mailcheck.cron; do
		has "$work/$target" "$top/$name"
	done
done

# The archive for this machine runs.
case $(uname -s)-$(uname -m) in
Linux-x86_64) here=linux_amd64 ;;
Linux-aarch64) here=linux_arm64 ;;
*) here= ;;
esac
if [ -n "$here" ]; then
	tar -xzf "$dist"/mailcheck_*_"$here".tar.gz -C "$work"
	"$(ls "$work"/mailcheck_*/mailcheck)" lab >/dev/null || fail "mailcheck lab fails"
fi

if command -v dpkg-deb >/dev/null 2>&1; then
	for arch in amd64 arm64; do
		deb=$(ls "$dist"/mailcheck_*_linux_$arch.deb)
		[ "$(dpkg-deb -f "$deb" Architecture)" = $arch ] || fail "$deb has another architecture"
		dpkg-deb -c "$deb" | awk '{ print $6 }' >"$work/deb-$arch"
		has "$work/deb-$arch" ./usr/bin/mailcheck ./usr/share/man/man1/mailcheck.1.gz \
			./usr/share/bash-completion/completions/mailcheck ./usr/share/zsh/vendor-completions/_mailcheck \
			./usr/share/fish/vendor_completions.d/mailcheck.fish ./usr/lib/systemd/system/mailcheck-audit@.service \
			./usr/lib/systemd/system/mailcheck-reports.timer ./usr/lib/sysusers.d/mailcheck.conf \
			./usr/lib/mailcheck/mail-failure ./etc/mailcheck/reports.env ./usr/share/doc/mailcheck/copyright
		dpkg-deb -c "$deb" | grep -v ' root/root ' && fail "$deb has files that are not of root"
		dpkg-deb -c "$deb" | awk '$1 ~ /^-.......w/ { bad = 1 } END { exit bad }' || fail "$deb has a file that all may write"
		[ "$(dpkg-deb -I "$deb" conffiles)" = /etc/mailcheck/reports.env ] || fail "$deb: reports.env is no configuration file"
	done
	if [ -n "$here" ]; then
		dpkg-deb -x "$dist"/mailcheck_*_"$here".deb "$work/root"
		"$work/root/usr/bin/mailcheck" version >/dev/null || fail "the binary of the deb does not run"
		gzip -t "$work"/root/usr/share/man/man1/*.gz
		# Installed by dpkg into a root of its own: the database, the configuration
		# file, and away again.
		if [ "$(id -u)" = 0 ] && [ "$here" = linux_amd64 ]; then
			mkdir -p "$work/inst/var/lib/dpkg/info" "$work/inst/var/lib/dpkg/updates"
			: >"$work/inst/var/lib/dpkg/status"
			dpkg --root="$work/inst" --force-script-chrootless --force-depends --log=/dev/null \
				--no-triggers -i "$dist"/mailcheck_*_"$here".deb >"$work/dpkg" 2>&1 || fail "dpkg -i: $(cat "$work/dpkg")"
			[ -x "$work/inst/usr/bin/mailcheck" ] || fail "dpkg installed no mailcheck"
			! command -v systemd-sysusers >/dev/null 2>&1 || grep -q '^mailcheck:' "$work/inst/etc/passwd" || fail "installing made no user"
			dpkg --root="$work/inst" --force-script-chrootless --log=/dev/null -r mailcheck >"$work/dpkg" 2>&1 || fail "dpkg -r: $(cat "$work/dpkg")"
			[ ! -e "$work/inst/usr/bin/mailcheck" ] || fail "dpkg left mailcheck"
			[ -e "$work/inst/etc/mailcheck/reports.env" ] || fail "removing took the configuration"
		fi
	fi
fi

if command -v rpm >/dev/null 2>&1; then
	for arch in amd64 arm64; do
		file=$(ls "$dist"/mailcheck_*_linux_$arch.rpm)
		rpm -qp --list --nosignature "$file" >"$work/rpm-$arch"
		has "$work/rpm-$arch" /usr/bin/mailcheck /usr/share/man/man1/mailcheck.1.gz /usr/share/zsh/site-functions/_mailcheck \
			/usr/lib/systemd/system/mailcheck-audit@.service /usr/lib/sysusers.d/mailcheck.conf
		[ "$(rpm -qp --configfiles --nosignature "$file")" = /etc/mailcheck/reports.env ] || fail "$file: reports.env is no configuration file"
	done
else
	for arch in amd64 arm64; do
		[ -s "$(ls "$dist"/mailcheck_*_linux_$arch.rpm)" ] || fail "no rpm for $arch"
	done
	echo "inspect: the rpm were not looked into: there is no rpm here"
fi
echo "inspect: archives and packages hold what they should"
