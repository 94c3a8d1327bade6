#!/bin/bash
# One seed is one run, to the byte: what a process writes of it another one writes too. Within one
# process each seed is run twice anyway; what is drawn once per process (a hash table's salt, the
# place of the stack) only a second one shows.
#
#   fault_run_repeats_test.sh FAULT_RUN SCENARIO...
set -euo pipefail

fault_run=$1
shift
# All rows would take minutes; these have every kind of fault and of picture.
scenarios=()
for file in "$@"; do
  case $file in */d[0-9]*|*/e5_*|*/random_mix.*) scenarios+=("$file") ;; esac
done
for run in first second; do
  "$fault_run" --seeds=1 --first_seed=7 --picture --out="$TEST_TMPDIR/$run" "${scenarios[@]}" \
    >"$TEST_TMPDIR/$run.log" 2>&1 || { cat "$TEST_TMPDIR/$run.log"; exit 1; }
done
written=$(find "$TEST_TMPDIR/first" -type f | wc -l)
((${#scenarios[@]} >= 20 && written >= 5 * ${#scenarios[@]})) ||
  { echo "only $written files for ${#scenarios[@]} scenarios"; exit 1; }
diff -r "$TEST_TMPDIR/first" "$TEST_TMPDIR/second"
