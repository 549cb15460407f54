# The bundle's `install`, sourced by the user data in its folder: f CODE SENTENCE tells a failure on every channel; I is the
# host's name, A = environment, fleet, store, least epoch, least seq. Run again, it changes nothing that is as it should be.
umask 022
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
stop() {
	f "$@"
	exit 1
}
writable() {
	mkdir -p /etc/holdfast /var/lib/holdfast 2>e && (echo >/var/lib/holdfast/.probe) 2>e && rm -f /var/lib/holdfast/.probe && return
	case $(tail -n 1 e) in
	*[Rr]ead-only*) stop 14 'the root file system is read-only' ;;
	*space*) stop 13 'the disk is full' ;;
	*) stop 14 "$(tail -n 1 e)" ;;
	esac
}
room() {
	left=$(df -Pk /var/lib/holdfast | awk 'NR == 2 { print $4 }')
	[ "${left:-0}" -ge 131072 ] || stop 13 "the disk is full: $((${left:-0} / 1024)) MiB are left below /var/lib, 128 are needed"
}
# Who holds the lock of a file, as the kernel knows it.
holder() {
	[ -e "$1" ] || return 1
	awk -v file=":$(stat -c %i "$1")\$" '$6 ~ file { print $5; found = 1; exit } END { exit !found }' /proc/locks
}
unlocked() {
	for lock in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock; do
		waited=0
		while pid=$(holder $lock); do
			f 16 "the package database is locked by $(cat /proc/$pid/comm 2>/dev/null || echo a process) ($pid): waiting for it"
			[ $waited -lt 600 ] || stop 16 "the package database stayed locked for 10 minutes: $lock"
			sleep 1
			waited=$((waited + 1))
		done
	done
}
package_deb() {
	command -v apt-get >/dev/null || stop 15 'apt-get is not installed, and the bundle holds a .deb'
	wanted=$(dpkg-deb -f holdfast.deb Version) || stop 10 'the bundle holds no package'
	[ "$(dpkg-query -W -f '${Status} ${Version}' holdfast 2>/dev/null)" != "install ok installed $wanted" ] || return 0
	unlocked
	try='apt-get -y -q --allow-downgrades --no-install-recommends -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold install ./holdfast.deb'
	$try >log 2>&1 || { apt-get -q update >log 2>&1 && unlocked && $try >log 2>&1; } ||
		stop 17 "the package cannot be installed: $(grep '^E:' log | tail -n 1)"
}
package_rpm() {
	tool=$(command -v dnf || command -v yum) || stop 15 'neither dnf nor yum is installed, and the bundle holds an .rpm'
	$tool -y -q install ./holdfast.rpm >log 2>&1 || stop 17 "the package cannot be installed: $(tail -n 1 log)"
}
package_tar() {
	hash=$(sha256sum <holdfast.tar)
	[ "$(cat /usr/lib/holdfast/.unpacked 2>/dev/null)" != "$hash" ] || ! command -v holdfastd >/dev/null || return 0
	tar -C / -xf holdfast.tar 2>e && echo "$hash" >/usr/lib/holdfast/.unpacked || stop 17 "$(tail -n 1 e)"
	command -v systemd-sysusers >/dev/null && systemd-sysusers holdfast.conf >/dev/null 2>&1
	getent passwd holdfast >/dev/null || useradd --system --no-create-home holdfast || stop 17 'the user holdfast cannot be made'
}
# same NEW OLD: keep OLD where nothing changed, else put NEW there; remembers that something did.
place() {
	cmp -s "$1" "$2" && return
	cp "$1" "$2.new" && chmod "$3" "$2.new" && mv "$2.new" "$2" || stop 14 "$2 cannot be written"
	touched=1
}
configure() {
	touched=
	{
		echo "environment: $1"
		echo "fleet: $2"
		echo "host: $I"
		echo "store: $3"
		echo "trust_sha256: $(sha256sum <root.json | cut -c-64)"
		[ "$4" = 0 ] || echo "min_epoch: $4"
		[ "$5" = 0 ] || echo "min_seq: $5"
		[ ! -f agent.yaml ] || cat agent.yaml
	} >holdfast.yaml
	{
		echo "AWS_REGION=$R"
		[ ! -f environment ] || cat environment
	} >environment.all
	place root.json /etc/holdfast/root.json 644
	place environment.all /etc/holdfast/environment 600
	for name in ca cert key; do
		[ ! -f $name.pem ] || { mkdir -p /etc/holdfast/tls && place $name.pem /etc/holdfast/tls/$name.pem 600; }
	done
	place holdfast.yaml /etc/holdfast/holdfast.yaml 644
	wrong=$(holdfastd --check 2>&1) || stop 18 "the agent's configuration is wrong: $wrong"
}
start() {
	if [ -d /run/systemd/system ]; then
		systemctl enable holdfastd >/dev/null 2>&1
		if [ "$touched" ] || ! systemctl -q is-active holdfastd; then
			systemctl restart holdfastd 2>e || stop 21 "the agent does not start: $(journalctl -u holdfastd -n 1 -o cat --no-pager)"
		fi
	else
		set -a
		. /etc/holdfast/environment
		set +a
		[ "$touched" ] || ! holdfast status >/dev/null 2>&1 || return 0
		setsid holdfastd </dev/null >/var/log/holdfastd.log 2>&1 &
	fi
}
writable
room
for kind in deb rpm tar; do
	[ ! -f holdfast.$kind ] || package_$kind
done
set -- $A
configure "$@"
start
m="holdfast: installed on $I for $1/$2; the agent reports from here"
echo "$m"
echo "$m" >/dev/console
logger -p user.notice -t holdfast "$m"
