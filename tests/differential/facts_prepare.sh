# Makes the root that the facts are asked of have something in every family: keys, local facts of each kind, volumes, names.
set -e
mkdir -p /etc/ssh /etc/ansible/facts.d /etc/iscsi /etc/nvme
rm -f /etc/ssh/ssh_host_*
for kind in rsa ecdsa ed25519; do
	echo "ssh-$kind AAAA$kind root@box" >/etc/ssh/ssh_host_${kind}_key.pub
done
printf '{"list": [1, 2.5, null, true], "text": "a"}\n' >/etc/ansible/facts.d/json.fact
printf '[General]\nName = value\nlong: one\n two\n[other]\nempty =\nN=1\n' >/etc/ansible/facts.d/ini.fact
printf '#!/bin/sh\necho "{\\"from\\": \\"program\\", \\"n\\": 7}"\n' >/etc/ansible/facts.d/program.fact
printf '#!/bin/sh\necho "[made]\\nby=program"\n' >/etc/ansible/facts.d/programini.fact
chmod 755 /etc/ansible/facts.d/program*.fact
echo 'InitiatorName=iqn.2026-01.org.example:box' >/etc/iscsi/initiatorname.iscsi
echo 'nqn.2014-08.org.nvmexpress:uuid:0000' >/etc/nvme/hostnqn
rm -f /etc/resolv.conf
printf 'search a.example b.example\nnameserver 10.0.0.2\nnameserver 10.0.0.3\noptions timeout:2 rotate ndots:1\n' >/etc/resolv.conf
[ "$1" = "without volumes" ] && exit 0
# A device with LVM's label, in this root only, and what LVM's commands print: there is no volume on a test machine.
for node in /sys/class/block/loop* /sys/class/block/ram* /sys/class/block/zram*; do
	device=/dev/${node##*/}
	[ -e "$device" ] && break
done
{ head -c 512 /dev/zero; printf 'LABELONE'; head -c 4096 /dev/zero; } >/srv/volume
mount --bind /srv/volume "$device"
printf '#!/bin/sh\necho "  data,1,2,0,wz--n-,20.00,5.50"\necho "  root,1,1,0,wz--n-,10.00,0"\n' >/usr/sbin/vgs.new
printf '#!/bin/sh\necho "  home,data,-wi-ao----,10.00,,,,,,,,"\necho "  top,root,-wi-ao----,10.00,,,,,,,,"\n' >/usr/sbin/lvs.new
printf '#!/bin/sh\necho "  /dev/sdx1,data,lvm2,a--,20.00,5.50"\necho "  /dev/sdy,root,lvm2,a--,10.00,0"\n' >/usr/sbin/pvs.new
for name in vgs lvs pvs; do
	chmod 755 /usr/sbin/$name.new
	mv -f /usr/sbin/$name.new /usr/sbin/$name
done
