#!/usr/bin/env bash
# Runs the conformance kit on a plugin, and compares the tests that fail with those that should.
# usage: expect_failures.sh PROGRAM MANIFEST SAMPLE [FAILED-TEST]...
set -euo pipefail

program=$1 manifest=$2 sample=$3
shift 3
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r "$sample" "$copy/sample"

status=0
"$program" "$manifest" --sample "$copy/sample" --time-limit 2 >"$copy/report" || status=$?
sed -n 's/^failed   \([^:]*\):.*/\1/p' "$copy/report" | sort >"$copy/found"
printf '%s\n' "$@" | sed '/^$/d' | sort >"$copy/expected"
if ! diff "$copy/expected" "$copy/found" || [[ $status -ne $(($# > 0)) ]]; then
  cat "$copy/report"
  exit 1
fi
grep '^failed' "$copy/report" || true
