#!/usr/bin/env bash
# The unit tests under AddressSanitizer and UBSan, then what works with threads under ThreadSanitizer.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
packaging/setup.sh all

for preset in asan tsan; do
  cmake --preset "$preset"
  cmake --build --preset "$preset"
  ctest --preset "$preset" -L unit --parallel "$(nproc)" --no-tests=error --output-junit "$PWD/build/$preset/tests.xml"
done
