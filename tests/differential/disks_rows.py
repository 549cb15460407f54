"""Rows of parted and filesystem for test_modules_collections.py: disks are files. Tables hold random numbers, so that the
files themselves are compared only with what undo restores."""
from files_rows import Disk, Row

ROWS = []
EMPTY = Disk()
GPT = Disk("mklabel gpt mkpart one 1MiB 2MiB")
TWO = Disk("mklabel gpt mkpart one 40s 1000s mkpart two 1024s 2047s set 2 lvm on name 2 second")
DOS = Disk("mklabel msdos mkpart primary ext2 1MiB 2MiB set 1 boot on")


def parted(title, image, loose=(), always=False, **args):
    ROWS.append(Row(f"parted {title}", {"d": image}, {"community.general.parted": {"device": "@/d", **args}},
                    {"loose": ["tree", "disk.dev", *loose], "always": always}))


parted("info of nothing", EMPTY)
parted("info", TWO)
for unit in ("B", "KB", "MB", "MiB", "s", "%", "cyl", "chs", "compact"):
    parted(f"info in {unit}", DOS, unit=unit)
parted("new label and partition", EMPTY, label="gpt", number=1, state="present")
parted("new dos label and partition", EMPTY, number=1, state="present", fs_type="ext4")
parted("new partition with a name and flags", EMPTY, label="gpt", number=1, state="present", name="my data", flags=["lvm"],
       part_start="1MiB", part_end="2MiB", unit="MiB")
parted("second partition", GPT, label="gpt", number=2, state="present", part_start="2MiB", part_end="100%", align="none",
       loose=["partitions", "script"])
parted("there", GPT, label="gpt", number=1, state="present")
parted("another label", GPT, label="msdos", number=1, state="present", part_start="1MiB")
parted("name", GPT, label="gpt", number=1, state="present", name="two")
parted("flag", GPT, label="gpt", number=1, state="present", flags=["raid"])
parted("flag there", TWO, label="gpt", number=2, state="present", flags=["lvm"])
parted("flag instead of another", TWO, label="gpt", number=2, state="present", flags=["swap"], loose=["script"])
parted("esp is boot too", GPT, label="gpt", number=1, state="present", flags=["esp"], loose=["script"])
parted("resize", GPT, label="gpt", number=1, state="present", part_end="4096KiB", resize=True)
parted("shrink", GPT, label="gpt", number=1, state="present", part_end="1800KiB", resize=True, loose=["msg", "out", "err", "rc", "check"])
parted("resize by percent", DOS, number=1, state="present", part_end="90%", resize=True, always=True)
parted("resize to where it is", GPT, label="gpt", number=1, state="present", part_end="2048KiB", resize=True)
parted("absent", TWO, label="gpt", number=1, state="absent")
parted("absent not there", TWO, label="gpt", number=7, state="absent")
parted("extended", EMPTY, number=1, state="present", part_type="extended")
parted("number of nothing", EMPTY, number=0, state="present")
parted("bad start", EMPTY, number=1, state="present", part_start="one")
parted("bad unit", EMPTY, number=1, state="present", part_start="1mib", loose=["err"])
parted("bad flag", GPT, label="gpt", number=1, state="present", flags=["nope"], loose=["*", "check"])
parted("no number", EMPTY, state="present")
parted("no device", EMPTY, device="@/nope", loose=["*"])


U1, U2 = "7d7e9a1c-0000-4000-8000-000000000001", "7d7e9a1c-0000-4000-8000-000000000002"
EXT4 = Disk(make=f"mkfs.ext4 -q -F -U {U1} @")
SMALL = Disk(make=f"mkfs.ext4 -q -F -U {U1} @ 4096k")


def filesystem(title, image, loose=(), always=False, **args):
    """What is wiped is not the bytes that were there: of undo test_undo_of_file_systems tells."""
    ROWS.append(Row(f"filesystem {title}", {"d": image} if image else {}, {"community.general.filesystem": {"dev": "@/d", **args}},
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
