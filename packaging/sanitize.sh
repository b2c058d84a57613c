#!/usr/bin/env bash
# The unit tests under AddressSanitizer and UBSan, then what works with threads under ThreadSanitizer.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
packaging/setup.sh all

cmake --preset asan
cmake --build --preset asan
ctest --preset asan -L unit --parallel "$(nproc)" --no-tests=error

cmake --preset tsan
cmake --build --preset tsan
ctest --preset tsan --parallel "$(nproc)" --no-tests=error
