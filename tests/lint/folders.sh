#!/bin/sh
# Which folder may include from which: data flows one way. Prints every include that breaks the rule, and every local.mk
# that no makefile includes: what it builds would be missing from a fresh clone.
cd "$(dirname "$0")/../.." || exit 2
allow='
lib/base:
lib/data:lib/base
lib/template:lib/base,lib/data
lib/net:lib/base,lib/data
lib/release:lib/base,lib/data,lib/net
lib/engine:lib/base,lib/data,lib/template
modules:lib/base,lib/data,lib/template,lib/engine
agent:lib/base,lib/data,lib/net,lib/release,lib/engine,modules
provisioner:lib/base,lib/data,lib/template,lib/net,lib/release
cli:lib/base,lib/data,lib/template,lib/net,lib/release,lib/engine,modules,provisioner
tests:lib/base,lib/data,lib/template,lib/net,lib/release,lib/engine,modules,agent,provisioner,cli'
orphans=$(git ls-files -co --exclude-standard '*local.mk' | while read -r mk; do
	git ls-files -co --exclude-standard Makefile.am '*local.mk' | xargs grep -qx "include $mk" || echo "$mk: no makefile includes it"
done)
[ -z "$orphans" ] || echo "$orphans"
# The agent's parts (X.c, X.h and X_*.c) use each other in one direction; calls back go through agent.h.
circles=$(git ls-files -co --exclude-standard 'agent/*.[ch]' | xargs grep -H '^#include "agent/' |
	sed -E 's#^agent/([a-z]+)[a-z_]*\.[ch]:\#include "agent/([a-z]+)[a-z_]*\.h"#\1 \2#' | awk '$1 != $2' |
	tsort 2>&1 >/dev/null | sed -n 's/^tsort: \([a-z]*\)$/\1/p')
[ -z "$circles" ] || echo "agent: these include each other in a circle:" $circles
git ls-files -co --exclude-standard '*.c' '*.h' | xargs grep -Hn '^#include "' |
awk -v allow="$allow" '
function part(path,  p) { split(path, p, "/"); return p[1] == "lib" ? p[1] "/" p[2] : p[1] }
BEGIN {
	n = split(allow, row, "\n")
	for (i = 1; i <= n; i++) if (split(row[i], kv, ":") >= 1 && kv[1] != "") ok[kv[1]] = "," kv[2] ","
}
{
	file = $0; sub(/:.*/, "", file)
	line = $0; sub(/^[^:]*:/, "", line); sub(/:.*/, "", line)
	target = $0; sub(/.*#include "/, "", target); sub(/".*/, "", target)
	from = part(file); to = part(target)
	if (index(target, "/") == 0) { print file ":" line ": include \"" target "\" by its path from the root"; bad = 1 }
	else if (from != to && index(ok[from], "," to ",") == 0) { print file ":" line ": " from " may not include " to; bad = 1 }
}
END { exit bad }' && [ -z "$orphans$circles" ]
