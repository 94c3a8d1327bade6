#!/bin/bash
# Runs page_test.py with Debian's Python, which has Debian's selenium, and a home of its own.
set -euo pipefail
export HOME=$TEST_TMPDIR
exec /usr/bin/python3 "$(dirname "${BASH_SOURCE[0]}")/page_test.py" "$@"
