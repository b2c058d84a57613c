#!/usr/bin/env bash
# Installs what the project needs on Debian 12: setup.sh [build|test|package|all], by default all.
#   build  to build and run ckptbridge
#   test   for the tests: GoogleTest, libtorch, and the Python environments of the oracles
#   package  to build packages and test their installation; all does not include it
# Asks the system for nothing that is there already. Uses sudo unless run by root.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

build_packages=(
  ccache
  cmake
  g++
  libboost-dev
  libboost-filesystem-dev
  libcli11-dev
  libfmt-dev
  libisal-dev
  libxxhash-dev
  ninja-build
  nlohmann-json3-dev
  zlib1g-dev
)
test_packages=(
  abigail-tools
  clang-16
  fish
  libc++-16-dev
  libc++abi-16-dev
  libbenchmark-dev
  libgmock-dev
  libgtest-dev
  libtorch-dev # most of the 0.9 GB of these; only the tests labelled torch use it
  make # what a plugin of a third party is built with
  python3-venv
  strace
  zsh
)

package_packages=(
  debootstrap
  dpkg-dev
  lintian
  nasm
  rpm
)

install_packages() {
  local missing=() package
  for package in "$@"; do
    if [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
      missing+=("$package")
    fi
  done
  if ((${#missing[@]} == 0)); then
    return
  fi
  echo "installing ${missing[*]}"
  local as_root=()
  if ((EUID != 0)); then
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update --quiet
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes \
    --no-install-recommends "${missing[@]}"
}

what=${1:-all}
case $what in
  build | test | package | all) ;;
  *)
    echo "usage: setup.sh [build|test|package|all]" >&2
    exit 2
    ;;
esac
if [[ $what != test ]]; then
  install_packages "${build_packages[@]}"
fi
if [[ $what == package ]]; then
  install_packages "${package_packages[@]}"
  exit
fi
if [[ $what != build ]]; then
  install_packages "${test_packages[@]}"
  tests/oracle/setup.sh build/oracle
fi
