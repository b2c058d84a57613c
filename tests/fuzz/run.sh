#!/usr/bin/env bash
# Runs fuzz targets: run.sh SECONDS [TARGET...], by default all. New inputs that reach new code stay in
# build/fuzz/corpus; what is found is in build/fuzz/findings. Ends with an error if there is anything.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:?usage: run.sh SECONDS [TARGET...]}
shift
targets=("$@")
if ((${#targets[@]} == 0)); then
  for folder in tests/fuzz/corpus/*/; do targets+=("$(basename "$folder")"); done
fi
cmake --preset fuzz > /dev/null
cmake --build --preset fuzz --target "${targets[@]/#/fuzz_}" > /dev/null
failed=0
for target in "${targets[@]}"; do
  mkdir -p "build/fuzz/corpus/$target" "build/fuzz/findings/$target"
  seeds=("tests/fuzz/corpus/$target")
  # Memory: 16 times the input and 64 MiB is what is promised; the sanitizers need more themselves.
  "build/fuzz/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=65536 -timeout=10 \
    -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
    -artifact_prefix="build/fuzz/findings/$target/" "build/fuzz/corpus/$target" "${seeds[@]}" \
    > "build/fuzz/$target.log" 2>&1 || failed=1
  echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$target.log") executions," \
    "$(find "build/fuzz/findings/$target" -type f | wc -l) findings"
done
exit "$failed"
