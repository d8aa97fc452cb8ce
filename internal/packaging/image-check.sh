#!/bin/sh
# image-check.sh DIST: builds the image as a release does, from the binary that
# goreleaser made, and runs it as its user. It needs buildah, root, and no container
# engine and no registry: no stage of it has a base image.
set -eu
dist=$1
work=$(mktemp -d)
fail() { echo "image-check: $*" >&2; exit 1; }
build="buildah --root $work/storage --runroot $work/run --storage-driver vfs"
cleanup() {
	$build umount --all >/dev/null 2>&1 || true
	$build rm --all >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap cleanup EXIT

case $(uname -m) in
x86_64) arch=amd64 ;;
aarch64) arch=arm64 ;;
*) fail "no binary for $(uname -m)" ;;
esac
mkdir -p "$work/context/linux/$arch" "$work/context/contrib"
tar -xzf "$dist"/mailcheck_*_linux_$arch.tar.gz -C "$work/context/linux/$arch" --strip-components=1 --wildcards '*/mailcheck'
cp -r contrib/docker "$work/context/contrib/docker"
$build build --isolation chroot --platform "linux/$arch" --build-arg BINARY=prebuilt \
	--quiet --file Dockerfile --tag mailcheck:check "$work/context" >"$work/log" 2>&1 || fail "the image cannot be built: $(cat "$work/log")"

user=$($build inspect --type image --format '{{.OCIv1.Config.User}}' mailcheck:check)
[ "$user" = 65532:65532 ] || fail "the image runs as $user"
id=$($build from --pull-never mailcheck:check)
root=$($build mount "$id")

# inside COMMAND: as the container runs it, by the user and the environment of the image.
inside() { chroot --userspec="$user" "$root" /usr/bin/mailcheck "$@"; }
export HOME=/var/lib/mailcheck XDG_STATE_HOME=/var/lib/mailcheck/state MAILCHECK_STORE=/var/lib/mailcheck/reports TMPDIR=/var/lib/mailcheck
inside version || fail "mailcheck version fails"
inside lab >/dev/null || fail "mailcheck lab fails"

# The state belongs to the user, and no other file does.
inside reports summary >/dev/null 2>&1 && fail "there are reports in a new image"
printf 'x' | inside reports import - --fail-on none >/dev/null || fail "the archive cannot be written"
[ -n "$(find "$root/var/lib/mailcheck/reports" -type f)" ] || fail "no archive was written"
writable=$(find "$root" -xdev -type f \( -user 65532 -o -perm -0002 \) ! -path "$root/var/lib/mailcheck*" ! -path "$root/dev*" ! -path "$root/proc*")
[ -z "$writable" ] || fail "the user can write to $writable"

# The image has no file of certificates: the roots of TLS are in the binary.
grep -qa "ISRG Root X1" "$root/usr/bin/mailcheck" || fail "the binary has no TLS roots: import golang.org/x/crypto/x509roots/fallback in cmd/mailcheck"
[ ! -e "$root/etc/ssl" ] || fail "there are certificates in the image"
echo "image-check: the image runs as $user, $(du -sm "$root/usr/bin" | cut -f1) MB"
