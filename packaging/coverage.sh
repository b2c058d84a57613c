#!/usr/bin/env bash
# Line coverage of core and of plugins/torch_file by the unit tests: coverage.sh [HTML-FOLDER]
# Fails below 90 %. tests/README.md says what is not covered, and why.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
command -v gcovr >/dev/null || {
  echo "error: gcovr is missing; on Debian: apt-get install gcovr" >&2
  exit 2
}

cmake --preset coverage
cmake --build --preset coverage
find build/coverage -name '*.gcda' -delete
# Not those of what things cost: code that is not optimised and counts its lines costs more.
ctest --preset coverage -L unit --exclude-regex 'HostileFile|InLessThan' --parallel "$(nproc)" \
  --output-on-failure

html=()
if (($# > 0)); then
  mkdir -p "$1"
  html=(--html-details "$1/index.html")
fi
gcovr --root . --object-directory build/coverage --filter core/ --filter plugins/torch_file/ \
  --gcov-ignore-parse-errors --exclude-throw-branches --exclude-unreachable-branches \
  --print-summary --sort-uncovered --fail-under-line 90 "${html[@]}"
