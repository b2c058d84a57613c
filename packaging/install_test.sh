#!/usr/bin/env bash
# Installs, uses, upgrades and removes what package.sh built, in clean roots below build/roots:
#   deb      a fresh Debian 12 (debootstrap) without any of the build's packages; the guide for authors
#            is followed there word for word, against ckptbridge-dev
#   rpm      the same Debian without ckptbridge, by rpm's own program and database. The database knows no
#            other package, so requirements are not resolved (--nodeps) but printed; RHEL was not tried
#   tarball  an empty folder, as a user who is not root, then moved
#   lint     lintian finds no error; SHA256SUMS is right; the program asks for no network
#   twice    a second build, in another folder, gives the same bytes
# usage: install_test.sh [lint|deb|rpm|tarball|twice]... (all; as root, after setup.sh package)
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
packages=$PWD/build/packages upgrade=$PWD/build/packages-2
tests=("$@")
((${#tests[@]})) || tests=(lint deb rpm tarball twice)
umask 022
. packaging/roots.sh

step() { echo "== $*"; }

# The same packages with a higher release, for the upgrade.
[[ -d $upgrade ]] || packaging/package.sh 2 "$PWD/build/package" "$upgrade" >/dev/null

# What a conversion must give: the bytes that the build's own program writes here.
expected=$roots/expected
rm -rf "$expected"
build/package/bin/ckptbridge convert_checkpoint_model_parallel_evo2 --progress none \
  --source_dir tests/golden/zero1/z1_mp1/global_step10 --output_dir "$expected" --mp_size 2 \
  --record-output-dir out >/dev/null

base() { # NAME
  local root
  root=$(fresh_root "$1")
  mkdir "$root/trial"
  cp -r tests/golden/zero1/z1_mp1/global_step10 "$root/trial/in"
  echo "$root"
}

# Converts and compares, and looks at what a user sees first.
use() { # ROOT
  rm -rf "$1/trial/out"
  inside "$1" sh -c 'cd /trial && ckptbridge convert_checkpoint_model_parallel_evo2 --progress none \
    --source_dir in --output_dir out --mp_size 2' >/dev/null
  diff -r "$expected" "$1/trial/out" || fail "another output than here"
  inside "$1" ckptbridge plugins >"$1/trial/plugins"
  ! grep 'cannot be used' "$1/trial/plugins" || fail "a plugin cannot be used"
  grep -q '^zero1-reader' "$1/trial/plugins"
  [[ -s $1/usr/share/man/man1/ckptbridge-convert.1.gz ]] || fail "no manual page"
  local offered
  offered=$(inside "$1" bash -c '. /usr/share/bash-completion/completions/ckptbridge
    COMP_WORDS=(ckptbridge convert --mod) COMP_CWORD=2; _ckptbridge; echo "${COMPREPLY[*]}"')
  grep -qw -e --model-size <<<"$offered" || fail "no completion"
}

files_left() { # ROOT LIST
  local left=0 file
  while read -r file; do
    [[ -z $file || -d $1$file ]] && continue
    [[ ! -e $1$file ]] || { echo "left behind: $file" >&2; left=1; }
  done <"$2"
  [[ ! -e $1/usr/lib/ckptbridge ]] || { echo "left behind: /usr/lib/ckptbridge" >&2; left=1; }
  return "$left"
}

test_lint() {
  step "lint"
  (cd "$packages" && sha256sum --check --quiet SHA256SUMS)
  lintian --fail-on error "$packages"/*.deb
  local package
  for package in "$packages"/*.deb; do
    ! dpkg-deb --info "$package" | grep -E ' (pre|post)(inst|rm)' || fail "$package has a maintainer script"
    ! dpkg-deb --contents "$package" | grep -E '^-..[sS]|^-.....[sS]' || fail "$package has a setuid file"
  done
  ! objdump -T build/package/bin/ckptbridge build/package/lib/ckptbridge/plugins-1/*.so |
    grep -wE 'socket|connect|getaddrinfo' || fail "a program opens connections"
}

test_twice() {
  step "twice: the same bytes from another folder"
  packaging/package.sh 1 "$PWD/build/package-again" "$PWD/build/packages-again" >/dev/null
  diff "$packages/SHA256SUMS" build/packages-again/SHA256SUMS || fail "other bytes"
  cat "$packages/SHA256SUMS"
}

test_deb() {
  local root
  root=$(base deb)
  cp "$packages"/*.deb "$root/trial"
  mkdir "$root/trial/upgrade"
  cp "$upgrade"/*.deb "$root/trial/upgrade"

  step "deb: install and use on a fresh system, without network"
  inside "$root" sh -c 'dpkg --install /trial/ckptbridge_*.deb' >/dev/null
  inside "$root" dpkg-query --show --showformat='${Package} ${Version} provides ${Provides}\n' ckptbridge
  use "$root"

  step "deb: a third party's plugin, by the guide, against ckptbridge-dev"
  inside "$root" sh -c 'dpkg --install /trial/ckptbridge-dev_*.deb' >/dev/null
  inside "$root" sh -c 'apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes \
    --no-install-recommends g++ cmake make gawk' >"$roots/deb-apt.log" 2>&1 ||
    { tail "$roots/deb-apt.log" >&2; fail "no compiler"; }
  cp tests/third_party/follow.sh include/README.md "$root/trial"
  inside "$root" env CKPTBRIDGE_PREFIX=/usr bash /trial/follow.sh /trial/guide /trial/README.md
  inside "$root" cmake --install /trial/guide/work/acme/build >/dev/null
  local plugin=/usr/local/lib/ckptbridge/plugins-1/acme.f32-reader.json
  inside "$root" ckptbridge-plugin-check $plugin --sample /trial/guide/work/acme/model | tail -n 1

  step "deb: upgrade; the third party's plugin goes on working"
  inside "$root" sh -c 'dpkg --install /trial/upgrade/ckptbridge_*.deb /trial/upgrade/ckptbridge-dev_*.deb' >/dev/null
  [[ $(inside "$root" dpkg-query --show --showformat='${Version}' ckptbridge) == *-2 ]] || fail "no upgrade"
  use "$root"
  inside "$root" ckptbridge run acme.f32-reader path=/trial/guide/work/acme/model \
    ! zero1-writer path=/trial/acme-out --progress none >/dev/null

  step "deb: remove"
  inside "$root" dpkg --listfiles ckptbridge ckptbridge-dev >"$root/trial/files"
  inside "$root" dpkg --purge ckptbridge-dev ckptbridge >/dev/null
  files_left "$root" "$root/trial/files" || fail "files are left"
  [[ -e $root$plugin ]] || fail "the third party's plugin was removed, too"
}

test_rpm() {
  local root
  root=$(base rpm)
  step "rpm: install and use"
  rpm --root "$root" --initdb
  rpm --root "$root" --install --nodeps "$packages"/ckptbridge-[0-9]*.rpm
  echo "requires $(rpm --root "$root" --query --requires ckptbridge | grep -v '^rpmlib' |
    grep -oE '^[^(]*|GLIBC(XX)?_[0-9.]+' | sort -V | uniq | grep -vE '^$' |
    awk '/^GLIBCXX/ { x = $0; next } /^GLIBC/ { g = $0; next } { print } END { print g; print x }' | paste -sd ' ')"
  grep -q 'ckptbridge(plugin-abi) = 1.0' <<<"$(rpm --root "$root" --query --provides ckptbridge)" ||
    fail "provides"
  [[ -z $(rpm --root "$root" --query --scripts ckptbridge) ]] || fail "has scripts"
  use "$root"
  rpm --root "$root" --install --nodeps "$packages"/ckptbridge-dev-*.rpm
  inside "$root" ckptbridge-plugin-check /usr/lib/ckptbridge/plugins-1/zero1-reader.json \
    --sample /trial/in | tail -n 1

  step "rpm: upgrade"
  rpm --root "$root" --upgrade --nodeps "$upgrade"/ckptbridge-[0-9]*.rpm "$upgrade"/ckptbridge-dev-*.rpm
  [[ $(rpm --root "$root" --query --queryformat '%{release}' ckptbridge) == 2 ]] || fail "no upgrade"
  rpm --root "$root" --verify --nodeps ckptbridge ckptbridge-dev || fail "files differ from the package's"
  use "$root"

  step "rpm: remove"
  rpm --root "$root" --query --list ckptbridge ckptbridge-dev >"$root/trial/files"
  rpm --root "$root" --erase --nodeps ckptbridge-dev ckptbridge
  files_left "$root" "$root/trial/files" || fail "files are left"
}

test_tarball() {
  local folder user=(setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs env -i PATH=/usr/bin:/bin HOME=/nonexistent)
  folder=$(mktemp -d /tmp/ckptbridge-tarball.XXXXXX)
  step "tarball: unpack as a user, use, move, use"
  cp "$packages"/*.tar.gz "$folder/package.tar.gz"
  cp -r tests/golden/zero1/z1_mp1/global_step10 "$folder/in"
  chown -R 65534:65534 "$folder"
  (
    cd "$folder"
    "${user[@]}" tar --extract --file package.tar.gz
    local unpacked
    unpacked=$(echo ckptbridge-*)
    for name in "$unpacked" moved; do
      [[ -d $name ]] || "${user[@]}" mv "$unpacked" "$name"
      "${user[@]}" "$name/bin/ckptbridge" convert_checkpoint_model_parallel_evo2 --progress none \
        --source_dir in --output_dir out --mp_size 2 >/dev/null
      diff -r "$expected" out || fail "another output than here"
      rm -rf out
      "${user[@]}" "$name/bin/ckptbridge-plugin-check" "$name/lib/ckptbridge/plugins-1/zero1-reader.json" \
        --sample in | tail -n 1
    done
  )
  rm -rf "$folder"
}

for name in "${tests[@]}"; do "test_$name"; done
echo "all passed: ${tests[*]}"
