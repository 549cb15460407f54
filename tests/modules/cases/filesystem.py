"""Cases of filesystem."""
from disks import A, B, CLEAR, EXT, GROUP, XFS
from given import EMPTY
from rows import CALLED, Disk, Row, hosted, machined

U1, U2 = "7d7e9a1c-0000-4000-8000-000000000001", "7d7e9a1c-0000-4000-8000-000000000002"
EXT4 = Disk(make=f"mkfs.ext4 -q -F -U {U1} @")
SMALL = Disk(make=f"mkfs.ext4 -q -F -U {U1} @ 4096k")


def filesystem(title, image, loose=(), always=False, **args):
    """What is wiped is not the bytes that were there: of undo test_undo_of_file_systems tells."""
    CALLED.append(Row(f"filesystem {title}", {"d": image} if image else {}, {"community.general.filesystem": {"dev": "@/d", **args}},
                    {"loose": ["tree", *loose], "always": always, "gone": True}))


filesystem("new", EMPTY, fstype="ext4")
filesystem("new with options", EMPTY, fstype="ext2", opts="-L data -m 0")
filesystem("there", EXT4, fstype="ext4")
filesystem("another is there", EXT4, fstype="ext2", loose=["rc", "err"])
filesystem("another by force", EXT4, fstype="ext2", force=True, always=True)
filesystem("there by force", EXT4, fstype="ext4", force=True, always=True)
filesystem("swap", EMPTY, fstype="swap")
filesystem("goes", EXT4, state="absent")
filesystem("goes, not there", EMPTY, state="absent")
filesystem("no device", None, fstype="ext4")
filesystem("goes without a device", None, state="absent")
filesystem("without a type", EMPTY)
filesystem("grows", SMALL, fstype="ext4", resizefs=True)
filesystem("has grown", EXT4, fstype="ext4", resizefs=True)
filesystem("new, to grow", EMPTY, fstype="ext4", resizefs=True)
filesystem("swap does not grow", Disk(make="mkswap @"), fstype="swap", resizefs=True)
filesystem("new with a UUID", EMPTY, fstype="ext4", uuid=U2)
filesystem("new with a UUID of its own", EMPTY, fstype="ext4", uuid=U2, opts=f"-U {U1}", always=True)
filesystem("another UUID", EXT4, fstype="ext4", uuid=U2, loose=["check"])
filesystem("swap has no UUID", EMPTY, fstype="swap", uuid=U2)
filesystem("grows with a UUID", SMALL, fstype="ext4", uuid=U2, resizefs=True)
hosted("filesystem", "truncate -s 0 /srv/disk; truncate -s 16M /srv/disk",
       "- community.general.filesystem: fstype=ext4 dev=/srv/disk opts='-L data'", "blkid -p -o value -s LABEL /srv/disk", "data")

UUID = "6e3a6e20-51c2-4d0c-9ae0-27a9e8f6e7aa"


def real_filesystem(title, given="", loose=(), probe="", **args):
    machined(title, "community.general.filesystem", {"dev": A, **args}, CLEAR + given, f"blkid -c /dev/null -s TYPE -s LABEL {A} {B}; {probe}", loose)


real_filesystem("xfs", fstype="xfs", opts="-L data")
real_filesystem("btrfs", fstype="btrfs")
real_filesystem("ext4", fstype="ext4", opts="-m 0")
real_filesystem("there", f"mkfs.xfs -q {A}; ", fstype="xfs")
real_filesystem("another is there", f"mkfs.xfs -q {A}; ", fstype="ext4")
real_filesystem("another is there, forced", f"mkfs.xfs -q {A}; ", fstype="ext4", force=True)
# Ansible gives a file system the UUID that it has again, each time.
real_filesystem("xfs with an UUID", fstype="xfs", uuid=UUID, loose=["second"], probe=f"blkid -c /dev/null -s UUID {A}")
real_filesystem("ext4 with an UUID", fstype="ext4", uuid=UUID, loose=["second"], probe=f"blkid -c /dev/null -s UUID {A}")
real_filesystem("xfs grows", CLEAR + GROUP + XFS + "lvextend -q -L 400m hf/v; ", dev="/dev/hf/v", fstype="xfs", resizefs=True,
                probe="df --output=size /mnt/hf")
real_filesystem("xfs that is not mounted grows", CLEAR + GROUP + XFS + "umount /mnt/hf; lvextend -q -L 400m hf/v; ", dev="/dev/hf/v", fstype="xfs",
                resizefs=True)
real_filesystem("btrfs grows", CLEAR + GROUP + "lvcreate -q -y -L 128m -n v hf; mkfs.btrfs -q /dev/hf/v; mkdir -p /mnt/hf; mount /dev/hf/v /mnt/hf; "
                "lvextend -q -L 256m hf/v; ", dev="/dev/hf/v", fstype="btrfs", resizefs=True, probe="df --output=size /mnt/hf")
real_filesystem("ext4 grows", CLEAR + GROUP + EXT + "lvextend -q -L 64m hf/v; ", dev="/dev/hf/v", fstype="ext4", resizefs=True,
                probe="df --output=size /mnt/hf")
real_filesystem("lvm", fstype="lvm")
real_filesystem("goes", f"mkfs.xfs -q {A}; ", state="absent")
real_filesystem("goes and is not there", state="absent")
real_filesystem("that is mounted, forced", f"mkfs.xfs -q {A}; mkdir -p /mnt/hf; mount {A} /mnt/hf; ", fstype="ext4", force=True, loose=["msg"])
