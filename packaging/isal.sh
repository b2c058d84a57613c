#!/usr/bin/env bash
# Builds libisal.a, which Debian does not package, from Debian's own source package: FOLDER/libisal.a.
# usage: isal.sh FOLDER (needs nasm)
set -euo pipefail

folder=$(realpath -m "$1")
[[ -e $folder/libisal.a ]] && exit
mkdir -p "$folder/apt/lists/partial"

# The machine's own package sources, asked for source packages too, in lists of our own.
uri=$(apt-get indextargets --format '$(SITE) $(RELEASE)' 'Created-By: Packages' |
  awk '/bookworm/ && !n++')
read -r site release <<<"$uri"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb-src [signed-by=$keyring] $site $release main" >"$folder/apt/sources.list"
apt=(apt-get --quiet -o Dir::Etc::sourcelist="$folder/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
  -o Dir::State::lists="$folder/apt/lists" -o Dir::Cache="$folder/apt")
"${apt[@]}" update
cd "$folder"
"${apt[@]}" source --download-only libisal
dpkg-source --extract libisal_*.dsc source
make --directory source --file Makefile.unx --jobs 2 units=crc lib >"$folder/build.log" 2>&1 ||
  { tail -n 20 "$folder/build.log" >&2; exit 1; }
cp source/bin/isa-l.a libisal.a
