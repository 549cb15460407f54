#!/bin/sh
# clang-format 14 has the last word on layout. `tests/lint/format.sh --fix` rewrites.
cd "$(dirname "$0")/../.." || exit 2
tool=$(command -v clang-format-14 || command -v clang-format) || { echo 'clang-format is not installed'; exit 2; }
files=$(git ls-files -co --exclude-standard '*.c' '*.h')
if [ "${1:-}" = --fix ]; then
	echo "$files" | xargs "$tool" -i
else
	echo "$files" | xargs "$tool" --dry-run -Werror 2>&1 | grep 'error:' | cut -d: -f1 | sort | uniq -c |
		awk '{ print $2 ": " $1 " places differ from .clang-format"; bad = 1 } END { exit bad }'
fi
