#!/usr/bin/env bash
# result.sh RESULTS NAME: says what a case said that run_cases.sh ran, and ends as it ended.
set -euo pipefail

if [[ ! -e $1/$2.status ]]; then
  echo "$2 has no result, since the test oracle.cases_of_$(basename "$1") ended before" >&2
  exit 1
fi
cat "$1/$2.log"
exit "$(cat "$1/$2.status")"
