"""What needs a kernel of its own, on a machine of its own (machine.py): modules beside Ansible's, arrays and instance storage on NVMe
disks, reboots. An hour where the processor is emulated: it runs where HF_VM=1 asks for it (`./run vm`)."""
import json
import os
import pathlib
import subprocess
import sys
import sysconfig
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "modules"))
from beside import ansible_plan, by_row, holdfast_play, same  # noqa: E402
from disks import CLEAR, DISKS as DISK_NAMES  # noqa: E402
from places import BUILD, ROOT  # noqa: E402
from rows import MACHINED as ROWS, load  # noqa: E402

load()

# HF_VM_ROWS=lvol: only the rows whose title begins so.
CHOSEN = [r for r in ROWS if r.title.startswith(tuple(os.environ.get("HF_VM_ROWS", "").split(",")))]
A, B, C, D = DISK_NAMES
SIZES = [512, 512, 512, 512]
SECONDS = 4 * 3600


def given():
    """What lies below /srv/given: the programs, and Ansible's modules with what runs them."""
    from test_called import collections
    site = pathlib.Path(sysconfig.get_paths()["purelib"]) / "ansible"
    names = ["__init__.py", "release.py", "module_utils", "modules", "_vendor", "__pycache__"]
    parts = [f"ansible_collections/{c}/plugins/{p}" for c in ("community/general", "ansible/posix") for p in ("modules", "module_utils")]
    return {"holdfast": BUILD / "holdfast", "holdfastd": BUILD / "holdfastd", **{f"site/ansible/{n}": site / n for n in names},
            **{f"site/{p}": collections() / p for p in parts}, "run_modules.py": ROOT / "tests/modules/run_modules.py",
            "roles": ROOT / "playbooks/roles"}


RELEASE = [{"hosts": "all", "gather_facts": False, "tasks": [
    {"name": "before", "shell": "echo before >>/root/order; cat /proc/sys/kernel/random/boot_id", "register": "early"},
    {"name": "a module", "community.general.modprobe": {"name": "dummy", "params": "numdummies=3", "persistent": "present"}},
    {"name": "start again", "reboot": {"msg": "a new kernel"}},
    {"name": "after", "shell": "echo after {{ early.stdout }} >>/root/order"}]}]
CONFIGURATION = "environment: dev\nfleet: lab\nhost: vm\nstore: file:///srv/given/store\npoll: 5s\nsplay: 0s\npolicy: correct\n"


def promoted(folder):
    """A store with a signed release of RELEASE that the channel names."""
    (folder / "book").mkdir()
    (folder / "store").mkdir()
    (folder / "book/site.yml").write_text(json.dumps(RELEASE))
    signed = ["--store", f"file://{folder / 'store'}", "--key", str(folder / "key")]

    def holdfast(*words):
        return subprocess.run([str(BUILD / "holdfast"), *words], check=True, capture_output=True, text=True).stdout

    holdfast("key", "generate", str(folder / "key"))
    holdfast("release", "init", *signed, "--environment", "dev")
    pushed = json.loads(holdfast("release", "push", str(folder / "book"), *signed, "--name", "vm", "--json"))
    holdfast("release", "promote", pushed["release"], *signed, "-E", "dev", "-f", "lab", "--reason", "test")
    return {"store": folder / "store", "units": ROOT / "packaging/systemd"}


