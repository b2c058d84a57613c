#!/usr/bin/env bash
# Installs what is needed, builds, converts the small checkpoint that comes with the sources, and shows
# what came out. Debian 12.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
used_before=$(df --output=used -B1M . | tail -n 1)

packaging/setup.sh build
cmake --preset release -DCKPTBRIDGE_BUILD_TESTS=OFF
cmake --build --preset release

output=build/quickstart/nemo2
rm -rf "$output"
mkdir -p "$(dirname "$output")"
command=(build/release/bin/ckptbridge convert_to_nemo
  --model-path tests/golden/nemo2/input_tiny.pt
  --output-dir "$output"
  --profile tests/golden/nemo2/tiny_profile.json)
echo
echo "\$ ${command[*]}"
"${command[@]}"

echo
echo "$output, with sizes in bytes:"
find "$output" -type f -printf '%10s  %P\n' | sort -k 2
echo
echo "quickstart took $((SECONDS / 60)) min $((SECONDS % 60)) s" \
  "and $(($(df --output=used -B1M . | tail -n 1) - used_before)) MB of disk"
