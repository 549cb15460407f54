#!/bin/sh
# build.sh OUT: the .deb of this tree, from a clean copy of what git tracks. Same commit, same bytes.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
version=$(sed -n 's/^AC_INIT(\[holdfast\], \[\([^]]*\)\].*/\1/p' "$top/configure.ac")
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$top" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/holdfast-$version
mkdir "$tree"
git -C "$top" archive HEAD | tar -x -C "$tree"
cp -r "$tree/packaging/deb/debian" "$tree/debian"
cat >"$tree/debian/changelog" <<LOG
holdfast ($version) stable; urgency=medium

  * $(git -C "$top" log -1 --format=%h): see the project's own history.

 -- The holdfast founders <holdfast@example.org>  $(date -R -u -d "@$SOURCE_DATE_EPOCH")
LOG
(cd "$tree" && autoreconf -fi >/dev/null 2>&1 && dpkg-buildpackage -b -us -uc -d >"$out/build.log" 2>&1) ||
	{ tail -n 40 "$out/build.log" >&2; exit 1; }
cp "$work"/*.deb "$out"/
ls "$out"/*.deb
