#!/bin/sh
# build.sh OUT: the .deb of this tree, from a clean copy of what git tracks. Same files and commit, same bytes.
# HF_PACKAGE_VERSION: another version than configure.ac's, for tests of upgrades. HF_PACKAGE_JOBS: how many at once.
# HF_PACKAGE_FROM: a build folder whose programs are packaged as they are, in seconds; for tests.
set -eu
[ -z "${HF_PACKAGE_FROM:-}" ] || HF_PACKAGE_FROM=$(cd "$HF_PACKAGE_FROM" && pwd)
export HF_PACKAGE_FROM
top=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
version=${HF_PACKAGE_VERSION:-$(sed -n 's/^AC_INIT(\[holdfast\], \[\([^]]*\)\].*/\1/p' "$top/configure.ac")}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$top" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/holdfast-$version
mkdir "$tree"
(cd "$top" && git ls-files -z | tar --null -T - -c) | tar -x -C "$tree"
chmod -R u=rwX,go=rX "$tree"
cp -r "$tree/packaging/deb/debian" "$tree/debian"
cat >"$tree/debian/changelog" <<LOG
holdfast ($version) stable; urgency=medium

  * $(git -C "$top" log -1 --format=%h): see the project's own history.

 -- The holdfast founders <holdfast@example.org>  $(date -R -u -d "@$SOURCE_DATE_EPOCH")
LOG
export DEB_BUILD_OPTIONS="nocheck noautodbgsym parallel=${HF_PACKAGE_JOBS:-$(nproc)} ${DEB_BUILD_OPTIONS:-}"
(cd "$tree" && dpkg-buildpackage -b -us -uc ${HF_PACKAGE_FROM:+-d} >"$out/build.log" 2>&1) || { tail -n 40 "$out/build.log" >&2; exit 1; }
cp "$work"/*.deb "$work"/*.changes "$work"/*.buildinfo "$out"/
ls "$out"/*.deb
