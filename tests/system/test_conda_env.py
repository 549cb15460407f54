"""holdfast.conda_env in front of programs of the tests' own, which keep environments as conda does: a conda-meta folder with a
record of every package. For each row: check touches nothing, the environment and the call are as wanted, a second run is ok,
undo brings back what was there."""
import json
import pathlib
import subprocess
import sys

import pytest

from places import BUILD

URL = "https://conda.example/linux-64/"
# The newest of each, which is what an unpinned name brings.
WORLD = {"python": "3.11.9-h1", "numpy": "1.26.4-py311", "pip": "24.0-pyh", "tool": "2.0-0"}
PROGRAM = f"""#!{sys.executable}
import json, pathlib, shutil, sys, os
WORLD, URL, HERE = {WORLD!r}, {URL!r}, pathlib.Path(__file__).parent
words = sys.argv[1:]
if words[0] == "info":
    micro = "micromamba" in sys.argv[0]
    print(json.dumps({{"envs directories" if micro else "envs_dirs": [str(HERE / "envs")], "base environment" if micro else "root_prefix": str(HERE)}}))
    sys.exit()
prefix = pathlib.Path(words[words.index("--prefix") + 1])
dry = "--dry-run" in words
if not dry:
    (HERE / "log").open("a").write(" ".join(words).replace(str(HERE), "@") + "\\n")
meta = prefix / "conda-meta"
here = {{f.stem.rsplit("-", 2)[0]: f.stem for f in meta.glob("*.json")}}
names, skip = [], False
for w in words[words.index("--prefix") + 2:]:
    if skip or w in ("--channel", "--file"):
        skip = not skip
    elif not w.startswith("--"):
        names.append(w)
wanted = {{}}
def pick(spec):
    name, _, pin = spec.split("::")[-1].partition("=")
    exact, pin, version = pin.startswith("="), pin.lstrip("="), WORLD[name].partition("-")[0]
    fits = not pin or version == pin or (not exact and version.startswith(pin + "."))
    wanted[name] = f"{{name}}-{{WORLD[name]}}" if fits else f"{{name}}-{{pin}}-0"
if "--file" in words:
    text = pathlib.Path(words[words.index("--file") + 1]).read_text()
    if "@EXPLICIT" in text:
        for line in text.splitlines():
            if line.startswith("http"):
                dist = line.split("#")[0].split("/")[-1].replace(".conda", "").replace(".tar.bz2", "")
                wanted[dist.rsplit("-", 2)[0]] = dist
    else:
        for line in text.splitlines():
            if line.startswith("  - ") and not line.endswith(":"):
                pick(line[4:])
            if line.startswith("    - "):
                name, _, version = line[6:].partition("==")
                (prefix / f"lib/python3.11/site-packages/{{name.replace('-', '_')}}-{{version or '1'}}.dist-info").mkdir(parents=True, exist_ok=True)
if words[0] == "remove" or words[:2] == ["env", "remove"]:
    if "--all" in words or words[0] == "env":
        shutil.rmtree(meta)
    for name in names:
        (meta / (here[name] + ".json")).unlink()
    sys.exit()
if words[0] == "update" and "--all" in words:
    names = list(here)
for name in names:
    pick(name)
if dry:
    link = [d for n, d in wanted.items() if here.get(n) != d]
    print(json.dumps({{"actions": {{"LINK": link}}}} if link else {{"message": "All requested packages already installed."}}))
    sys.exit()
meta.mkdir(parents=True, exist_ok=True)
for name, dist in wanted.items():
    if name in here:
        (meta / (here[name] + ".json")).unlink()
    (meta / (dist + ".json")).write_text(json.dumps({{"name": name, "url": URL + dist + ".conda"}}))
"""
OLD = ["python-3.10.1-h0", "numpy-1.26.0-0"]
LOCK = "# platform: linux-64\n@EXPLICIT\n" + "".join(f"{URL}{d}#0123\n" for d in ("python-3.11.9-h1.conda", "my-lib-1.0-0.tar.bz2"))
YML = "name: x\nchannels: [c]\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n    - Some.Wheel==2.0\n    - other\n"
E = "@/e"
# title, what is there (None: no environment), files, arguments, status, what is there then, the call
ROWS = [
    ("new", None, {}, {"prefix": E, "packages": ["python", "numpy=1.26"]}, "changed", ["numpy-1.26.4-py311", "python-3.11.9-h1"],
     "create --yes --prefix @/e python numpy=1.26"),
    ("new and empty", None, {}, {"prefix": E}, "changed", [], "create --yes --prefix @/e"),
    ("new by name", None, {}, {"name": "e", "packages": ["pip"]}, "changed", ["pip-24.0-pyh"], "create --yes --prefix @/envs/e pip"),
    ("there", OLD, {}, {"prefix": E, "packages": ["python", "numpy=1.26", "c::python=3.10.*", "numpy==1.26.0", "numpy=1.26.0=0"]}, "ok", OLD, ""),
    ("a version that begins so", OLD, {}, {"prefix": E, "packages": ["numpy=1.2"]}, "changed", ["numpy-1.2-0", OLD[0]],
     "install --yes --prefix @/e numpy=1.2"),
    ("another version", OLD, {}, {"prefix": E, "packages": ["numpy==1.26"], "channels": ["a", "b"], "override_channels": True}, "changed",
     ["numpy-1.26-0", OLD[0]], "install --yes --prefix @/e --channel a --channel b --override-channels numpy==1.26"),
    ("one more", OLD, {}, {"prefix": E, "packages": ["tool"]}, "changed", [*OLD, "tool-2.0-0"], "install --yes --prefix @/e tool"),
    ("a range", OLD, {}, {"prefix": E, "packages": ["numpy>=1.2"]}, "failed", OLD, ""),
    ("latest", OLD, {}, {"prefix": E, "packages": ["numpy"], "state": "latest"}, "changed", ["numpy-1.26.4-py311", OLD[0]],
     "update --yes --prefix @/e numpy"),
    ("latest of all", OLD, {}, {"prefix": E, "state": "latest"}, "changed", ["numpy-1.26.4-py311", "python-3.11.9-h1"],
     "update --yes --prefix @/e --all"),
    ("latest is there", ["tool-2.0-0"], {}, {"prefix": E, "packages": ["tool"], "state": "latest"}, "ok", ["tool-2.0-0"], ""),
    ("packages go", OLD, {}, {"prefix": E, "packages": ["numpy"], "state": "absent"}, "changed", [OLD[0]], "remove --yes --prefix @/e numpy"),
    ("packages that are not there go", OLD, {}, {"prefix": E, "packages": ["tool"], "state": "absent"}, "ok", OLD, ""),
    ("it goes", OLD, {}, {"prefix": E, "state": "absent"}, "changed", None, "remove --yes --all --prefix @/e"),
    ("it goes, not there", None, {}, {"prefix": E, "state": "absent"}, "ok", None, ""),
    ("a lock", OLD, {"l": LOCK}, {"prefix": E, "file": "@/l"}, "changed", ["my-lib-1.0-0", OLD[1], "python-3.11.9-h1"],
     "install --yes --prefix @/e --file @/l"),
    ("a lock that holds", ["python-3.11.9-h1", "my-lib-1.0-0"], {"l": LOCK}, {"prefix": E, "file": "@/l"}, "ok", ["my-lib-1.0-0", "python-3.11.9-h1"], ""),
    ("a lock of rubbish", OLD, {"l": "@EXPLICIT\nhttps://x/y\n"}, {"prefix": E, "file": "@/l"}, "failed", OLD, ""),
    ("a document", None, {"y.yml": YML}, {"prefix": E, "file": "@/y.yml"}, "changed", ["pip-24.0-pyh", "python-3.11.9-h1"],
     "env create --prefix @/e --file @/y.yml"),
    ("a document for micromamba", None, {"y.yml": YML}, {"prefix": E, "file": "@/y.yml", "executable": "@/micromamba"}, "changed",
     ["pip-24.0-pyh", "python-3.11.9-h1"], "create --yes --prefix @/e --file @/y.yml"),
    ("no document", None, {"y.yml": "a: b\n"}, {"prefix": E, "file": "@/y.yml"}, "failed", None, ""),
    ("nothing named", OLD, {}, {"packages": ["numpy"]}, "failed", OLD, ""),
]


