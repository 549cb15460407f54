"""Disks of a machine with a kernel of its own, and what cases begin with on them."""

DISKS = ["/dev/nvme0n1", "/dev/nvme1n1", "/dev/nvme2n1", "/dev/nvme3n1"]
A, B, C, D = DISKS
# What earlier rows have kept in the policy's store is gone.
STORE = "/var/lib/selinux/default/active"

FC = "/etc/selinux/default/contexts/files"
# LVM's commands read all labels of the policy each time, a second where the processor is emulated: without them while volumes are at work.
ASIDE = f"[ -d /root/labels ] || {{ mkdir /root/labels; mv {FC}/file_contexts* /root/labels; : >{FC}/file_contexts; }}; "

CLEAR = (f"{ASIDE} cd /; umount /mnt/hf* 2>&1; for v in $(vgs --noheadings -o vg_name); do vgremove -q -ff -y $v; done; "
         f"wipefs -q -a -f {' '.join(DISKS)}; udevadm settle; ")
GROUP = f"vgcreate -q hf {A} {B}; "
XFS = "lvcreate -q -y -L 320m -n v hf; mkfs.xfs -q /dev/hf/v; mkdir -p /mnt/hf; mount /dev/hf/v /mnt/hf; "
EXT = "lvcreate -q -y -L 32m -n v hf; mkfs.ext4 -q /dev/hf/v; mkdir -p /mnt/hf; mount /dev/hf/v /mnt/hf; "
