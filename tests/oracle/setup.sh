#!/usr/bin/env bash
# Makes the Python environments of the oracle tests: setup.sh [FOLDER], by default build/oracle.
# Does nothing for those that are complete. Needs python3-venv.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:-$here/../../build/oracle}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

# make NAME REQUIREMENTS [PIP OPTION]...
make() {
  local name=$1 requirements=$2
  shift 2
  local environment=$folder/$name
  # A copy of what was installed; the last thing written, so that half an installation has none.
  if cmp -s "$requirements" "$environment/installed.txt"; then
    echo "oracle environment $name: ready in $environment"
    return
  fi
  echo "oracle environment $name: installing into $environment"
  rm -rf "$environment"
  if [[ $name == torch ]]; then
    python3 -m venv "$environment"
  else
    # One PyTorch for all, its wheel is the largest thing by far, and one pip, which takes long to install.
    python3 -m venv --without-pip "$environment"
    "$folder/torch/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
      > "$("$environment/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/torch.pth"
  fi
  "$folder/torch/bin/python" -m pip --python "$environment/bin/python" install --quiet \
    --disable-pip-version-check "$@" -r "$requirements"
  cp "$requirements" "$environment/installed.txt"
}

make torch "$here/requirements-torch.txt"
make megatron "$here/requirements-megatron.txt" --no-deps
# Its neighbours, oldest and newest, for what all of them must be able to load.
make megatron-0.12 "$here/requirements-megatron-0.12.txt" --no-deps
make megatron-0.16 "$here/requirements-megatron-0.16.txt" --no-deps
make deepspeed "$here/requirements-deepspeed.txt" --no-deps
make safetensors "$here/requirements-safetensors.txt" --no-deps
make zarr "$here/requirements-zarr.txt" --no-deps
