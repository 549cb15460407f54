"""Rows for test_machine.py: what needs a kernel of its own. Each makes its own world with `given`; `probe` prints what is left."""
import collections

Row = collections.namedtuple("Row", "title module args given probe loose")
ROWS = []
DISKS = ["/dev/nvme0n1", "/dev/nvme1n1", "/dev/nvme2n1", "/dev/nvme3n1"]
A, B, C, D = DISKS


def row(title, module, args, given="", probe="true", loose=()):
    ROWS.append(Row(f"{module.split('.')[-1]} {title}", module, args, given, probe, set(loose)))


# --- modprobe ----------------------------------------------------------------------------------------------------------------
# Ansible's module makes every line that it goes over two; the words it leaves are compared, not the blank lines.
OFF = "modprobe -r dummy dm-flakey; rm -f /etc/modules-load.d/hf* /etc/modules-load.d/d* /etc/modprobe.d/hf* /etc/modprobe.d/d*; "


def modprobe(title, given="", loose=(), name="dummy", **args):
    row(title, "community.general.modprobe", {"name": name, **args}, OFF + given,
        "lsmod | grep -o '^dummy \\|^dm_flakey '; ls /sys/class/net; cd /etc; ls modules-load.d modprobe.d; "
        "grep -H . modules-load.d/*.conf modprobe.d/[dh]*", loose)


modprobe("new")
modprobe("there", "modprobe dummy")
modprobe("with parameters", params="numdummies=3")
modprobe("with parameters, there", "modprobe dummy", params="numdummies=3")
modprobe("with a parameter that is wrong", params="numdummies=x")
modprobe("goes", "modprobe dummy", state="absent")
modprobe("goes and is not there", state="absent")
modprobe("nobody's", name="no-such-module")
modprobe("nobody's goes", name="no-such-module", state="absent")
modprobe("of a hyphen", name="dm-flakey")
modprobe("of a hyphen goes", "modprobe dm-flakey", name="dm-flakey", state="absent")
modprobe("built in", name="ext4")
modprobe("built in goes", name="nvme", state="absent")
modprobe("in use goes", name="virtio_blk", state="absent")
modprobe("by another name", name="dm_flakey")
modprobe("blacklisted", "echo blacklist dummy >/etc/modprobe.d/hf.conf")
modprobe("shut off", "echo install dummy /bin/false >/etc/modprobe.d/hf.conf")
modprobe("shut off quietly", "echo install dummy /bin/true >/etc/modprobe.d/hf.conf")
modprobe("at every boot", persistent="present")
modprobe("at every boot with parameters", persistent="present", params="numdummies=2 foo=1")
modprobe("at every boot, there", "modprobe dummy; echo dummy >/etc/modules-load.d/hf.conf", persistent="present")
modprobe("at every boot, there with words behind", "modprobe dummy; echo '  dummy  # for us' >/etc/modules-load.d/hf.conf", persistent="present")
modprobe("at every boot with other parameters", "modprobe dummy; echo dummy >/etc/modules-load.d/hf.conf; "
         "printf 'options dummy numdummies=5\\noptions other a=1\\n' >/etc/modprobe.d/hf.conf", persistent="present", params="numdummies=2")
modprobe("at every boot with parameters that are there", "modprobe dummy; echo dummy >/etc/modules-load.d/hf.conf; "
         "echo 'options dummy numdummies=2 # two' >/etc/modprobe.d/hf.conf", persistent="present", params="numdummies=2")
modprobe("at every boot with two options on a line", "modprobe dummy; echo dummy >/etc/modules-load.d/hf.conf; "
         "echo 'options dummy numdummies=2 foo=1' >/etc/modprobe.d/hf.conf", persistent="present", params="numdummies=2")
modprobe("no more at every boot", "modprobe dummy; echo dummy >/etc/modules-load.d/hf.conf; "
         "printf '# ours\\noptions dummy numdummies=5\\n' >/etc/modprobe.d/hf.conf", state="absent", persistent="absent")
modprobe("no more at every boot, and is not", state="absent", persistent="absent")
modprobe("no more at every boot, its parameters alone", "echo 'options dummy numdummies=5' >/etc/modprobe.d/hf.conf", persistent="absent")

# --- kernel_blacklist --------------------------------------------------------------------------------------------------------
LIST = "/etc/modprobe.d/blacklist-ansible.conf"


