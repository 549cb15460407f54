"""Modules that only speak to other programs, against the collections' own: both drive the stand-ins of front_shim.py, and must come to
the same results by the same commands. No device mapper and no SELinux is needed. For each row: check runs nothing, a second run
runs nothing, undo brings the world back."""
import json
import os
import pathlib
import re
import shutil
import sys

import pytest

from kit import BUILD, run, status
from rows import FRONTED as ROWS
from rows import load
from test_called import collections

load()
FRONT = pathlib.Path(__file__).with_name("front_shim.py")
NAMES = ["lvm", "vgs", "pvs", "lvs", "pvcreate", "pvremove", "pvresize", "pvchange", "pvdisplay", "vgcreate", "vgremove", "vgextend",
         "vgreduce", "vgchange", "lvcreate", "lvremove", "lvextend", "lvreduce", "lvchange", "semanage", "nmcli"]
IDS = [r[0] for r in ROWS]
LVM = [i for i, r in enumerate(ROWS) if r[1] != "sefcontext"]


class World:
    def __init__(self, root):
        self.root, self.bin = root, root / "bin"
        self.bin.mkdir(parents=True)
        for name in NAMES:
            (self.bin / name).write_text(f"#!{sys.executable} -IS\n{FRONT.read_text()}")
            (self.bin / name).chmod(0o755)
        self.reset()

    def put(self, value, i):
        return json.loads(json.dumps(value).replace("@", str(i)).replace("~", str(self.root)))

    def reset(self):
        groups, devices, large, labels = {"vg-other": {"auto": True, "volumes": {}}}, {f"{self.root}/d-other": "vg-other"}, {}, {}
        connections = {}
        (self.root / "d-other").touch()
        for i, (_, _, _, volumes, given, options) in enumerate(ROWS):
            for letter in ("a", "b", "large"):
                (self.root / f"d-{i}-{letter}").touch()
            for letter in given:
                groups[f"vg-{i}-"] = {"auto": any(v["active"] for v in volumes.values()), "volumes": volumes}
                devices[f"{self.root}/d-{i}-{letter}"] = f"vg-{i}-"
            large[f"{self.root}/d-{i}-large"] = 200 << 20
            labels.update(self.put(options.get("labels", {}), i))
            connections.update(self.put(options.get("connections", {}), i))
        (self.root / "world.json").write_text(json.dumps({"groups": groups, "devices": devices, "large": large, "grown": {}, "labels": labels,
                                                          "connections": connections}))
        (self.root / "log").write_text("")

    def env(self):
        return {"PATH": f"{self.bin}:{os.environ['PATH']}", "HF_FRONT": str(self.root)}

    def log(self, i):
        lines = [json.loads(line) for line in (self.root / "log").read_text().splitlines()]
        mine = [w for w in lines if any(f"-{i}-" in x for x in w)]
        return [[x.replace(str(self.root), "~") for x in w] for w in mine]

    def state(self, i):
        world = json.loads((self.root / "world.json").read_text())
        return {kind: {k: v for k, v in world[kind].items() if f"-{i}-" in k and (kind != "devices" or v)}
                for kind in ("groups", "devices", "labels", "connections")}


@pytest.fixture(scope="module")
def wanted(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("ansible"))
    rows = [[f"ansible_collections.community.general.plugins.modules.{ROWS[i][1]}", world.put(ROWS[i][2], i), str(world.root)]
            for i in LVM]
    (world.root / "plan.json").write_text(json.dumps(rows))
    done = run([sys.executable, pathlib.Path(__file__).with_name("run_modules.py"), world.root / "plan.json", world.root / "out.json"],
               world.root, world.root, PYTHONPATH=str(collections()), **world.env())
    assert done.returncode == 0, done.stderr[-3000:]
    return {i: (r, world.log(i)) for i, r in zip(LVM, json.loads((world.root / "out.json").read_text()))}


def play(world, holdfast, *more):
    tasks = [{"name": IDS[i], f"community.general.{r[1]}": world.put(r[2], i), "ignore_errors": True} for i, r in enumerate(ROWS)
             if r[5]["back"] or more[:1] != ("door",)]
    book = world.root / "site.yml"
    book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    if more and more[0] == "door":
        return run([BUILD / "tests/system/undo_door", *more[1:2], *([book] if more[1] == "apply" else []), world.root / "kept"],
                   world.root, world.root, **world.env())
    done = run([holdfast, "apply", *more, "--output", "jsonl", book], world.root, world.root, **world.env())
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    tasks = [e for e in events if e.get("type") == "task"]
    assert len(tasks) == len(ROWS), done.stdout[-3000:] + done.stderr[-3000:]
    return tasks


@pytest.fixture(scope="module")
def ours(tmp_path_factory, holdfast):
    world = World(tmp_path_factory.mktemp("holdfast"))
    every = range(len(ROWS))
    before = [world.state(i) for i in every]
    out = {"check": play(world, holdfast, "--check"), "checked": [world.log(i) for i in every]}
    out |= {"first": play(world, holdfast), "log": [world.log(i) for i in every]}
    out |= {"second": play(world, holdfast)}
    world.reset()
    shutil.rmtree(world.root / "kept", ignore_errors=True)
    for word in ("apply", "undo"):
        done = play(world, holdfast, "door", word)
        assert done.returncode in (0, 2), done.stderr
    return {**out, "before": before, "after": [world.state(i) for i in every]}


def words(log):
    """Full paths and --yes of an old LVM aside; an activation that is already so is no change."""
    return [w for w in log if w[0] != "lvchange"], {tuple(w) for w in log if w[0] == "lvchange"}


@pytest.mark.parametrize("i", LVM, ids=[IDS[i] for i in LVM])
def test_same_commands_and_results(i, wanted, ours):
    result, log = wanted[i]
    got = ours["first"][i]
    assert {"ignored": "failed"}.get(got["status"], got["status"]) == status(result), (result, got)
    if status(result) == "failed":
        want, said = (re.sub(r"/\S*/", "", m["msg"]) for m in (result, got))
        assert want in said or said in want or "extended" in said
        return
    (mine, switched), (theirs, theirs_switched) = words(ours["log"][i]), words(log)
    assert sorted(mine) == sorted(theirs)
    assert switched <= theirs_switched  # Ansible switches on what is on


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_check_runs_nothing_and_tells(i, ours):
    assert ours["checked"][i] == []
    assert ours["check"][i]["status"] == ours["first"][i]["status"]


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_second_run_is_ok(i, ours):
    if ours["first"][i]["status"] == "changed" and not ROWS[i][5]["again"]:
        assert ours["second"][i]["status"] == "ok", ours["second"][i]


@pytest.mark.parametrize("i", [i for i, r in enumerate(ROWS) if r[5]["back"]], ids=[r[0] for r in ROWS if r[5]["back"]])
def test_undo_brings_the_world_back(i, ours):
    assert ours["after"][i] == ours["before"][i]


@pytest.mark.parametrize("i", [i for i, r in enumerate(ROWS) if r[1] == "sefcontext"], ids=[r[0] for r in ROWS if r[1] == "sefcontext"])
def test_semanage_is_told(i, ours):
    title, changed = IDS[i], len(ours["log"][i])
    assert changed == (0 if title.endswith(("there", "another one")) else 1), ours["log"][i]
    assert ("-N" in sum(ours["log"][i], [])) == ("without loading" in title)
