#!/usr/bin/env bash
# run.sh FOLDER ENVIRONMENT SCRIPT [ARGUMENT]...: runs a script of this folder in one of the
# environments that setup.sh made in FOLDER. Exits with 77, "skipped" to ctest, where it is missing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$1 environment=$2 script=$3
shift 3
if [[ ! -e $folder/$environment/installed.txt ]]; then
  echo "SKIPPED: no Python environment in $folder/$environment; tests/oracle/setup.sh makes it" >&2
  exit 77
fi
exec "$folder/$environment/bin/python" -B -W ignore "$here/$script" "$@"
