#!/bin/sh
# tarball.sh BUILD OUT: programs, unit and every library but glibc's, for machines without a package: unpack it in /.
# The programs find the libraries beside them, in /usr/lib/holdfast. Needs patchelf.
set -eu
build=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make -s -C "$build" install prefix=/usr DESTDIR="$work" >/dev/null
lib=$work/usr/lib/holdfast
mkdir -p "$lib"
# What the programs load when something asks for it has dependencies of its own.
late=$(ldconfig -p | awk '$1 == "libcurl.so.4" || $1 == "libarchive.so.13" || $1 == "libxml2.so.2" || $1 ~ /^libunistring.so/ { print $NF }')
for file in "$work/usr/bin/holdfast" "$work/usr/sbin/holdfastd" $late; do
	case $file in *.so*) cp -L "$file" "$lib/" ;; esac
	ldd "$file" | awk '$2 == "=>" { print $3 }'
done | sort -u | while read -r file; do
	case ${file##*/} in
	libc.so.* | libm.so.* | libdl.so.* | libpthread.so.* | librt.so.* | libresolv.so.* | ld-linux*) ;;
	*) cp -L "$file" "$lib/" ;;
	esac
done
for file in "$work/usr/bin/holdfast" "$work/usr/sbin/holdfastd"; do
	strip "$file"
	patchelf --force-rpath --set-rpath /usr/lib/holdfast "$file"
done
for file in "$lib"/*; do
	patchelf --force-rpath --set-rpath /usr/lib/holdfast "$file"
done
rm -rf "$work/usr/share/man"
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@${SOURCE_DATE_EPOCH:-315532800}" -cf "$out/holdfast.tar" usr
ls -l "$out/holdfast.tar"
