"""Cases of parted."""
from disks import A, CLEAR
from given import EMPTY
from rows import CALLED, Disk, Row, machined

GPT = Disk("mklabel gpt mkpart one 1MiB 2MiB")
TWO = Disk("mklabel gpt mkpart one 40s 1000s mkpart two 1024s 2047s set 2 lvm on name 2 second")
DOS = Disk("mklabel msdos mkpart primary ext2 1MiB 2MiB set 1 boot on")


def parted(title, image, loose=(), always=False, **args):
    CALLED.append(Row(f"parted {title}", {"d": image}, {"community.general.parted": {"device": "@/d", **args}},
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


def real_parted(title, given="", loose=(), **args):
    machined(title, "community.general.parted", {"device": A, **args}, CLEAR + given,
        f"parted -m -s {A} unit KiB print; udevadm settle; lsblk -n -l -o NAME,SIZE {A}", loose)


PARTS = f"parted -s {A} mklabel gpt mkpart a 1MiB 65MiB; udevadm settle; "
real_parted("new", label="gpt", number=1, state="present", part_start="1MiB", name="a")
real_parted("second", PARTS, label="gpt", number=2, state="present", part_start="65MiB", flags=["lvm"])
real_parted("larger", PARTS, label="gpt", number=1, state="present", part_end="100%", resize=True)
real_parted("goes", PARTS, label="gpt", number=1, state="absent")
real_parted("is mounted and larger", PARTS + f"mkfs.ext4 -q {A}p1; mkdir -p /mnt/hf; mount {A}p1 /mnt/hf; ", label="gpt", number=1, state="present",
            part_end="100%", resize=True, loose=["msg", "err"])