class World:
    def __init__(self, root, row):
        self.root, (_, there, files, args, *_) = root, row
        for name in ("conda", "micromamba"):
            (root / name).write_text(PROGRAM)
            (root / name).chmod(0o755)
        for dist in there or []:
            meta = root / "e/conda-meta"
            meta.mkdir(parents=True, exist_ok=True)
            (meta / f"{dist}.json").write_text(json.dumps({"url": f"{URL}{dist}.conda"}))
        for name, text in files.items():
            (root / name).write_text(text)
        args = json.loads(json.dumps({"executable": "@/conda", **args}).replace("@", str(root)))
        self.book = root / "site.yml"
        self.book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [{"name": "it", "holdfast.conda_env": args}]}]))

    def apply(self, holdfast, *words):
        done = subprocess.run([holdfast, "apply", "--output", "jsonl", *words, self.book], capture_output=True, text=True)
        return [json.loads(line) for line in done.stdout.splitlines() if '"task"' in line][0]

    def packages(self):
        """None: there is no environment."""
        metas = [m for m in (self.root / "e/conda-meta", self.root / "envs/e/conda-meta") if m.exists()]
        return sorted(f.stem for f in metas[0].glob("*.json")) if metas else None

    def log(self):
        log = self.root / "log"
        return log.read_text().splitlines() if log.exists() else []


