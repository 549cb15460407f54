"""Modules that change a running host, beside Ansible's own on an identical second host: in check mode, applied and applied again both
say the same, and leave the same behind."""
import json
import pathlib
import subprocess
import sys
import sysconfig

import pytest

import aptrepo
import rpm_rows  # noqa: F401
import host_rows  # noqa: F401
import firewall_rows  # noqa: F401 (the last)
from host import BESIDE, Host
from live_rows import ROWS
from places import BUILD, ROOT

sys.path.insert(0, str(ROOT / "tests/differential"))
from test_modules_collections import collections  # noqa: E402

# Ansible's bookkeeping and what each engine words for itself; differences have rows of their own (test_module_diffs.py).
VOLATILE = {"invocation", "diff", "warnings", "deprecations", "exception", "failed", "changed", "_ansible_no_log", "traceback", "stdout_lines",
            "stderr_lines"}
STEPS = ("check", "checked", "first", "left", "second", "kept")


def boot(archive, binds):
    host = Host(binds={"/srv/archive": archive, **binds}, packages=BESIDE).__enter__()
    host.put("/etc/apt/sources.list", "# nothing here\n")
    return host


def steps(of_module, of_shell):
    """Every row's steps, one after the other."""
    for r in ROWS:
        yield of_shell(r.given or "true")
        for check in (True, False, False):
            yield of_module(r, check)
            yield of_shell(r.probe)


def by_row(results):
    """What the steps said, a dict a row; of a probe its text."""
    out = []
    for i in range(len(ROWS)):
        row = results[i * 7 + 1:i * 7 + 7]
        out.append({step: got if step in STEPS[::2] else got["stdout"].strip() for step, got in zip(STEPS, row)})
    return out


def make_archive(folder, home):
    """An archive of packages, and two keys."""
    aptrepo.build(folder)
    home.chmod(0o700)
    for name in ("a", "b"):
        gpg = ["gpg", "--homedir", home, "--batch", "--quiet", "--passphrase", ""]
        subprocess.run([*gpg, "--quick-gen-key", f"{name}@example.org", "ed25519", "cert,sign", "never"], check=True)
        for suffix, words in (("asc", ["--armor"]), ("gpg", [])):
            subprocess.run([*gpg, *words, "--output", folder / f"{name}.{suffix}", "--export", f"{name}@example.org"], check=True)
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)
    return folder


def ask_ansible(archive):
    def module(r, check):
        where = "ansible_collections.{}.{}.plugins.modules.{}" if r.module.count(".") == 2 else "ansible.modules.{}"
        return [where.format(*r.module.split(".")), {**r.args, "_ansible_check_mode": check, "_ansible_diff": True}, "/root"]

    site = pathlib.Path(sysconfig.get_paths()["purelib"])
    binds = {"/opt/site": site, "/opt/tests": ROOT / "tests/differential", "/opt/collections": collections()}
    host = boot(archive, binds)
    try:
        host.put("/root/plan.json", json.dumps(list(steps(module, lambda text: ["shell", text, "/root"]))))
        host.run("python3 /opt/tests/run_modules.py /root/plan.json /root/out.json", env={"PYTHONPATH": "/opt/site:/opt/collections"}, timeout=3600,
                 check=True)
        return by_row(json.loads(host.get("/root/out.json")))
    finally:
        host.close()


def ask_holdfast(archive):
    tasks = []

    def add(task, **more):
        tasks.append({**task, "register": f"r_{len(tasks)}", **more})

    list(steps(lambda r, check: add({r.module: r.args}, check_mode=check, ignore_errors=True),
               lambda text: add({"shell": f"( {text}\n) 2>&1"}, failed_when=False)))
    host = boot(archive, {})
    try:
        host.install(BUILD / "holdfast", "/usr/bin/holdfast")
        dump = "{{ [" + ", ".join(f"r_{i}" for i in range(len(tasks))) + "] | to_json }}"
        tasks.append({"copy": {"content": dump, "dest": "/root/out.json"}})
        host.put("/root/play.json", json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
        done = host.run("holdfast apply /root/play.json", timeout=3600)
        assert host.exists("/root/out.json"), done
        return by_row(json.loads(host.get("/root/out.json")))
    finally:
        host.close()


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return make_archive(tmp_path_factory.mktemp("archive"), tmp_path_factory.mktemp("gpg"))


@pytest.fixture(scope="module")
def theirs(archive):
    return ask_ansible(archive)


@pytest.fixture(scope="module")
def ours(archive):
    return ask_holdfast(archive)


def status(result):
    return "failed" if result.get("failed") else "changed" if result.get("changed") else "ok"


def ordered(key, value):
    """Sets of Ansible's have no order, nor has what dnf finds."""
    return sorted(value, key=str) if key in ("sources_added", "sources_removed", "results") else value


def comparable(row, step, result, other):
    if step in STEPS[1::2]:
        return result
    if step in row.loose:
        return None
    drop = VOLATILE | row.loose
    if other.get("failed"):
        drop |= set(result) ^ set(other)
    return [status(result), {k: ordered(k, v) for k, v in result.items() if k not in drop}]


@pytest.mark.parametrize("i", range(len(ROWS)), ids=[r.title for r in ROWS])
def test_same_as_ansible(i, theirs, ours):
    want, got = theirs[i], ours[i]
    pairs = {s: [comparable(ROWS[i], s, a[s], b[s]) for a, b in ((want, got), (got, want))] for s in STEPS}
    assert {s: p[1] for s, p in pairs.items()} == {s: p[0] for s, p in pairs.items()}
