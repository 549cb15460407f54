#!/bin/sh
# A stand-in for firewall-cmd(1) on test hosts, which have no Python: a file a zone, now and for good.
base=/run/firewall zone=public verb=
[ "$(basename "$0")" = firewall-offline-cmd ] && base=/etc/firewalld/zones-kept
for word; do
	case $word in
	--permanent) base=/etc/firewalld/zones-kept ;;
	--zone=*) zone=${word#--zone=} ;;
	--timeout=*) ;;
	*=*) verb=${word%%=*} value=${word#*=} ;;
	*) verb=$word value= ;;
	esac
done
mkdir -p $base
file=$base/$zone
thing=$(echo "$verb" | sed 's/^--[a-z]*-//')
case $verb in
--state) [ -e /run/firewall/up ] || exit 252 ;;
--get-default-zone) echo public ;;
--get-zones) ls $base | xargs ;;
--get-zone-of-interface) grep -lxF "interface=$value" $base/* 2>/dev/null | xargs -r basename ;;
--get-target) sed -n 's/^target=//p' "$file" 2>/dev/null | grep . || echo default ;;
--set-target) sed -i '/^target=/d' "$file"; echo "target=$value" >>"$file" ;;
--new-zone) : >"$base/$value" ;;
--delete-zone) rm "$base/$value" ;;
--query-service) [ "$value" = nonsense ] && { echo "Error: INVALID_SERVICE: nonsense" >&2; exit 101; }
	grep -qxF "$thing=$value" "$file" 2>/dev/null || exit 1 ;;
--query-*) grep -qxF "$thing=$value" "$file" 2>/dev/null || exit 1 ;;
--add-*) echo "$thing=$value" >>"$file" ;;
--change-*) sed -i "/^$thing=$value\$/d" $base/*; echo "$thing=$value" >>"$file" ;;
--remove-*) sed -i "\\|^$thing=$value\$|d" "$file" ;;
esac
exit $?
