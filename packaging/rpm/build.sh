#!/bin/sh
# build.sh OUT: the .rpm of this tree. HF_PACKAGE_FROM: a build folder whose programs are packaged as they are, for tests.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
version=$(sed -n 's/^AC_INIT(\[holdfast\], \[\([^]]*\)\].*/\1/p' "$top/configure.ac")
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$top" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/SOURCES"
if [ -n "${HF_PACKAGE_FROM:-}" ]; then
	from=$(cd "$HF_PACKAGE_FROM" && pwd)
else
	from=
	tree=$work/holdfast-$version
	mkdir "$tree"
	(cd "$top" && git ls-files -z | tar --null -T - -c) | tar -x -C "$tree"
	(cd "$tree" && autoreconf -fi >/dev/null 2>&1)
	tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cJf \
		"$work/SOURCES/holdfast-$version.tar.xz" "holdfast-$version"
fi
rpmbuild -bb --nodeps --define "_topdir $work" --define "hf_version $version" --define "_unitdir /usr/lib/systemd/system" \
	--define "_sysusersdir /usr/lib/sysusers.d" --define "_tmpfilesdir /usr/lib/tmpfiles.d" \
	--define "packager The holdfast founders <holdfast@example.org>" ${from:+--define "hf_from $from"} "$top/packaging/rpm/holdfast.spec" >"$out/build.log" 2>&1 ||
	{ tail -n 40 "$out/build.log" >&2; exit 1; }
find "$work/RPMS" -name '*.rpm' -exec cp {} "$out/" \;
ls "$out"/*.rpm
