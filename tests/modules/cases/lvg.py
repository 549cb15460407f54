"""Cases of lvg."""
from disks import A, B, CLEAR, GROUP
from given import HOME, OFF
from rows import fronted, machined


def lvg(title, volumes=None, devices="a", exists=True, again=False, back=True, **args):
    fronted(f"lvg {title}", "lvg", {"vg": "vg-@-", **args}, volumes, devices, exists, again=again, back=back)


lvg("new", exists=False, pvs=["~/d-@-a"])
lvg("new of two", exists=False, pvs=["~/d-@-a", "~/d-@-b"], pesize="16", pv_options="--metadatasize 1m", vg_options="-p 8")
lvg("new and active", exists=False, pvs=["~/d-@-a"], state="active")
lvg("new and inactive", exists=False, pvs=["~/d-@-a"], state="inactive")
lvg("there", pvs=["~/d-@-a"])
lvg("there, no devices named")
lvg("no devices", exists=False)
lvg("device that is not there", exists=False, pvs=["~/nope"])
lvg("device of another", pvs=["~/d-other"])
lvg("one more", pvs=["~/d-@-a", "~/d-@-b"])
lvg("one less", devices="ab", pvs=["~/d-@-a"])
lvg("another", pvs=["~/d-@-b"])
lvg("grow", pvs=["~/d-@-large"], devices=["large"], pvresize=True, back=False)
lvg("nothing to grow", pvs=["~/d-@-a"], pvresize=True)
lvg("absent", state="absent", back=False)
lvg("absent not there", exists=False, state="absent")
lvg("absent with a volume", HOME, state="absent")
lvg("absent with a volume, forced", HOME, state="absent", force=True, back=False)
lvg("active", OFF, state="active")
lvg("active there", HOME, state="active")
lvg("inactive", HOME, state="inactive")
lvg("new uuid", reset_vg_uuid=True, again=True, back=False)


def real_lvg(title, given="", loose=(), **args):
    machined(title, "community.general.lvg", {"vg": "hf", **args}, CLEAR + given,
        "vgs --noheadings -o vg_name,pv_count,lv_count,vg_extent_size; pvs --noheadings -o pv_name,vg_name,pv_size; lvs --noheadings -o lv_name,lv_active",
        loose)


real_lvg("new", pvs=[A])
real_lvg("new of two, with larger extents", pvs=[A, B], pesize="16")
real_lvg("new with options", pvs=[A], pesize="1M", pv_options="--metadatacopies 2", vg_options="--maxlogicalvolumes 5")
real_lvg("there", GROUP, pvs=[A, B])
real_lvg("of one more", f"vgcreate -q hf {A}; ", pvs=[A, B])
real_lvg("of one less", GROUP, pvs=[A])
real_lvg("of another", f"vgcreate -q hf {A}; ", pvs=[B])
real_lvg("of a disk of another group", f"vgcreate -q other {A}; ", pvs=[A])
real_lvg("of a disk that is not there", pvs=["/dev/nvme9n1"])
real_lvg("of none")
real_lvg("goes", GROUP, state="absent")
real_lvg("goes with a volume", GROUP + "lvcreate -q -y -L 8m -n v hf; ", state="absent", loose=["check"])  # Ansible's check does not see it
real_lvg("goes with a volume, forced", GROUP + "lvcreate -q -y -L 8m -n v hf; ", state="absent", force=True)
real_lvg("goes and is not there", state="absent")
real_lvg("inactive", GROUP + "lvcreate -q -y -L 8m -n v hf; ", state="inactive")
real_lvg("active", GROUP + "lvcreate -q -y -L 8m -n v hf; vgchange -q -an hf; ", state="active")
real_lvg("over a file system", f"mkfs.ext4 -q -F {A}; ", pvs=[A], loose=["msg"])
real_lvg("of a partition", f"parted -s {A} mklabel gpt mkpart a 1MiB 100%; udevadm settle; ", pvs=[f"{A}p1"])
real_lvg("grows with its disk", f"pvcreate -q --setphysicalvolumesize 64m -y {A}; vgcreate -q hf {A}; ", pvs=[A], pvresize=True)
