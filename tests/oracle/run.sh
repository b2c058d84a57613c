#!/usr/bin/env bash
# run.sh FOLDER ENVIRONMENT SCRIPT [ARGUMENT]...: runs a script of this folder in one of the
# environments that setup.sh made in FOLDER. "megatron+zarr": in megatron, before whose packages those
# of zarr are found. Exits with 77, "skipped" to ctest, where one is missing. CKPTBRIDGE_ORACLE_DIR, where
# set, takes the place of FOLDER.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${CKPTBRIDGE_ORACLE_DIR:-$1}
IFS=+ read -ra environments <<< "$2"
script=$3
shift 3
for environment in "${environments[@]}"; do
  if [[ ! -e $folder/$environment/installed.txt ]]; then
    echo "SKIPPED: no Python environment in $folder/$environment; tests/oracle/setup.sh makes it" >&2
    exit 77
  fi
done
for environment in "${environments[@]:1}"; do
  packages=$("$folder/$environment/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  export PYTHONPATH=$packages${PYTHONPATH:+:$PYTHONPATH}
done
exec "$folder/${environments[0]}/bin/python" -B -W ignore "$here/$script" "$@"
