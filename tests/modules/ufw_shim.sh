#!/bin/sh
# A stand-in for ufw(8) on test hosts, which have no Python: it keeps rules where ufw does and speaks as ufw speaks.
rules=/etc/ufw/user.rules state=/etc/ufw/ufw.conf defaults=/etc/default/ufw
mkdir -p /etc/ufw /etc/default
[ -e $rules ] || : >$rules
[ -e $state ] || echo ENABLED=no >$state
[ -e $defaults ] || printf 'INPUT=deny\nOUTPUT=allow\nFORWARD=disabled\nLOG=off\n' >$defaults
dry=
[ "$1" = --dry-run ] && dry=1 && shift
[ "$1" = -f ] && shift
get() { sed -n "s/^$1=//p" $defaults; }
set_to() { sed -i "s/^$1=.*/$1=$2/" $defaults; }
case $1 in
status)
	if grep -q yes $state; then
		echo "Status: active"
		log=$(get LOG)
		[ "$log" = off ] && echo "Logging: off" || echo "Logging: on ($log)"
		echo "Default: $(get INPUT) (incoming), $(get OUTPUT) (outgoing), $(get FORWARD) (routed)"
		cat $rules
	else
		echo "Status: inactive"
	fi ;;
enable) echo ENABLED=yes >$state ;;
disable) echo ENABLED=no >$state ;;
reload) ;;
reset) : >$rules; echo ENABLED=no >$state ;;
logging) set_to LOG "$(echo "$2" | sed 's/^on$/low/')" ;;
default)
	case ${3:-incoming} in incoming) set_to INPUT "$2" ;; outgoing) set_to OUTPUT "$2" ;; routed) set_to FORWARD "$2" ;; esac ;;
*)
	delete=
	[ "$1" = delete ] && delete=1 && shift
	line="### tuple ### $*"
	new=$(grep -vxF "$line" $rules)
	if [ -z "$delete" ]; then
		grep -qxF "$line" $rules && new=$(cat $rules) || new=$(cat $rules; echo "$line")
	fi
	if [ -n "$dry" ]; then
		printf '*filter\n%s\nCOMMIT\n' "$new"
	else
		printf '%s\n' "$new" | sed '/^$/d' >$rules
	fi ;;
esac
exit 0
