"""holdfast.mdadm in front of a stand-in that keeps what arrays there are, as mdadm does, in the folder of the disks; what is on a
disk is asked of the real blkid. Every row says what comes of it and by which commands; check touches nothing, a second run changes
nothing, undo restores."""
import json
import os
import sys

import pytest

from kit import ask_holdfast, status, take_back
from rows import Disk, Row

STAND_IN = '''#!%s -IS
import json, os, sys
words = sys.argv[1:]
devices = [w for w in words if w.startswith("/")]
folder = os.path.dirname(devices[0])
options = dict(w[2:].split("=", 1) for w in words if w.startswith("--") and "=" in w)
try:
    world = json.load(open(folder + "/md.json"))
except FileNotFoundError:
    world = {"marks": {}, "runs": {}}
marks, runs = world["marks"], world["runs"]
names = [os.path.basename(d) for d in devices]
if "--detail" in words:
    if names[0] not in runs:
        sys.exit("mdadm: cannot open %%s: No such file or directory" %% devices[0])
    members = runs[names[0]]
    mark = marks[members[0]]
    print("MD_LEVEL=" + mark["level"], "MD_DEVICES=%%d" %% len(members), "MD_METADATA=1.2", "MD_UUID=" + mark["uuid"], sep="\\n")
    for m in members:
        print("MD_DEVICE_dev_%%s_ROLE=0\\nMD_DEVICE_dev_%%s_DEV=%%s/%%s" %% (m, m, folder, m))
    sys.exit()
if "--examine" in words:
    if names[0] not in marks:
        sys.exit("mdadm: No md superblock detected on %%s." %% devices[0])
    print("MD_LEVEL=" + marks[names[0]]["level"], "MD_UUID=" + marks[names[0]]["uuid"], sep="\\n")
    sys.exit()
with open(folder + "/log", "a") as log:
    log.write(" ".join(words).replace(folder, "@") + "\\n")
if "--create" in words:
    marks.update({n: {"level": "raid" + options["level"], "uuid": "new"} for n in names[1:]})
    runs[names[0]] = names[1:]
elif "--assemble" in words:
    runs[names[0]] = names[1:]
elif "--stop" in words:
    if names[0] == "busy":
        sys.exit("mdadm: Cannot get exclusive access to " + devices[0])
    runs.pop(names[0])
elif "--zero-superblock" in words:
    for n in names:
        marks.pop(n)
elif "--add" in words:
    runs[names[0]].append(names[1])
    marks[names[1]] = marks[runs[names[0]][0]]
elif "--remove" in words:
    runs[names[0]].remove(names[1])
    marks.pop(names[1])
json.dump(world, open(folder + "/md.json", "w"))
''' % sys.executable
ROWS = []


def array(title, want, commands="", marks=None, runs=None, said=None, back=True, **args):
    """marks: disk → uuid of an array; runs: array → disks."""
    world = {"marks": {d: {"level": "raid1", "uuid": u} for d, u in (marks or {}).items()}, "runs": runs or {}}
    given = {d: "" for d in "abcd"} | {"md.json": json.dumps(world), **({"fs": Disk("mklabel gpt")} if "@/fs" in str(args) else {})}
    task = {"holdfast.mdadm": {"device": "@/md0", **args}}
    ROWS.append(Row(title, given, task, {"want": want, "commands": commands, "said": said, "back": back}))


TWO = {"level": 1, "devices": ["@/a", "@/b"]}
MARKED = {"a": "u1", "b": "u1"}
array("new", "changed", "--create @/md0 --run --level=1 --raid-devices=2 --metadata=1.2 @/a @/b", **TWO)
array("new by its long name, with everything", "changed",
      "--create @/md0 --run --level=10 --raid-devices=3 --spare-devices=1 --metadata=1.0 --chunk=512K --bitmap=internal --layout=f2 "
      "--homehost=h --assume-clean @/a @/b @/c @/d", level="raid10", devices=["@/a", "@/b", "@/c"], spares=["@/d"], metadata="1.0",
      chunk="512K", bitmap="internal", layout="f2", homehost="h", assume_clean=True)
array("no level", "failed", said="level is needed", devices=["@/a"])
array("unknown level", "failed", said="level '7' is none of", devices=["@/a"], level=7)
array("no devices", "failed", said="devices are needed", level=1)
array("a disk that is not there", "failed", said="device @/no not found", level=1, devices=["@/a", "@/no"])
array("a disk twice", "failed", said="named twice", level=1, devices=["@/a", "@/./a"])
array("over a partitioned disk", "failed", said="@/fs holds gpt; force: true goes over it", level=1, devices=["@/a", "@/fs"])
array("over a partitioned disk, forced", "changed", "--create @/md0 --run --level=1 --raid-devices=2 --metadata=1.2 @/a @/fs", back=False,
      level=1, devices=["@/a", "@/fs"], force=True)
