#!/usr/bin/env bash
# run_cases.sh FOLDER ENVIRONMENT CASES RESULTS: runs the cases of an environment (run_cases.py, run.sh), whose
# results result.sh tells to ctest one by one. Where the environment is missing, each counts as skipped.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$1 environment=$2 cases=$3 results=$4
rm -rf "$results"
mkdir -p "$results"
status=0
"$here/run.sh" "$folder" "$environment" run_cases.py "$cases" "$results" 2>&1 | tee "$results/log" || status=$?
if ((status == 77)); then
  while IFS=$'\t' read -r name _; do
    cp "$results/log" "$results/$name.log"
    echo 77 >"$results/$name.status"
  done <"$cases"
fi
exit "$status"
