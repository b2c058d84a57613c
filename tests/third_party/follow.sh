#!/usr/bin/env bash
# Follows a text word for word: runs its blocks marked sh one after the other in one shell, and looks
# for each line of a block marked text, in this order, in what the block before it printed. A line "…"
# stands for any others.
# usage: follow.sh FOLDER TEXT.md
# with CKPTBRIDGE_PREFIX, where ckptbridge is installed
set -euo pipefail

folder=$1 text=$2
rm -rf "$folder"
mkdir -p "$folder/work"
export PATH=$CKPTBRIDGE_PREFIX/bin:$PATH CMAKE_PREFIX_PATH=$CKPTBRIDGE_PREFIX

awk -v folder="$folder" '
  /^```/ && inside  { if (inside == "sh") print "} >" folder "/" n ".out"; inside = ""; next }
  /^```sh$/         { inside = "sh"; n++; print "{"; next }
  /^```text$/       { inside = "text"; next }
  /^```/            { inside = "other"; next }
  inside == "sh"    { print }
  inside == "text"  { print > (folder "/" n ".expected") }
' "$text" >"$folder/script.sh"
(cd "$folder/work" && bash -euo pipefail ../script.sh) || {
  tail -n 40 "$folder"/*.out
  exit 1
}

compared=0
for expected in "$folder"/*.expected; do
  awk '
    NR == FNR { if ($0 != "…") wanted[++count] = $0; next }
    next_line < count && $0 == wanted[next_line + 1] { next_line++ }
    END {
      if (next_line < count) { print "not printed, or not in this order: " wanted[next_line + 1]; exit 1 }
    }' "$expected" "${expected%.expected}.out" || {
    cat "${expected%.expected}.out"
    exit 1
  }
  compared=$((compared + 1))
done
((compared > 0)) || { echo "$text has no block to compare" >&2; exit 1; }
