#!/usr/bin/env bash
# Runs the oracles against the newest PyTorch, megatron-core and DeepSpeed: canary.sh [BUILD [FOLDER]],
# by default build/release and build/canary. For maintainers, weekly: what fails here and not in
# `ctest -L oracle` is what a release of one of them changed.
#
# The environments are made anew each time. Tests of a pinned neighbour (megatron-0.12, …) count as
# skipped. Ends with the exit code of ctest.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(cd "${1:-$here/../../build/release}" && pwd)
folder=${2:-$here/../../build/canary}
rm -rf "$folder"
mkdir -p "$folder/requirements"
folder=$(cd "$folder" && pwd)

# The packages of setup.sh, without the versions that it pins.
for name in torch megatron deepspeed safetensors; do
  sed 's/==.*//' "$here/requirements-$name.txt" > "$folder/requirements/$name.txt"
done
# make_newest NAME: with what these releases need, but one PyTorch for all.
make_newest() {
  local environment=$folder/$1
  python3 -m venv "$environment"
  if [[ $1 != torch ]]; then
    "$folder/torch/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
      > "$("$environment/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/torch.pth"
  fi
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade \
    -r "$folder/requirements/$1.txt"
  touch "$environment/installed.txt"
}
make_newest torch
make_newest megatron
make_newest deepspeed
make_newest safetensors

for name in torch megatron-core deepspeed safetensors numpy; do
  for environment in "$folder"/*/bin/python; do
    "$environment" -c 'import importlib.metadata, sys
try: print("canary:", sys.argv[1], importlib.metadata.version(sys.argv[1]))
except importlib.metadata.PackageNotFoundError: sys.exit(1)' "$name" && break
  done || echo "canary: no $name"
done
CKPTBRIDGE_ORACLE_DIR=$folder ctest --test-dir "$build" -L oracle --output-on-failure
