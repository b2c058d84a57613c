#!/bin/sh
# plan.sh MAKE_ZERO3 CKPTBRIDGE PROFILES FOLDER: plans the conversion of a 40B checkpoint of 8 model- and
# 256 data-parallel ranks under `ulimit -n 1024`, within 10 seconds of processor time (which, unlike the
# time on the wall, other work on the machine does not lengthen) and 512 MiB.
set -eu
make=$1 program=$2 profiles=$3 folder=$4
[ -e "$folder/latest" ] || {
  rm -rf "$folder"
  "$make" "$folder/global_step2" "$profiles" 40b 8 256
  printf global_step2 > "$folder/latest"
}
ulimit -n 1024
for target in "zero1" "nemo2-torch_dist --model-size 40b"; do
  # shellcheck disable=SC2086 # words of the target
  python3 - "$program" plan "$folder" "$folder.out" --to $target <<'END'
import resource, subprocess, sys
found = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
seconds, kib = used.ru_utime + used.ru_stime, used.ru_maxrss
print(found.stdout[:1500])
print(f"{sys.argv[5:]}: {seconds:.1f} s of processor time, {kib / 1024:.0f} MiB")
sys.exit(found.returncode or seconds > 10 or kib > 512 * 1024)
END
done
