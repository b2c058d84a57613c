#!/usr/bin/env bash
# Runs both commands of the README on a machine that has nothing: a fresh root of Debian 12 (minbase) in
# build/roots/bare, as its root, in a clone below the closed folder /root, without /dev/pts and machine id. What is
# committed is tried. Ends as packaging/test.sh there ends. For maintainers, weekly; as root, after setup.sh package.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
umask 022
. packaging/roots.sh
root=$(fresh_root bare)
git clone --quiet --no-hardlinks . "$root/root/ckptbridge"
# pip reaches its index there as it does here.
settings=()
while IFS= read -r setting; do settings+=("$setting"); done < <(env | grep -iE '^(PIP_[A-Z_]*|[a-z]*_proxy)=')
for file in /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
  [[ ! -e $file ]] || install -D --mode=644 "$file" "$root$file"
done
inside "$root" env "${settings[@]}" sh -c 'cd /root/ckptbridge && packaging/quickstart.sh && packaging/test.sh'
