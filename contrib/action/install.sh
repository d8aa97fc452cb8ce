#!/usr/bin/env bash
# Puts mailcheck into $RUNNER_TEMP and its path into the output "mailcheck": built from
# the action's own source, or, if INPUT_VERSION names a release, downloaded from the
# action's repository and compared with the checksum that the release states.
set -euo pipefail

die() {
	echo "mailcheck action: $*" >&2
	exit 3
}

bin=$RUNNER_TEMP/mailcheck-action
mkdir -p "$bin"
suffix=
[[ ${RUNNER_OS:-} != Windows ]] || suffix=.exe

if [[ -z ${INPUT_VERSION:-} ]]; then
	(cd "$ACTION_PATH" && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$bin/mailcheck$suffix" ./cmd/mailcheck)
	echo "mailcheck=$bin/mailcheck$suffix" >>"$GITHUB_OUTPUT"
	exit 0
fi

[[ $INPUT_VERSION =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || die "version has to look like v0.1.0"
[[ $ACTION_REPOSITORY =~ ^[0-9A-Za-z._-]+/[0-9A-Za-z._-]+$ ]] || die "the repository of the action is not known: leave version empty"
case ${RUNNER_OS:-} in
Linux) os=linux ;;
macOS) os=darwin ;;
Windows) os=windows ;;
*) die "there is no release for ${RUNNER_OS:-this system}: leave version empty" ;;
esac
case ${RUNNER_ARCH:-} in
X64) arch=amd64 ;;
ARM64) arch=arm64 ;;
*) die "there is no release for ${RUNNER_ARCH:-this machine}: leave version empty" ;;
esac
archive=mailcheck_${INPUT_VERSION#v}_${os}_$arch.tar.gz
[[ $os != windows ]] || archive=${archive%.tar.gz}.zip
from=$GITHUB_SERVER_URL/$ACTION_REPOSITORY/releases/download/$INPUT_VERSION

cd "$bin"
for file in checksums.txt "$archive"; do
	curl --silent --show-error --fail --location --proto '=https' --proto-redir '=https' --tlsv1.2 \
		--retry 3 --max-time 300 --output "$file" "$from/$file" || die "cannot download $file"
done

# One line, for this very name: a list without it would make the check succeed idly.
grep -E "^[0-9a-f]{64}  $archive\$" checksums.txt >checksum || die "checksums.txt has no $archive"
if command -v sha256sum >/dev/null; then
	sha256sum --check --quiet checksum || die "$archive is not what the release says"
else
	shasum --algorithm 256 --check --quiet checksum || die "$archive is not what the release says"
fi

top=${archive%.tar.gz}
top=${top%.zip}
if [[ $os == windows ]]; then
	unzip -q -o -j "$archive" "$top/mailcheck.exe"
else
	tar -xzf "$archive" --strip-components 1 "$top/mailcheck"
fi
echo "mailcheck=$bin/mailcheck$suffix" >>"$GITHUB_OUTPUT"
