#!/bin/sh
# The seeds that are checked in are those that their program makes.
#   seeds_test.sh MAKE_CORPUS FOLDER
set -eu
here="$PWD"
made="$TEST_TMPDIR/made"
"$1" "$made"
cd "$made"
status=1
for seed in $(find . -type f); do
  cmp "$seed" "$here/$2/$seed" || { echo "run make_corpus anew"; exit 1; }
  status=0
done
exit "$status"
