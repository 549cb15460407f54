"""Cases of mount."""
from disks import A, CLEAR
from given import setting
from rows import hosted, machined


def mount(title, given=None, **args):
    setting(title, "ansible.posix.mount", given, path="/mnt/hf", fstab="@/f", **{"src": "/dev/hf", "fstype": "ext4", "state": "present", **args})


FSTAB = "# fstab\nUUID=a / ext4 defaults 0 1\n/dev/hf /mnt/hf ext4 noatime 0 2\n"
mount("new", "UUID=a / ext4 defaults 0 1\n", opts="noatime")
mount("there", FSTAB, opts="noatime", passno="2")
mount("other options, a copy of the file kept", FSTAB, opts="defaults", backup=True)
mount("four fields", "/dev/hf /mnt/hf ext4 noatime\n", opts="noatime")
mount("blanks in options", FSTAB, opts="a b")
mount("not at boot, by its options as well", FSTAB, boot=False, opts="noauto")
mount("lines end as on Windows", "UUID=a / ext4 defaults 0 1\r\n", opts="noatime")
mount("not at boot", FSTAB, boot=False, opts="noatime")
mount("not at boot and no options", FSTAB, boot=False)
mount("out of the file", FSTAB, state="absent_from_fstab")
mount("out of the file, a line of four fields", "/dev/hf /mnt/hf ext4 noatime\n", state="absent_from_fstab")
hosted("mount", "", "- ansible.posix.mount: path=/mnt/t src=tmpfs fstype=tmpfs opts=size=1m state=mounted",
       "grep /mnt/t /etc/fstab; findmnt -no FSTYPE /mnt/t", "tmpfs /mnt/t tmpfs size=1m 0 0\ntmpfs")
hosted("mount line only", "", "- ansible.posix.mount: path='/mnt/a b' src=/dev/sdz fstype=ext4 state=present",
       "grep sdz /etc/fstab", "/dev/sdz /mnt/a\\040b ext4 defaults 0 0")
hosted("mount goes", "mkdir -p /mnt/u; echo 'tmpfs /mnt/u tmpfs defaults 0 0' >>/etc/fstab; mount /mnt/u",
       "- ansible.posix.mount: path=/mnt/u state=absent", "grep /mnt/u /etc/fstab; findmnt /mnt/u; ls -d /mnt/u 2>/dev/null", "")


def real_mount(title, given="", loose=(), **args):
    machined(title, "ansible.posix.mount", {"path": "/mnt/hf", **args}, CLEAR + f": >/etc/fstab; rm -rf /mnt/hf; {given}",
        "cat /etc/fstab; findmnt -n -o TARGET,SOURCE,FSTYPE /mnt/hf; findmnt -n -o OPTIONS /mnt/hf | grep -o noatime; ls -d /mnt/hf", loose)


MADE = f"mkfs.xfs -q -L hfdata {A}; mkdir -p /mnt/hf; udevadm settle; "
real_mount("new", MADE, src=A, fstype="xfs", opts="noatime", state="mounted")
real_mount("by its label", MADE, src="LABEL=hfdata", fstype="xfs", state="mounted")
real_mount("there", MADE + f"echo '{A} /mnt/hf xfs noatime 0 0' >/etc/fstab; real_mount /mnt/hf; ", src=A, fstype="xfs", opts="noatime", state="mounted")
real_mount("with other options", MADE + f"echo '{A} /mnt/hf xfs defaults 0 0' >/etc/fstab; real_mount /mnt/hf; ", src=A, fstype="xfs", opts="noatime",
           state="mounted")
real_mount("only in the file", MADE, src=A, fstype="xfs", state="present")
real_mount("now alone", MADE, src=A, fstype="xfs", state="ephemeral", opts="noatime")
real_mount("of no such disk", src="/dev/nvme9n1", fstype="xfs", state="mounted", loose=["msg"])
real_mount("of another kind", f"mkfs.ext4 -q {A}; ", src=A, fstype="xfs", state="mounted", loose=["msg"])
real_mount("unmounted", MADE + f"echo '{A} /mnt/hf xfs defaults 0 0' >/etc/fstab; real_mount /mnt/hf; ", state="unmounted")
real_mount("absent", MADE + f"echo '{A} /mnt/hf xfs defaults 0 0' >/etc/fstab; real_mount /mnt/hf; ", state="absent")
real_mount("remounted", MADE + f"echo '{A} /mnt/hf xfs noatime 0 0' >/etc/fstab; real_mount -o relatime {A} /mnt/hf; ", state="remounted")
real_mount("a swap file's way of writing", MADE, src=A, fstype="xfs", state="present", dump="1", passno="2", boot=False)
