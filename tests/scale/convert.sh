#!/bin/sh
# convert.sh MAKE_ZERO3 CKPTBRIDGE PROFILES FOLDER: converts a checkpoint of 8 model- and 256 data-parallel
# ranks, 4,096 files, under `ulimit -n 1024`, and counts how often each file is opened: once for what it
# says, once for its data, and once more where replicas are compared. One file tells the format, too.
set -eu
make=$1 program=$2 profiles=$3 folder=$4
rm -rf "$folder" "$folder.out"
trap 'rm -rf "$folder" "$folder.out" "$folder.opens"' EXIT
"$make" "$folder/global_step2" "$profiles" test 8 256
printf global_step2 > "$folder/latest"
ulimit -n 1024

# most_opens COUNT WORD...: none of the files may be opened more often by the conversion.
most_opens() {
  most=$1
  shift
  strace -f --seccomp-bpf -e trace=openat -o "$folder.opens" \
    "$program" "$@" --no-sync --progress none
  grep -o 'global_step2/[^"]*\.pt' "$folder.opens" | sort | uniq -c |
    awk -v most="$most" '{ files++; opens += $1; if ($1 > most) often++ }
      END {
        printf "%d files, opened %d times; %d of them more than %d times\n", files, opens, often, most
        exit files != 4096 || often > 1
      }'
  rm -rf "$folder.out"
}

most_opens 3 convert "$folder" "$folder.out" --to nemo2-torch_dist --model-size test
most_opens 2 convert_zero3_to_zero1 "$folder/global_step2" "$folder.out" --mp_size 8
