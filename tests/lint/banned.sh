#!/bin/sh
# Calls that have a safer form here, descriptors that would leak into children, words that promise work not done.
cd "$(dirname "$0")/../.." || exit 2
bad=0
files=$(git ls-files -co --exclude-standard '*.c' '*.h')
report() { [ -z "$2" ] || { echo "$1:"; echo "$2"; bad=1; }; }
report 'banned call' "$(echo "$files" | xargs grep -nE \
	'(^|[^A-Za-z0-9_.>])(strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|atof|strtok|system|popen|alloca|tmpnam|mktemp)\(' |
	grep -v NOLINT)"
report 'malloc outside lib/base' "$(echo "$files" | grep -v '^lib/base/\|^tests/' | xargs grep -nE \
	'(^|[^A-Za-z0-9_.>])(malloc|calloc|realloc)\(' | grep -v NOLINT)"
report 'open without O_CLOEXEC' "$(echo "$files" | grep -v '^tests/' | xargs grep -nE \
	'(^|[^A-Za-z0-9_.>])(open|openat)\(' | grep -E 'O_(RD|WR)' | grep -v 'O_CLOEXEC\|NOLINT')"
report 'work promised, not done' "$(git ls-files -co --exclude-standard -- . ':!tests/lint' | xargs grep -nIwE 'TODO|FIXME|XXX')"
report 'a path of one machine' "$(git ls-files -co --exclude-standard -- . ':!tests/lint' | xargs grep -nIE '(^|[^A-Za-z0-9_.])/work/(main|wt|shared)')"
exit $bad