array("over another array", "failed", marks={"b": "u1"}, said="@/b holds a part of another array", **TWO)
array("over two others", "failed", marks={"a": "u1", "b": "u2"}, said="holds a part of another array", **TWO)
array("over another array, forced", "changed", "--create @/md0 --run --level=1 --raid-devices=2 --metadata=1.2 @/a @/b", marks={"b": "u1"},
      back=False, force=True, **TWO)
array("there", "ok", marks=MARKED, runs={"md0": ["a", "b"]}, **TWO)
array("there, by links", "ok", marks=MARKED, runs={"md0": ["a", "b"]}, level="raid1", devices=["@/./a", "@//b"])
array("there, nothing named", "ok", marks=MARKED, runs={"md0": ["a", "b"]})
array("another level", "failed", marks=MARKED, runs={"md0": ["a", "b"]}, said="is of level 1, not 5", level=5, devices=["@/a", "@/b"])
array("one disk more", "changed", "@/md0 --add @/c", marks=MARKED, runs={"md0": ["a", "b"]}, level=1, devices=["@/a", "@/b"], spares=["@/c"])
array("one disk more that holds something", "failed", marks=MARKED, runs={"md0": ["a", "b"]}, said="holds gpt", level=1,
      devices=["@/a", "@/b", "@/fs"])
array("one disk less", "failed", marks=MARKED, runs={"md0": ["a", "b"]}, said="has @/b, which neither devices nor spares name", level=1,
      devices=["@/a"])
array("put together again", "changed", "--assemble @/md0 @/a @/b", marks=MARKED, **TWO)
array("put together again, of another level", "failed", marks=MARKED, said="is of level 1, not 0", level=0, devices=["@/a", "@/b"])
array("stopped", "changed", "--stop @/md0", marks=MARKED, runs={"md0": ["a", "b"]}, state="stopped")
array("stopped already", "ok", marks=MARKED, state="stopped")
array("stopped but in use", "failed", "--stop @/busy", marks=MARKED, runs={"busy": ["a", "b"]}, said="exclusive access", device="@/busy",
      state="stopped")
array("absent", "failed", marks=MARKED, runs={"md0": ["a", "b"]}, said="no removal of array @/md0 without force", state="absent")
array("absent, forced", "changed", "--stop @/md0\n--zero-superblock @/a @/b", marks=MARKED, runs={"md0": ["a", "b"]}, back=False, state="absent",
      force=True)
array("absent and stopped", "changed", "--zero-superblock @/a @/b", marks=MARKED, back=False, state="absent", force=True,
      devices=["@/a", "@/b", "@/c"])
array("absent already", "ok", state="absent", devices=["@/a"])
IDS = [r.title for r in ROWS]
BACK = [r for r in ROWS if r.options["back"]]


@pytest.fixture(scope="module", autouse=True)
def front(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bin")
    (folder / "mdadm").write_text(STAND_IN)
    (folder / "mdadm").chmod(0o755)
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{folder}:{before}"
    yield
    os.environ["PATH"] = before


@pytest.fixture(scope="module")
def ours(front, tmp_path_factory, holdfast):
    return ask_holdfast(tmp_path_factory.mktemp("holdfast"), ROWS, holdfast)


@pytest.fixture(scope="module")
def undone(front, tmp_path_factory):
    return take_back(tmp_path_factory.mktemp("undo"), BACK)


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_what_comes_of_it(i, ours):
    want, got = ROWS[i].options, ours[i]
    assert status(got["result"]) == want["want"], got["result"]
    assert got["tree"].get("log", ["", "", "", ""])[3].strip() == want["commands"]
    if want["said"]:
        assert want["said"] in got["result"]["msg"]
    if want["want"] == "changed" and "--create" in want["commands"]:
        assert got["result"]["array"]["uuid"] == "new" and got["result"]["array"]["state"] == "present"


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_check_touches_nothing_and_tells(i, ours):
    assert ours[i]["untouched"]
    if not ROWS[i].options["commands"] or ROWS[i].options["want"] == "changed":
        assert ours[i]["check"]["status"] == ours[i]["first"]["status"]


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_second_run_is_ok(i, ours):
    if ours[i]["first"]["status"] == "changed":
        assert ours[i]["second"]["status"] == "ok"


@pytest.mark.parametrize("i", range(len(BACK)), ids=[r.title for r in BACK])
def test_undo_restores(i, undone):
    before, after = (json.loads(t["md.json"][3]) for t in undone[i])
    assert after == before