def blacklist(title, given="", loose=(), **args):
    """Whether the kernel's own way to load it (by what a device says) still does is asked as well. Ansible's module makes the file,
    empty, in check mode."""
    row(title, "community.general.kernel_blacklist", {"name": "dummy", **args}, f"modprobe -r dummy; rm -f {LIST} /etc/modprobe.d/hf.conf; {given}",
        f"cat {LIST} /etc/modprobe.d/hf.conf 2>/dev/null; modprobe -b -n -v dummy", loose)


blacklist("new")
blacklist("there", f"echo 'blacklist   dummy' >{LIST}; ")
blacklist("to others", f"printf '# ours\\nblacklist dm-flakey  \\n\\n' >{LIST}; ")
blacklist("goes", f"printf 'blacklist dummy\\nblacklist other\\n' >{LIST}; ", state="absent")
blacklist("goes and is not there", f"echo '#blacklist dummy' >{LIST}; ", state="absent")
blacklist("in a file of its own", blacklist_file="/etc/modprobe.d/hf.conf")

# --- SELinux -----------------------------------------------------------------------------------------------------------------
BOOLEAN = "ssh_sysadm_login"
# What earlier rows have kept in the policy's store is gone.
STORE = "/var/lib/selinux/default/active"
UNKEPT = f"cd {STORE}; mkdir -p /root/store; cp -n policy.* /root/store; cp /root/store/policy.* .; rm -f booleans.local; cd /; "


def seboolean(title, given="", loose=(), **args):
    row(title, "ansible.posix.seboolean", {"name": BOOLEAN, **args}, f"{UNKEPT} setsebool {BOOLEAN}=0; {given}",
        f"getsebool {BOOLEAN}; cat {STORE}/booleans.local", loose)


seboolean("on", state=True)
seboolean("on already", f"setsebool {BOOLEAN}=1", state=True)
seboolean("off", f"setsebool {BOOLEAN}=1", state=False)
seboolean("nobody's", name="no_such_boolean", state=True)
seboolean("on at every boot", state=True, persistent=True)
seboolean("on at every boot, off now", state=True, persistent=True)
seboolean("off at every boot", state=False, persistent=True)
seboolean("on at every boot, kept so", f"setsebool -P {BOOLEAN}=1", state=True, persistent=True)
seboolean("on at every boot, kept so and off now", f"setsebool -P {BOOLEAN}=1; setsebool {BOOLEAN}=0", state=True, persistent=True)
seboolean("nobody's at every boot", name="no_such_boolean", state=True, persistent=True, loose=["msg"])

CONFIG = "/etc/selinux/config"


def selinux(title, given="", loose=(), **args):
    row(title, "ansible.posix.selinux", args, f"[ -e /root/selinux ] || cp {CONFIG} /root/selinux; cat /root/selinux >{CONFIG}; setenforce 0; {given}",
        f"getenforce; grep ^SEL {CONFIG} /root/hf-selinux; setenforce 0; rm -f /root/hf-selinux", loose)


selinux("as it is", policy="default", state="permissive")
selinux("enforcing", policy="default", state="enforcing")
selinux("enforcing now, not in the file", "setenforce 1", policy="default", state="permissive")
selinux("permissive in the file", f"sed -i s/=permissive/=enforcing/ {CONFIG}", policy="default", state="permissive")
selinux("off", state="disabled")
selinux("off, in the file already", f"sed -i s/=permissive/=disabled/ {CONFIG}", state="disabled")
# Where the policy differs, Ansible's check ends before it looks for it, and says no more.
selinux("of a policy that is not there", policy="targeted", state="permissive", loose=["check"])
selinux("without a policy", state="permissive")
selinux("another file", f"cp {CONFIG} /root/hf-selinux; ", policy="default", state="enforcing", configfile="/root/hf-selinux")
selinux("a file without lines", "echo '# nothing' >/root/hf-selinux; ", policy="default", state="permissive", configfile="/root/hf-selinux",
        loose=["check"])
selinux("no file", policy="default", state="permissive", configfile="/root/hf-none")

FC = "/etc/selinux/default/contexts/files"
# LVM's commands read all labels of the policy each time, a second where the processor is emulated: without them while volumes are at work.
ASIDE = f"[ -d /root/labels ] || {{ mkdir /root/labels; mv {FC}/file_contexts* /root/labels; : >{FC}/file_contexts; }}; "
BACK = f"[ ! -d /root/labels ] || {{ mv -f /root/labels/* {FC}; rmdir /root/labels; }}; "
FRESH = BACK + f"for f in file_contexts.local file_contexts.subs; do : >{FC}/$f; done; : >{STORE}/file_contexts.local; "


