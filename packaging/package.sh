#!/usr/bin/env bash
# Builds all packages into build/packages: .deb, .rpm and the tarball, with SHA256SUMS and an SBOM. The
# same sources give the same bytes. Debian 12.
# usage: package.sh [RELEASE [BUILD-FOLDER [OUTPUT-FOLDER]]]
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
release=${1:-1}
build=$(realpath -m "${2:-build/package}")
output=$(realpath -m "${3:-build/packages}")
umask 022
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export TZ=UTC

packaging/isal.sh build/isal
# The folders' names are in debug information and nowhere else; that is stripped.
configure() { # FOLDER-OF-ZSH
  cmake -S . -B "$build" -G Ninja -Wno-dev -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_INSTALL_PREFIX=/usr \
    -DCKPTBRIDGE_BUILD_TESTS=OFF -DCKPTBRIDGE_STATIC_DEPS=ON \
    -DCKPTBRIDGE_ISAL="$PWD/build/isal/libisal.a" -DCKPTBRIDGE_PACKAGE_RELEASE="$release" \
    -DCKPTBRIDGE_ZSH_COMPLETIONS="share/zsh/$1" >"$build.log" 2>&1 || {
    cat "$build.log" >&2
    exit 1
  }
}
rm -rf "$output"
mkdir -p "$output"
pack() { # GENERATOR FOLDER-OF-ZSH
  configure "$2"
  rm -rf "$build/_CPack_Packages"
  (cd "$build" && cpack -G "$1" -B "$build/cpack" >"$build/cpack-$1.log" 2>&1) || {
    cat "$build/cpack-$1.log" >&2
    exit 1
  }
}
configure vendor-completions
cmake --build "$build"
packaging/check_symbols.sh "$build"/bin/ckptbridge* "$build"/lib/ckptbridge/plugins-1/*.so
rm -rf "$build/cpack"
pack DEB vendor-completions
pack RPM site-functions
pack TGZ site-functions
mv "$build"/cpack/*.{deb,rpm,tar.gz} "$output"

version=$(sed -n 's/^project(ckptbridge VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
packaging/sbom.sh "$version" "$output" >"$output/ckptbridge-$version.spdx"
(cd "$output" && sha256sum ./*.deb ./*.rpm ./*.tar.gz ./*.spdx >SHA256SUMS)
ls -l "$output"
