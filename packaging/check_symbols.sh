#!/usr/bin/env bash
# Fails if a program or plugin asks the system for more than RHEL 9 and Ubuntu 22.04 have: a symbol newer
# than GLIBC_2.34, GLIBCXX_3.4.29 or CXXABI_1.3.13, or another library than those of the compiler. What
# links libtorch comes from the system's own package, and is not looked at.
# usage: check_symbols.sh FILE...
set -euo pipefail

allowed='libc|libm|libstdc\+\+|libgcc_s|ld-linux-x86-64|libdl|libpthread'
declare -A newest=([GLIBC]=2.34 [GLIBCXX]=3.4.29 [CXXABI]=1.3.13)
failed=0
checked=0
for file in "$@"; do
  needed=$(objdump -p "$file" | awk '$1 == "NEEDED" { print $2 }')
  grep -q '^libtorch' <<<"$needed" && continue
  checked=$((checked + 1))
  if grep -Ev "^($allowed)\.so" <<<"$needed" >&2; then
    echo "$file: links the libraries above, which not every system has" >&2
    failed=1
  fi
  if objdump -p "$file" | grep -E '^ *(RPATH|RUNPATH)' >&2; then
    echo "$file: has a folder of libraries built in" >&2
    failed=1
  fi
  while read -r name version; do
    [[ -n ${newest[$name]:-} ]] || continue
    limit=${newest[$name]}
    if [[ $(printf '%s\n%s\n' "$version" "$limit" | sort -V | tail -n 1) != "$limit" ]]; then
      echo "$file: asks for ${name}_$version, newer than ${name}_$limit:" >&2
      objdump -T "$file" | grep -F "${name}_$version" | sed 's/^[^(]*/  /' >&2
      failed=1
    fi
  done < <(objdump -T "$file" | grep -oE '(GLIBC|GLIBCXX|CXXABI)_[0-9.]+' | sort -u | tr _ ' ')
done
((checked > 0)) || { echo "nothing to check" >&2; exit 1; }
exit "$failed"