@pytest.mark.parametrize("row", ROWS, ids=[r[0] for r in ROWS])
def test_environment(row, holdfast, tmp_path):
    _, there, _, _, status, then, call = row
    world = World(tmp_path, row)
    checked = world.apply(holdfast, "--check")
    assert world.packages() == (sorted(there) if there else None) and not world.log()
    first = world.apply(holdfast)
    assert (checked["status"], first["status"]) == (status, status), first
    assert world.packages() == (sorted(then) if then is not None else None)
    assert world.log() == ([call] if call else [])
    if status != "failed":
        assert world.apply(holdfast)["status"] == "ok"


@pytest.mark.parametrize("row", [r for r in ROWS if r[4] == "changed"], ids=[r[0] for r in ROWS if r[4] == "changed"])
def test_undo(row, tmp_path):
    world = World(tmp_path, row)
    for words in (["apply", world.book, tmp_path / "kept"], ["undo", tmp_path / "kept"]):
        done = subprocess.run([BUILD / "tests/system/undo_door", *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    assert world.packages() == (sorted(row[1]) if row[1] else None)


def test_undo_keeps_what_was_in_the_folder(tmp_path):
    world = World(tmp_path, next(r for r in ROWS if r[0] == "new"))
    (tmp_path / "e").mkdir()
    (tmp_path / "e/mine").write_text("mine")
    for words in (["apply", world.book, tmp_path / "kept"], ["undo", tmp_path / "kept"]):
        subprocess.run([BUILD / "tests/system/undo_door", *words], capture_output=True, text=True)
    assert world.log() and (tmp_path / "e/mine").read_text() == "mine"


def test_what_is_refused_says_why(holdfast, tmp_path):
    world = World(tmp_path, next(r for r in ROWS if r[0] == "a range"))
    assert "package 'numpy>=1.2': NAME, NAME=VERSION" in world.apply(holdfast)["msg"]
    assert pathlib.Path(tmp_path / "e/conda-meta").exists()
