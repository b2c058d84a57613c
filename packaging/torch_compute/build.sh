#!/usr/bin/env bash
# Builds the plugin torch-compute against a given libtorch, and places it beside the other plugins: for
# systems that have ckptbridge from an rpm or a tarball, and libtorch by other means.
# usage: build.sh LIBTORCH [PLUGINS]
#   LIBTORCH  its folder; for PyTorch from PyPI it is what this prints:
#             python -c 'import torch; print(torch.utils.cmake_prefix_path)'
#   PLUGINS   default: lib/ckptbridge/plugins-1 of the ckptbridge that this file came with
# needs CMake, a C++20 compiler, {fmt}'s headers, and what is for authors of plugins (ckptbridge-dev)
set -euo pipefail

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
prefix=$(realpath "$here/../../..") # of …/share/ckptbridge/torch-compute
torch=${1:?usage: build.sh LIBTORCH [PLUGINS]}
plugins=${2:-$prefix/lib/ckptbridge/plugins-1}
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

cmake -S "$here" -B "$build/build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$torch;$prefix"
cmake --build "$build/build"
cmake --install "$build/build" --prefix "$build/installed"
mkdir -p "$plugins"
cp "$build"/installed/lib/ckptbridge/plugins-1/torch-compute.* "$plugins"
echo "torch-compute is in $plugins"
