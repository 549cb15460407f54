"""Cases of lvol."""
from disks import B, CLEAR, EXT, GROUP, XFS
from given import HOME, OFF
from rows import fronted, machined


def lvol(title, volumes=None, again=False, back=True, exists=True, **args):
    fronted(f"lvol {title}", "lvol", {"vg": "vg-@-", **args}, volumes, "a", exists, again=again, back=back)


lvol("new", lv="data", size="12")
lvol("new with a unit", lv="data", size="8M", opts="-r 16", pvs=["~/d-@-a"])
lvol("new of all that is free", HOME, lv="data", size="100%FREE", again=True)  # nothing is free the second time
lvol("no size", lv="data")
lvol("no group", exists=False, lv="data", size="12")
lvol("absent, no group", exists=False, lv="data", state="absent")
lvol("there", HOME, lv="home", size="40")
lvol("there, no size", HOME, lv="home")
lvol("grow", HOME, lv="home", size="60")
lvol("grow with the file system", HOME, lv="home", size="60", resizefs=True, back=False)
lvol("grow by", HOME, lv="home", size="+8", again=True)
lvol("grow to a part", HOME, lv="home", size="80%VG")
lvol("grow too far", {"home": {"size": 40, "active": True}, "big": {"size": 50, "active": True}}, lv="home", size="80%VG")
lvol("shrink", HOME, lv="home", size="20", force=True, back=False)
lvol("shrink not forced", HOME, lv="home", size="20")
lvol("shrink not wanted", HOME, lv="home", size="20", shrink=False)
lvol("shrink to nothing", HOME, lv="home", size="0", force=True)
lvol("shrink to a part", HOME, lv="home", size="20%VG", force=True, back=False)
lvol("shrink by", HOME, lv="home", size="-8", force=True, again=True, back=False)
lvol("absent", HOME, lv="home", state="absent", force=True, back=False)
lvol("absent not forced", HOME, lv="home", state="absent")
lvol("absent not there", lv="home", state="absent")
lvol("off", HOME, lv="home", active=False)
lvol("on", OFF, lv="home")
lvol("snapshot", HOME, lv="home", snapshot="before", size="20")
lvol("snapshot of nothing", lv="home", snapshot="before", size="20")
lvol("thin pool", thinpool="pool", size="40")
lvol("thin volume", {"pool": {"size": 40, "active": True, "kind": "t"}}, lv="data", thinpool="pool", size="8m")
lvol("thin volume, no pool", lv="data", thinpool="pool", size="8m")
lvol("thin volume by percent", {"pool": {"size": 40, "active": True, "kind": "t"}}, lv="data", thinpool="pool", size="8%VG")
lvol("bad size", lv="data", size="much")
lvol("bad percent", lv="data", size="120%VG")
lvol("bad whole", lv="data", size="20%DISK")
lvol("percent of an origin", lv="data", size="20%ORIGIN")


def real_lvol(title, given="", loose=(), probe="", **args):
    machined(title, "community.general.lvol", {"vg": "hf", **args}, CLEAR + GROUP + given,
        f"lvs -a --noheadings --units m -o lv_name,lv_size,lv_active,origin,pool_lv,segtype hf; {probe}", loose)


SMALL = "lvcreate -q -y -L 16m -n v hf; "
real_lvol("new", lv="v", size="16")
real_lvol("new of all", lv="v", size="100%FREE")
real_lvol("new of a half", lv="v", size="50%VG")
real_lvol("new on one disk", lv="v", size="16m", pvs=[B])
real_lvol("new with options", lv="v", size="16m", opts="--type striped -i 2 -I 64")
real_lvol("new without a size", lv="v")
real_lvol("new and too large", lv="v", size="90g", loose=["msg", "err"])
real_lvol("there", SMALL, lv="v", size="16")
real_lvol("larger", SMALL, lv="v", size="32m")
real_lvol("larger by some", SMALL, lv="v", size="+8m")
real_lvol("smaller", SMALL, lv="v", size="8m")
real_lvol("smaller, forced", SMALL, lv="v", size="8m", force=True)
real_lvol("not smaller", SMALL, lv="v", size="8m", shrink=False)
real_lvol("larger with its ext4", EXT, lv="v", size="64m", resizefs=True, probe="df --output=size /mnt/hf")
real_lvol("larger with its XFS", XFS, lv="v", size="400m", resizefs=True, probe="df --output=size /mnt/hf")
real_lvol("inactive", SMALL, lv="v", active=False)
real_lvol("active", SMALL + "lvchange -an hf/v; ", lv="v")
real_lvol("goes", SMALL, lv="v", state="absent")
real_lvol("goes, forced", SMALL, lv="v", state="absent", force=True)
real_lvol("goes and is not there", lv="v", state="absent")
real_lvol("a snapshot", SMALL, lv="v", snapshot="s", size="8m")
real_lvol("a snapshot of all", SMALL, lv="v", snapshot="s", size="50%ORIGIN")
real_lvol("a snapshot that is there", SMALL + "lvcreate -q -s -L 8m -n s hf/v; ", lv="v", snapshot="s", size="8m")
real_lvol("a snapshot goes", SMALL + "lvcreate -q -s -L 8m -n s hf/v; ", lv="v", snapshot="s", state="absent", force=True)
real_lvol("a snapshot of none", lv="v", snapshot="s", size="8m")
real_lvol("a thin pool", thinpool="t", size="64m")
real_lvol("in a thin pool", "lvcreate -q -y -L 64m -T hf/t; ", lv="v", thinpool="t", size="1g")
real_lvol("in a thin pool, there", "lvcreate -q -y -L 64m -T hf/t -V 1g -n v; ", lv="v", thinpool="t", size="1g")
real_lvol("of no such group", vg="none", lv="v", size="8m")
