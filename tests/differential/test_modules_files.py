"""File, text and command modules against the real ansible: the same rows through both, compared by what a user sees.

One ansible-playbook run takes every row once; what it did is kept in the build folder, so that later runs are quick.
Then holdfast: check (nothing may change), apply (status, result keys and tree as ansible's), apply again (all ok).
"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from files_rows import ROWS, Dir, File, Hard, Link  # noqa: E402

BUILD = pathlib.Path(os.environ.get("HF_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build"))
ANSIBLE = pathlib.Path(sys.executable).parent / "ansible-playbook"
IDS = [r.title for r in ROWS]
# Never compared: what differs from run to run, and what the controller adds.
VOLATILE = {"start", "end", "delta", "invocation", "ansible_facts", "exception", "src", "deprecations", "diff",
            "_ansible_no_log", "warnings", "traceback", "details", "validation", "module_stdout", "ansible_loop_var"}
MTIME = 1_500_000_000


def place(path, what):
    if isinstance(what, str):
        what = File(what)
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(what, Dir):
        path.mkdir(exist_ok=True)
        path.chmod(what.mode)
    elif isinstance(what, Link):
        path.symlink_to(what.target)
    elif isinstance(what, Hard):
        os.link(path.parent / what.other, path)
    else:
        path.write_bytes(what.text.encode())
        path.chmod(what.mode)


def substitute(value, root):
    if isinstance(value, str):
        return value.replace("@", root)
    if isinstance(value, list):
        return [substitute(v, root) for v in value]
    if isinstance(value, dict):
        return {k: substitute(v, root) for k, v in value.items()}
    return value


def build(root):
    """Every row's directory and one playbook over all of them; returns the playbook."""
    shutil.rmtree(root, ignore_errors=True)
    play = root / "play"
    play.mkdir(parents=True)
    tasks = []
    for i, r in enumerate(ROWS):
        here = root / "rows" / str(i)
        here.mkdir(parents=True)
        for name, what in r.given.items():
            place(here / name, what)
        for name, what in r.options.get("sources", {}).items():
            if not os.path.lexists(play / name):
                place(play / name, what)
        for path in sorted(here.rglob("*"), reverse=True):
            os.utime(path, (MTIME, MTIME), follow_symlinks=False)
        tasks.append({"name": r.title, "register": f"r_{i}", "ignore_errors": True, **substitute(r.task, str(here))})
    dump = "{{ {" + ", ".join(f"'{i}': r_{i}" for i in range(len(ROWS))) + "} | to_json }}"
    tasks.append({"name": "dump", "copy": {"content": dump, "dest": str(root / "results.json")},
                  "check_mode": False})
    book = play / "site.yml"
    book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    return book


def tree(here, times=False):
    """What lies below a directory, by name; a backup's date is not part of its name."""
    out = {}
    for path in sorted(here.rglob("*")):
        st = path.lstat()
        name = re.sub(r"\.\d+\.\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d~$", ".BACKUP~", str(path.relative_to(here)))
        entry = [stat.filemode(st.st_mode), st.st_uid, st.st_gid]
        if path.is_symlink():
            entry.append(os.readlink(path).replace(str(here), "@"))
        elif path.is_file():
            entry += [path.read_bytes().decode(errors="replace").replace(str(here), "@"), st.st_nlink]
        if times:
            entry.append(st.st_mtime_ns)
        out[name] = entry
    return out


def plain(value, here):
    """A result without this run's paths and numbers."""
    text = json.dumps(value).replace(str(here), "@")
    text = re.sub(r"\.\d+\.\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d~", ".BACKUP~", text)
    return json.loads(text)


def collect(root):
    results = json.loads((root / "results.json").read_text())
    return [{"result": plain(results[str(i)], root / "rows" / str(i)), "tree": tree(root / "rows" / str(i))}
            for i in range(len(ROWS))]


def run(argv, root, cwd):
    env = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "False", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
           "ANSIBLE_PIPELINING": "True",
           "ANSIBLE_HOME": str(root / "home"), "HOME": os.environ.get("HOME", "/root")}
    return subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def ansible(tmp_path_factory):
    """What ansible-playbook makes of every row; from the build folder when rows are as they were."""
    sources = b"".join(pathlib.Path(__file__).with_name(n).read_bytes() for n in ("files_rows.py", pathlib.Path(__file__).name))
    kept = BUILD / f"oracle-files-{hashlib.sha256(sources).hexdigest()[:16]}.json"
    if not kept.exists():
        root = tmp_path_factory.mktemp("ansible")
        book = build(root)
        done = run([ANSIBLE, "-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}", book], root, book.parent)
        assert (root / "results.json").exists(), done.stdout[-3000:] + done.stderr[-3000:]
        for old in BUILD.glob("oracle-files-*.json"):
            old.unlink()
        kept.write_text(json.dumps(collect(root)))
    return json.loads(kept.read_text())


def apply(holdfast, book, *more):
    done = run([holdfast, "apply", *more, "--output", "jsonl", book], book.parent.parent, book.parent)
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    tasks = [e for e in events if e.get("type") == "task" and "item" not in e]
    assert len(tasks) == len(ROWS) + 1, done.stdout[-3000:] + done.stderr[-3000:]
    return tasks


@pytest.fixture(scope="session")
def ours(tmp_path_factory, holdfast):
    """check, apply, apply again."""
    root = tmp_path_factory.mktemp("holdfast")
    book = build(root)
    rows = [root / "rows" / str(i) for i in range(len(ROWS))]
    before = [tree(r, times=True) for r in rows]
    checked = apply(holdfast, book, "--check")
    unchanged = [tree(r, times=True) == b for r, b in zip(rows, before)]
    first = apply(holdfast, book)
    out = collect(root)
    second = apply(holdfast, book)
    for i, o in enumerate(out):
        o.update(check=checked[i], untouched=unchanged[i], first=first[i], second=second[i])
    return out


def status(result):
    if result.get("failed"):
        return "failed"
    if result.get("skipped"):
        return "skipped"
    return "changed" if result.get("changed") else "ok"


def comparable(result, loose):
    out = {k: v for k, v in result.items()
           if k not in VOLATILE and k not in loose and (k, v) != ("failed", False)}
    for name in loose:
        outer, _, inner = name.partition(".")
        for entry in out.get(outer, []) if isinstance(out.get(outer), list) else [out.get(outer)]:
            if inner and isinstance(entry, dict):
                entry.pop(inner, None)
    if isinstance(out.get("files"), list):
        out["files"].sort(key=lambda f: f["path"])
    return {} if "*" in loose else out


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_same_as_ansible(i, ansible, ours):
    """Status, tree and result keys after one run."""
    loose = ROWS[i].options.get("loose", [])
    want, got = ansible[i], ours[i]
    assert status(got["result"]) == status(want["result"]), (want["result"], got["result"])
    if status(want["result"]) != "failed":
        assert got["tree"] == want["tree"]
    assert comparable(got["result"], loose) == comparable(want["result"], loose)


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_check_touches_nothing(i, ours):
    assert ours[i]["untouched"]


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_second_run_is_ok(i, ours):
    """What check announces, apply does once."""
    if ours[i]["first"]["status"] in ("changed", "ok") and not ROWS[i].options.get("always"):
        assert ours[i]["second"]["status"] in ("ok", "skipped")
