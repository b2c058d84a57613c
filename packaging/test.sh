#!/usr/bin/env bash
# Installs what the tests need, builds, and runs all tests, those against PyTorch and Megatron included.
# On Debian 12 everything that a test wants can be had, so a skipped test fails the run.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
used_before=$(df --output=used -B1M . | tail -n 1)

packaging/setup.sh all
cmake --preset release -DCKPTBRIDGE_BUILD_TESTS=ON -DCKPTBRIDGE_TORCH=ON
cmake --build --preset release

report=$PWD/build/release/tests.xml
rm -f "$report"
status=0
ctest --preset release --parallel "$(nproc)" --no-tests=error --output-junit "$report" || status=$?

# A number of the whole run, from the report's first element.
total() {
  sed -n "/^[[:space:]]*$1=\"\([0-9]*\)\".*/{s//\1/p;q}" "$report"
}
run=$(total tests) failed=$(total failures) skipped=$(($(total skipped) + $(total disabled)))
echo
echo "testing took $((SECONDS / 60)) min $((SECONDS % 60)) s" \
  "and $(($(df --output=used -B1M . | tail -n 1) - used_before)) MB of disk"
echo "$((run - failed - skipped)) passed, $failed failed, $skipped skipped"
if ((skipped > 0)); then
  echo "error: $skipped tests were skipped (listed above); all can run after packaging/setup.sh" >&2
  exit 1
fi
exit "$status"