def sefcontext(title, given="", loose=(), **args):
    """The files that semanage writes, and what the library that reads them says of a path."""
    row(title, "community.general.sefcontext", {"target": "/srv/hf(/.*)?", **args}, FRESH + given,
        f"grep -h ^/srv {FC}/file_contexts.local {FC}/file_contexts.subs; matchpathcon /srv/hf/a", loose)


HERE = f"semanage fcontext -a -t tmp_t '/srv/hf(/.*)?'; "
sefcontext("new", setype="tmp_t")
sefcontext("there", HERE, setype="tmp_t")
sefcontext("another", HERE, setype="httpd_sys_content_t")
sefcontext("of directories", HERE, ftype="d", setype="tmp_t", seuser="system_u", selevel="s0")
sefcontext("nobody's type", setype="no_such_t", loose=["msg"])
sefcontext("goes", HERE, state="absent")
sefcontext("goes and is not there", state="absent")
sefcontext("as another path", target="/srv/hf", substitute="/var/tmp")
sefcontext("as another path, there", "semanage fcontext -a -e /var/tmp /srv/hf; ", target="/srv/hf", substitute="/var/tmp")
sefcontext("as another path goes", "semanage fcontext -a -e /var/tmp /srv/hf; ", target="/srv/hf", state="absent")
sefcontext("of the policy itself", target="/var/log(/.*)?", setype="var_log_t")

# --- volumes -----------------------------------------------------------------------------------------------------------------
CLEAR = (f"{ASIDE} cd /; umount /mnt/hf* 2>&1; for v in $(vgs --noheadings -o vg_name); do vgremove -q -ff -y $v; done; "
         f"wipefs -q -a -f {' '.join(DISKS)}; udevadm settle; ")
GROUP = f"vgcreate -q hf {A} {B}; "


def lvg(title, given="", loose=(), **args):
    row(title, "community.general.lvg", {"vg": "hf", **args}, CLEAR + given,
        "vgs --noheadings -o vg_name,pv_count,lv_count,vg_extent_size; pvs --noheadings -o pv_name,vg_name,pv_size; lvs --noheadings -o lv_name,lv_active",
        loose)


lvg("new", pvs=[A])
lvg("new of two, with larger extents", pvs=[A, B], pesize="16")
lvg("new with options", pvs=[A], pesize="1M", pv_options="--metadatacopies 2", vg_options="--maxlogicalvolumes 5")
lvg("there", GROUP, pvs=[A, B])
lvg("of one more", f"vgcreate -q hf {A}; ", pvs=[A, B])
lvg("of one less", GROUP, pvs=[A])
lvg("of another", f"vgcreate -q hf {A}; ", pvs=[B])
lvg("of a disk of another group", f"vgcreate -q other {A}; ", pvs=[A])
lvg("of a disk that is not there", pvs=["/dev/nvme9n1"])
lvg("of none")
lvg("goes", GROUP, state="absent")
lvg("goes with a volume", GROUP + "lvcreate -q -y -L 8m -n v hf; ", state="absent", loose=["check"])  # Ansible's check does not see it
lvg("goes with a volume, forced", GROUP + "lvcreate -q -y -L 8m -n v hf; ", state="absent", force=True)
lvg("goes and is not there", state="absent")
lvg("inactive", GROUP + "lvcreate -q -y -L 8m -n v hf; ", state="inactive")
lvg("active", GROUP + "lvcreate -q -y -L 8m -n v hf; vgchange -q -an hf; ", state="active")
lvg("over a file system", f"mkfs.ext4 -q -F {A}; ", pvs=[A], loose=["msg"])
lvg("of a partition", f"parted -s {A} mklabel gpt mkpart a 1MiB 100%; udevadm settle; ", pvs=[f"{A}p1"])
lvg("grows with its disk", f"pvcreate -q --setphysicalvolumesize 64m -y {A}; vgcreate -q hf {A}; ", pvs=[A], pvresize=True)


def lvol(title, given="", loose=(), probe="", **args):
    row(title, "community.general.lvol", {"vg": "hf", **args}, CLEAR + GROUP + given,
        f"lvs -a --noheadings --units m -o lv_name,lv_size,lv_active,origin,pool_lv,segtype hf; {probe}", loose)


