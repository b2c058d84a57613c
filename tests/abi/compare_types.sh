#!/usr/bin/env bash
# Compares the types of two plugin headers with abidiff: appended members are no difference, all else
# is. First shows, with headers that are wrong on purpose, that it would see one.
# usage: compare_types.sh C-COMPILER FROZEN.h TODAY.h
set -euo pipefail

compiler=$1 frozen=$(realpath "$2") today=$(realpath "$3")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# A library whose one function takes and gives all tables of the header.
build() { # HEADER NAME
  printf '#include "%s"\nconst ckb_plugin* ckptbridge_plugin_v1(const ckb_host* h) { (void)h; return 0; }\n' \
    "$1" >"$folder/$2.c"
  "$compiler" -g -fPIC -shared -fno-eliminate-unused-debug-types -o "$folder/$2.so" "$folder/$2.c"
}

# Whether NAME.so has all that frozen.so has, where it has it.
same() { # NAME
  abidiff --harmless "$folder/frozen.so" "$folder/$1.so" >"$folder/$1.report" || true
  ! grep -Eq 'offset changed|deletion|name changed from|entity changed|parameter [0-9]+ .*(added|removed)|[1-9][0-9]* Removed' \
    "$folder/$1.report"
}

build "$frozen" frozen
build "$today" today

# name, and a sed script that spoils the header
spoil() {
  sed -E "$2" "$frozen" >"$folder/$1.h"
  ! cmp -s "$frozen" "$folder/$1.h" || { echo "$1: the header is as it was" >&2; exit 1; }
  build "$folder/$1.h" "$1"
  if same "$1"; then
    echo "a header with $1 was not noticed:" >&2
    cat "$folder/$1.report" >&2
    exit 1
  fi
}
spoil inserted_member 's/^(  uint64_t \(\*file_size\))/  void (*inserted)(void);\n\1/'
spoil removed_member '/^  uint64_t \(\*tensor_count\)/d'
spoil changed_parameter 's/uint32_t dim, int64_t begin/uint64_t dim, int64_t begin/'
spoil changed_result 's/^  int32_t \(\*cancelled\)/  int64_t (*cancelled)/'
spoil changed_member 's/^  int32_t partition_dim;/  uint32_t partition_dim;/'

sed -E 's/^(} ckb_(reader|writer|plugin);)/  void (*appended)(void);\n\1/' "$frozen" >"$folder/appended.h"
build "$folder/appended.h" appended
same appended || { echo "appended members were refused:" >&2; cat "$folder/appended.report" >&2; exit 1; }

same today || { echo "$today changed what $frozen has:" >&2; cat "$folder/today.report" >&2; exit 1; }
