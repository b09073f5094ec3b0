#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The README's first program is examples/hello.c, and does what it says there.
# needs: pmix
set -u
src=${srcdir:-.}
bad=0
diff <(sed -n '/^```c$/,/^```$/p' "$src/README.md" | sed '1d;$d') \
	<(tail -n +2 "$src/examples/hello.c") || bad=1

# expect WHAT OUTPUT
expect() { [ "$2" = 40 ] || { echo "$1 printed \"$2\", not 40"; bad=1; }; }

expect '4 processes' "$("${LAGOON_BIN:-./lagoon}" run -n 4 ./examples/hello)"
expect '4 threads' "$(LAGOON_WORKERS=4 ./examples/hello)"
exit $bad