SMALL = "lvcreate -q -y -L 16m -n v hf; "
XFS = "lvcreate -q -y -L 320m -n v hf; mkfs.xfs -q /dev/hf/v; mkdir -p /mnt/hf; mount /dev/hf/v /mnt/hf; "
EXT = "lvcreate -q -y -L 32m -n v hf; mkfs.ext4 -q /dev/hf/v; mkdir -p /mnt/hf; mount /dev/hf/v /mnt/hf; "
lvol("new", lv="v", size="16")
lvol("new of all", lv="v", size="100%FREE")
lvol("new of a half", lv="v", size="50%VG")
lvol("new on one disk", lv="v", size="16m", pvs=[B])
lvol("new with options", lv="v", size="16m", opts="--type striped -i 2 -I 64")
lvol("new without a size", lv="v")
lvol("new and too large", lv="v", size="90g", loose=["msg", "err"])
lvol("there", SMALL, lv="v", size="16")
lvol("larger", SMALL, lv="v", size="32m")
lvol("larger by some", SMALL, lv="v", size="+8m")
lvol("smaller", SMALL, lv="v", size="8m")
lvol("smaller, forced", SMALL, lv="v", size="8m", force=True)
lvol("not smaller", SMALL, lv="v", size="8m", shrink=False)
lvol("larger with its ext4", EXT, lv="v", size="64m", resizefs=True, probe="df --output=size /mnt/hf")
lvol("larger with its XFS", XFS, lv="v", size="400m", resizefs=True, probe="df --output=size /mnt/hf")
lvol("inactive", SMALL, lv="v", active=False)
lvol("active", SMALL + "lvchange -an hf/v; ", lv="v")
lvol("goes", SMALL, lv="v", state="absent")
lvol("goes, forced", SMALL, lv="v", state="absent", force=True)
lvol("goes and is not there", lv="v", state="absent")
lvol("a snapshot", SMALL, lv="v", snapshot="s", size="8m")
lvol("a snapshot of all", SMALL, lv="v", snapshot="s", size="50%ORIGIN")
lvol("a snapshot that is there", SMALL + "lvcreate -q -s -L 8m -n s hf/v; ", lv="v", snapshot="s", size="8m")
lvol("a snapshot goes", SMALL + "lvcreate -q -s -L 8m -n s hf/v; ", lv="v", snapshot="s", state="absent", force=True)
lvol("a snapshot of none", lv="v", snapshot="s", size="8m")
lvol("a thin pool", thinpool="t", size="64m")
lvol("in a thin pool", "lvcreate -q -y -L 64m -T hf/t; ", lv="v", thinpool="t", size="1g")
lvol("in a thin pool, there", "lvcreate -q -y -L 64m -T hf/t -V 1g -n v; ", lv="v", thinpool="t", size="1g")
lvol("of no such group", vg="none", lv="v", size="8m")

# --- file systems, partitions, mounts ----------------------------------------------------------------------------------------
UUID = "6e3a6e20-51c2-4d0c-9ae0-27a9e8f6e7aa"


def filesystem(title, given="", loose=(), probe="", **args):
    row(title, "community.general.filesystem", {"dev": A, **args}, CLEAR + given, f"blkid -c /dev/null -s TYPE -s LABEL {A} {B}; {probe}", loose)


filesystem("xfs", fstype="xfs", opts="-L data")
filesystem("btrfs", fstype="btrfs")
filesystem("ext4", fstype="ext4", opts="-m 0")
filesystem("there", f"mkfs.xfs -q {A}; ", fstype="xfs")
filesystem("another is there", f"mkfs.xfs -q {A}; ", fstype="ext4")
filesystem("another is there, forced", f"mkfs.xfs -q {A}; ", fstype="ext4", force=True)
# Ansible gives a file system the UUID that it has again, each time.
filesystem("xfs with an UUID", fstype="xfs", uuid=UUID, loose=["second"], probe=f"blkid -c /dev/null -s UUID {A}")
filesystem("ext4 with an UUID", fstype="ext4", uuid=UUID, loose=["second"], probe=f"blkid -c /dev/null -s UUID {A}")
filesystem("xfs grows", CLEAR + GROUP + XFS + "lvextend -q -L 400m hf/v; ", dev="/dev/hf/v", fstype="xfs", resizefs=True,
           probe="df --output=size /mnt/hf")
