#!/usr/bin/env bash
# Runs "mailcheck audit" on the inputs, writes the report to the summary of the job,
# and ends as the inputs say. Inputs come from the environment; each becomes one
# argument, and nothing of it is read as shell.
set -euo pipefail

die() {
	echo "mailcheck action: $*" >&2
	echo "exit-code=3" >>"$GITHUB_OUTPUT"
	exit 3
}

case ${INPUT_ON_UNKNOWN:=warn} in
warn | fail | ignore) ;;
*) die "on-unknown has to be warn, fail or ignore" ;;
esac
# A line break in the path would be another line of the outputs.
[[ ${INPUT_SARIF_FILE:=} != *[[:cntrl:]]* ]] || die "sarif-file is not the name of a file"

# words TEXT: its words, without expansion of file names.
words() { read -r -d '' -a list <<<"$1" || true; }

flags=(--color never)
[[ -z ${INPUT_CONFIG:-} ]] || flags+=("--config=$INPUT_CONFIG")
flags+=("--fail-on=${INPUT_FAIL_ON:=error}")
[[ -z ${INPUT_PROFILES:-} ]] || flags+=("--profile=${INPUT_PROFILES//[[:space:]]/}")
words "${INPUT_SELECTORS:-}"
for word in ${list[@]+"${list[@]}"}; do flags+=("--selector=$word"); done
words "${INPUT_ADDRESSES:-}"
for word in ${list[@]+"${list[@]}"}; do flags+=("--ip=$word"); done
while IFS= read -r line; do
	line=${line%$'\r'}
	[[ -z $line ]] || flags+=("$line")
done <<<"${INPUT_ARGS:-}"
words "${INPUT_DOMAINS:-}"
domains=(${list[@]+"${list[@]}"})

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# audit FLAG...: runs it, and sets status. The flags of the action come last, so that
# they win over those of args.
audit() {
	status=0
	"$MAILCHECK" audit domain ${flags[@]+"${flags[@]}"} "$@" -- ${domains[@]+"${domains[@]}"} || status=$?
}

audit --output=markdown --output-file="$work/report.md" 2>"$work/errors"
first=$status

# What strangers publish must not be read as commands of the runner.
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$token"
cat "$work/errors" >&2
[[ ! -s $work/report.md ]] || cat "$work/report.md"
echo
echo "::$token::"

# A summary may have a megabyte.
limit=1000000
if [[ -s $work/report.md ]]; then
	head -c "$limit" "$work/report.md" >>"$GITHUB_STEP_SUMMARY"
	(($(wc -c <"$work/report.md") <= limit)) || printf '\n\nThe report was cut here; the log has all of it.\n' >>"$GITHUB_STEP_SUMMARY"
fi

sarif=
if [[ -n $INPUT_SARIF_FILE && $first -le 2 ]]; then
	audit --output=sarif "--output-file=$INPUT_SARIF_FILE" 2>"$work/errors"
	[[ ! -f $INPUT_SARIF_FILE ]] || sarif=$INPUT_SARIF_FILE
	# DNS may answer otherwise the second time: a finding counts, whichever saw it.
	case $first,$status in
	0,* | 2,1) first=$status ;;
	*,[3-9]) first=$status ;;
	esac
fi

{
	echo "exit-code=$first"
	echo "sarif-file=$sarif"
} >>"$GITHUB_OUTPUT"

case $first in
0) ;;
1)
	echo "::error title=mailcheck::There are findings at or above ${INPUT_FAIL_ON//[^a-z]/}. The summary of the job lists them."
	exit 1
	;;
2)
	case $INPUT_ON_UNKNOWN in
	fail)
		echo "::error title=mailcheck::Something could not be known. The summary of the job lists it."
		exit 2
		;;
	warn) echo "::warning title=mailcheck::Something could not be known. The summary of the job lists it." ;;
	esac
	;;
*)
	echo "::error title=mailcheck::mailcheck ended with status $first. The log tells why."
	exit "$first"
	;;
esac
