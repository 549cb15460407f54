"""The script that makes one place of an instance's own disks never makes anything over data. The disks are files below a
/sys/block of the test's, in a mount namespace of its own; the tools are stand-ins that write down what they are told."""
import shlex
import subprocess

import pytest

from scene import TREE

SCRIPT = TREE / "playbooks/roles/instance_store/files/holdfast-instance-store"
LOCAL, EBS = "Amazon EC2 NVMe Instance Storage", "Amazon Elastic Block Store"
RAID = "/dev/md/holdfast-scratch"
# blkid's answer and status come from a file named after the device; without one there is nothing on it.
BLKID = '#!/bin/sh\nfor d; do :; done\nf="$HELD/$(basename "$d")"\n[ -e "$f" ] || exit 2\nread -r word status <"$f"\n' \
        '[ "$word" = - ] || echo "$word"\nexit "${status:-0}"\n'
SAY = '#!/bin/sh\necho "$(basename "$0") $*" >>"$SAID"\n'
MDADM = SAY + '[ "$1" != --assemble ] || [ -e "$HELD/assembles" ]\n'
MOUNTPOINT = '#!/bin/sh\n[ -e "$HELD/mounted" ]\n'

ROWS = [
    # title, {disk: model}, {device: what blkid says}, status, what is said, what is done
    ("no disks of its own", {"nvme0n1": EBS}, {}, 0, "no instance storage here", []),
    ("one, empty", {"nvme0n1": EBS, "nvme1n1": LOCAL}, {}, 0, "mounted /dev/nvme1n1",
     ["mkfs.xfs -q -L scratch /dev/nvme1n1", "mount -t xfs -o noatime /dev/nvme1n1"]),
    ("one, made before", {"nvme1n1": LOCAL}, {"nvme1n1": "xfs"}, 0, "mounted /dev/nvme1n1",
     ["mount -t xfs -o noatime /dev/nvme1n1"]),
    ("one with another file system", {"nvme1n1": LOCAL}, {"nvme1n1": "ext4"}, 3, "/dev/nvme1n1 holds ext4: left alone", []),
    ("one with partitions", {"nvme1n1": LOCAL}, {"nvme1n1": "gpt"}, 3, "/dev/nvme1n1 holds gpt: left alone", []),
    ("one that blkid is not sure of", {"nvme1n1": LOCAL}, {"nvme1n1": "- 8"}, 3, "blkid cannot tell (status 8)", []),
    ("one that has something without a name", {"nvme1n1": LOCAL}, {"nvme1n1": "- 0"}, 3, "holds something: left alone", []),
    ("two, empty", {"nvme1n1": LOCAL, "nvme2n1": LOCAL}, {}, 0, f"mounted {RAID}",
     [f"mdadm --assemble {RAID} /dev/nvme1n1 /dev/nvme2n1",
      f"mdadm --create {RAID} --run --level=0 --raid-devices=2 /dev/nvme1n1 /dev/nvme2n1", f"mkfs.xfs -q -L scratch {RAID}",
      f"mount -t xfs -o noatime {RAID}"]),
    ("two, the second with data", {"nvme1n1": LOCAL, "nvme2n1": LOCAL}, {"nvme2n1": "LVM2_member"}, 3,
     "/dev/nvme2n1 holds LVM2_member: left alone", [f"mdadm --assemble {RAID} /dev/nvme1n1 /dev/nvme2n1"]),
    ("two, striped before a reboot", {"nvme1n1": LOCAL, "nvme2n1": LOCAL},
     {"assembles": "", "nvme1n1": "linux_raid_member", "nvme2n1": "linux_raid_member", "holdfast-scratch": "xfs"}, 0, f"mounted {RAID}",
     [f"mdadm --assemble {RAID} /dev/nvme1n1 /dev/nvme2n1", f"mount -t xfs -o noatime {RAID}"]),
    ("mounted already", {"nvme1n1": LOCAL}, {"mounted": ""}, 0, "", []),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r[0])
def test_never_over_data(tmp_path, row):
    _, disks, held, status, said, done = row
    for folder in ("bin", "held", "block"):
        (tmp_path / folder).mkdir()
    for disk, model in disks.items():
        (tmp_path / "block" / disk / "device").mkdir(parents=True)
        (tmp_path / "block" / disk / "device/model").write_text(f"{model}          \n")
    for name, text in {"blkid": BLKID, "mdadm": MDADM, "mkfs.xfs": SAY, "mount": SAY, "mountpoint": MOUNTPOINT}.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    for name, text in held.items():
        (tmp_path / "held" / name).write_text(f"{text}\n")
    place = tmp_path / "scratch"
    run = (f"/bin/mount --bind {tmp_path}/block /sys/block && PATH={tmp_path}/bin:/usr/sbin:/usr/bin:/sbin:/bin exec sh {SCRIPT} "
           f"{shlex.quote(LOCAL)} {place} noatime")
    ran = subprocess.run(["unshare", "--mount", "sh", "-c", run], capture_output=True, text=True,
                         env={"HELD": str(tmp_path / "held"), "SAID": str(tmp_path / "said"), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    assert ran.returncode == status and said in ran.stdout + ran.stderr, ran
    told = (tmp_path / "said").read_text().splitlines() if (tmp_path / "said").exists() else []
    assert [line.removesuffix(f" {place}") for line in told] == done