filesystem("xfs that is not mounted grows", CLEAR + GROUP + XFS + "umount /mnt/hf; lvextend -q -L 400m hf/v; ", dev="/dev/hf/v", fstype="xfs",
           resizefs=True)
filesystem("btrfs grows", CLEAR + GROUP + "lvcreate -q -y -L 128m -n v hf; mkfs.btrfs -q /dev/hf/v; mkdir -p /mnt/hf; mount /dev/hf/v /mnt/hf; "
           "lvextend -q -L 256m hf/v; ", dev="/dev/hf/v", fstype="btrfs", resizefs=True, probe="df --output=size /mnt/hf")
filesystem("ext4 grows", CLEAR + GROUP + EXT + "lvextend -q -L 64m hf/v; ", dev="/dev/hf/v", fstype="ext4", resizefs=True,
           probe="df --output=size /mnt/hf")
filesystem("lvm", fstype="lvm")
filesystem("goes", f"mkfs.xfs -q {A}; ", state="absent")
filesystem("goes and is not there", state="absent")
filesystem("that is mounted, forced", f"mkfs.xfs -q {A}; mkdir -p /mnt/hf; mount {A} /mnt/hf; ", fstype="ext4", force=True, loose=["msg"])


def parted(title, given="", loose=(), **args):
    row(title, "community.general.parted", {"device": A, **args}, CLEAR + given,
        f"parted -m -s {A} unit KiB print; udevadm settle; lsblk -n -l -o NAME,SIZE {A}", loose)


PARTS = f"parted -s {A} mklabel gpt mkpart a 1MiB 65MiB; udevadm settle; "
parted("new", label="gpt", number=1, state="present", part_start="1MiB", name="a")
parted("second", PARTS, label="gpt", number=2, state="present", part_start="65MiB", flags=["lvm"])
parted("larger", PARTS, label="gpt", number=1, state="present", part_end="100%", resize=True)
parted("goes", PARTS, label="gpt", number=1, state="absent")
parted("is mounted and larger", PARTS + f"mkfs.ext4 -q {A}p1; mkdir -p /mnt/hf; mount {A}p1 /mnt/hf; ", label="gpt", number=1, state="present",
       part_end="100%", resize=True, loose=["msg", "err"])


def mount(title, given="", loose=(), **args):
    row(title, "ansible.posix.mount", {"path": "/mnt/hf", **args}, CLEAR + f": >/etc/fstab; rm -rf /mnt/hf; {given}",
        "cat /etc/fstab; findmnt -n -o TARGET,SOURCE,FSTYPE /mnt/hf; findmnt -n -o OPTIONS /mnt/hf | grep -o noatime; ls -d /mnt/hf", loose)


MADE = f"mkfs.xfs -q -L hfdata {A}; mkdir -p /mnt/hf; udevadm settle; "
mount("new", MADE, src=A, fstype="xfs", opts="noatime", state="mounted")
mount("by its label", MADE, src="LABEL=hfdata", fstype="xfs", state="mounted")
mount("there", MADE + f"echo '{A} /mnt/hf xfs noatime 0 0' >/etc/fstab; mount /mnt/hf; ", src=A, fstype="xfs", opts="noatime", state="mounted")
mount("with other options", MADE + f"echo '{A} /mnt/hf xfs defaults 0 0' >/etc/fstab; mount /mnt/hf; ", src=A, fstype="xfs", opts="noatime",
      state="mounted")
mount("only in the file", MADE, src=A, fstype="xfs", state="present")
mount("now alone", MADE, src=A, fstype="xfs", state="ephemeral", opts="noatime")
mount("of no such disk", src="/dev/nvme9n1", fstype="xfs", state="mounted", loose=["msg"])
mount("of another kind", f"mkfs.ext4 -q {A}; ", src=A, fstype="xfs", state="mounted", loose=["msg"])
mount("unmounted", MADE + f"echo '{A} /mnt/hf xfs defaults 0 0' >/etc/fstab; mount /mnt/hf; ", state="unmounted")
mount("absent", MADE + f"echo '{A} /mnt/hf xfs defaults 0 0' >/etc/fstab; mount /mnt/hf; ", state="absent")
mount("remounted", MADE + f"echo '{A} /mnt/hf xfs noatime 0 0' >/etc/fstab; mount -o relatime {A} /mnt/hf; ", state="remounted")
mount("a swap file's way of writing", MADE, src=A, fstype="xfs", state="present", dump="1", passno="2", boot=False)