if os.environ.get("HF_VM"):
    from machine import Machine

    @pytest.fixture(scope="module")
    def machine(tmp_path_factory):
        with Machine(disks=SIZES, given={**given(), **promoted(tmp_path_factory.mktemp("release"))}) as made:
            yield made

    @pytest.fixture(scope="module")
    def theirs(machine):
        machine.put("/root/plan.json", json.dumps(ansible_plan(CHOSEN)))
        machine.run("PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/srv/given/site python3 /srv/given/run_modules.py /root/plan.json /root/out.json",
                    timeout=SECONDS, check=True)
        return by_row(CHOSEN, json.loads(machine.get("/root/out.json")))

    @pytest.fixture(scope="module")
    def ours(machine, theirs):
        machine.put("/root/play.json", json.dumps(holdfast_play(CHOSEN, "/root/ours.json")))
        machine.run("holdfast apply /root/play.json", timeout=SECONDS)
        return by_row(CHOSEN, json.loads(machine.get("/root/ours.json")))

    @pytest.mark.parametrize("i", range(len(CHOSEN)), ids=[r.title for r in CHOSEN])
    def test_same_as_ansible(i, theirs, ours):
        want, got = same(CHOSEN[i], theirs[i], ours[i])
        assert got == want

    def apply(machine, play, *words):
        """The tasks' rows of a playbook in /root/book, where the shipped roles lie."""
        machine.put("/root/book/site.yml", json.dumps([{"hosts": "localhost", "gather_facts": "roles" in play, **play}]))
        done = machine.run(["/bin/sh", "-c", 'cd /root/book && ln -sfn /srv/given/roles roles && exec holdfast apply site.yml --output jsonl "$@"',
                            "sh", *words])
        rows = [json.loads(line) for line in done.out.splitlines() if line.startswith("{")]
        assert rows, done
        return [r for r in rows if r["type"] == "task"]

    def one(machine, task, *words):
        """Status and message of a play of one task."""
        row = apply(machine, {"tasks": [task]}, *words)[-1]
        return row["status"], row.get("msg", "")

    @pytest.fixture
    def disks(machine):
        """No array, and nothing on any disk."""
        machine.run(f"umount /mnt/hf /scratch; mdadm --stop --scan; {CLEAR} mdadm --zero-superblock {' '.join(DISK_NAMES)}; udevadm settle")
        return machine

    LEVELS = "cat /proc/mdstat | grep -o 'active.*'"

    def test_an_array_through_its_life(disks):
        task = {"holdfast.mdadm": {"device": "/dev/md/hf", "level": 1, "devices": [A, B]}}
        assert one(disks, task, "--check")[0] == "changed"
        assert disks.run(LEVELS).out == ""
        assert one(disks, task)[0] == "changed"
        assert "raid1 nvme" in disks.run(LEVELS).out
        assert one(disks, task)[0] == "ok"
        disks.run("mkfs.ext4 -q /dev/md/hf && mkdir -p /mnt/hf && mount /dev/md/hf /mnt/hf && echo kept >/mnt/hf/f && umount /mnt/hf", check=True)
        stop = {"holdfast.mdadm": {"device": "/dev/md/hf", "state": "stopped"}}
        assert [one(disks, stop)[0], one(disks, stop)[0]] == ["changed", "ok"]
        assert disks.run(LEVELS).out == ""
        assert [one(disks, task)[0], one(disks, task)[0]] == ["changed", "ok"]
        assert disks.run("mount /dev/md/hf /mnt/hf && cat /mnt/hf/f; umount /mnt/hf").out == "kept\n"
        more = {"holdfast.mdadm": {**task["holdfast.mdadm"], "spares": [C]}}
        assert [one(disks, more)[0], one(disks, more)[0]] == ["changed", "ok"]
        gone = {"device": "/dev/md/hf", "state": "absent", "devices": [A, B, C]}
        status, said = one(disks, {"holdfast.mdadm": gone})
        assert (status, "without force" in said) == ("failed", True)
        assert [one(disks, {"holdfast.mdadm": {**gone, "force": True}})[0] for _ in "ab"] == ["changed", "ok"]
        assert disks.run(f"blkid -p {A} {B} {C}").out == ""

    @pytest.mark.parametrize("level", [0, 5, 10])
    def test_an_array_of_four_and_never_over_data(disks, level):
        task = {"holdfast.mdadm": {"device": "/dev/md/hf", "level": level, "devices": DISK_NAMES, "chunk": "64K"}}
        disks.run(f"mkfs.xfs -q -L mine {B}", check=True)
        status, said = one(disks, task)
        assert (status, f"{B} holds xfs" in said) == ("failed", True), said
        assert "mine" in disks.run(f"blkid -p {B}").out
        disks.run(f"wipefs -q -a {B}", check=True)
        assert [one(disks, task)[0], one(disks, task)[0]] == ["changed", "ok"]
        assert f"raid{level} nvme" in disks.run(LEVELS).out

    STORE = {"roles": ["instance_store"], "vars": {"instance_store_model": "QEMU NVMe Ctrl"}}

    def stored(machine):
        rows = {r["task"]: r for r in apply(machine, STORE)}
        return next(r for name, r in rows.items() if name.endswith("Instance storage is mounted"))

    def test_instance_storage_over_a_reboot(disks):
        assert stored(disks)["status"] == "changed"
        assert "raid0 nvme" in disks.run(LEVELS).out
        found = disks.run("findmnt -n -o FSTYPE,OPTIONS /scratch; stat -c %a /scratch; echo kept >/scratch/f; sync").out
        assert found.startswith("xfs ") and "noatime" in found and found.endswith("1777\n")
        assert stored(disks)["status"] == "ok"
        disks.run("systemd-run --on-active=1 systemctl reboot", check=True)
        disks.rebooted()
        assert not disks.run("mountpoint -q /scratch").rc == 0
        assert stored(disks)["status"] == "changed"
        assert disks.run("cat /scratch/f").out == "kept\n"

    def test_instance_storage_is_never_made_over_data(disks):
        disks.run(f"mkfs.ext4 -q -L mine {C}", check=True)
        row = stored(disks)
        assert row["status"] == "failed" and f"{C} holds ext4: left alone" in json.dumps(row)
        assert "mine" in disks.run(f"blkid -p {C}").out and disks.run("mountpoint -q /scratch").rc != 0

    def until(machine, command, seconds=1800):
        """Asked again and again until it succeeds."""
        end = time.monotonic() + seconds
        while (done := machine.run(command)).rc != 0:
            assert time.monotonic() < end, f"{done}\n{machine.run('holdfast status; journalctl -u holdfastd -n 50 -o cat').out}"
            time.sleep(3)

    def test_the_agent_reboots_the_machine_and_loads_what_somebody_unloads(machine):
        machine.put("/etc/holdfast/holdfast.yaml", CONFIGURATION)
        first = machine.run("modprobe -r dummy; cp /srv/given/store/root/1.json /etc/holdfast/root.json; cp /srv/given/units/* /etc/systemd/system/; "
                            "useradd --system --no-create-home holdfast; systemctl daemon-reload; systemctl enable -q holdfastd; "
                            "cat /proc/sys/kernel/random/boot_id; systemctl start --no-block holdfastd").out.strip()
        machine.rebooted(3600)
        until(machine, "grep after /root/order")
        assert machine.get("/root/order").splitlines() == ["before", f"after {first}"]
        assert machine.boot_id != first
        assert machine.run("ls -d /sys/class/net/dummy*").out.split() == [f"/sys/class/net/dummy{i}" for i in range(3)]
        until(machine, "holdfast status | grep -i installed")
        machine.run("modprobe -r dummy", check=True)
        until(machine, "lsmod | grep '^dummy '")
        until(machine, "holdfast drift | grep -i 'a module'")
