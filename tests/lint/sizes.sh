#!/bin/sh
# A function: at most 80 lines and complexity 15. A .c file: at most 700 lines; a header: 300.
cd "$(dirname "$0")/../.." || exit 2
bad=0
out=$(git ls-files -co --exclude-standard '*.c' | grep -v '^tests/' | xargs pmccabe |
	awk '$1 > 15 || $5 > 80 { print $6 ": " $7 " has " $5 " lines and complexity " $1 }')
[ -z "$out" ] || { echo "$out"; bad=1; }
out=$(git ls-files -co --exclude-standard '*.c' '*.h' | grep -v '^tests/' | xargs wc -l |
	awk '$2 != "total" && $1 > ($2 ~ /\.h$/ ? 300 : 700) { print $2 ": " $1 " lines" }')
[ -z "$out" ] || { echo "$out"; bad=1; }
exit $bad
