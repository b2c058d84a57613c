#!/usr/bin/env bash
# Builds the plugins of this folder with the given compilers, and converts NumPy arrays with them.
# usage: build_and_use.sh FOLDER C-COMPILER C++-COMPILER [C++-FLAGS]
# with CKPTBRIDGE_PREFIX, where ckptbridge is installed, and CKPTBRIDGE_SOURCE, its sources
set -euo pipefail

folder=$1 cc=$2 cxx=$3 flags=${4:-}
golden=$CKPTBRIDGE_SOURCE/tests/golden/npy
rm -rf "$folder"

cmake -S "$CKPTBRIDGE_SOURCE/tests/third_party/plugins" -B "$folder/build" \
  -DCMAKE_PREFIX_PATH="$CKPTBRIDGE_PREFIX" -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_CXX_FLAGS="$flags"
cmake --build "$folder/build"
plugins=$folder/build/lib/ckptbridge/plugins-1
if [[ $flags == *libc++* ]]; then
  grep -q 'libc++.so' <<<"$(ldd "$plugins/acme.renamer.so")" # not only asked for, but so
fi

# Spelled out, and with a chain that the manifests give.
"$CKPTBRIDGE_PREFIX/bin/ckptbridge" run acme.npy-reader path="$golden/in" \
  ! acme.renamer table="$golden/table.txt" ! acme.safetensors-writer path="$folder/spelled" \
  --plugin-dir "$plugins"
"$CKPTBRIDGE_PREFIX/bin/ckptbridge" convert "$golden/in" "$folder/found" --to acme-safetensors \
  --table "$golden/table.txt" --plugin-dir "$plugins"
cmp "$folder/spelled/model.safetensors" "$golden/renamed.safetensors"
cmp "$folder/found/model.safetensors" "$golden/renamed.safetensors"

# Installed as its author would, it is found without an option.
cmake --install "$folder/build" --prefix "$folder/home/.local"
mkdir -p "$folder/home/.local/share"
mv "$folder/home/.local/lib/ckptbridge" "$folder/home/.local/share/"
listed=$(CKPTBRIDGE_PLUGIN_PATH='' "$CKPTBRIDGE_PREFIX/bin/ckptbridge" plugins \
  --plugin-dir "$folder/home/.local/share/ckptbridge/plugins-1")
grep -q '^acme.npy-reader' <<<"$listed"

# What a plugin of theirs reports reaches the user.
printf 'bias no-such\nbais model.bias\n' >"$folder/slip.txt"
if "$CKPTBRIDGE_PREFIX/bin/ckptbridge" convert "$golden/in" "$folder/wrong" --to acme-safetensors \
  --table "$folder/slip.txt" --plugin-dir "$plugins" 2>"$folder/message"; then
  echo "a table with a slip was taken" >&2
  exit 1
fi
grep -q 'acme.renamer: .*renames bais, but there is no tensor of this name' "$folder/message"
[[ ! -e $folder/wrong ]]
