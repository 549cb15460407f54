"""What nobody can ask for any more is removed from a host: objects and folders of old releases, old runs, pre-images that no undo record
names. What a rollback needs stays. The agent's clocks run fast here: it tidies up a minute after its start, then every hour."""
import contextlib
import json
import os
import sqlite3
import subprocess
import time

import pytest

from agent import AgentHost, tree
from places import ROOT

RELEASES = 8  # more than are kept unpacked
OLD_RUNS = 260  # more than are kept


@pytest.fixture(scope="module")
def clock(tmp_path_factory):
    shim = tmp_path_factory.mktemp("clock") / "fast_clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(shim), str(ROOT / "tests/bench/fast_clock.c")], check=True)
    return shim


def release(host, n):
    """Each writes one file anew, and brings one that only it has."""
    text = f"""
- hosts: all
  gather_facts: false
  tasks:
    - {{ name: text, copy: {{ src: text, dest: {host.target}/text }} }}
    - {{ name: only, copy: {{ content: "{n}\\n", dest: {host.target}/only{n} }} }}
"""
    return host.push(f"r{n}", {"site.yml": text, "files/text": f"text {n}\n" * 100})


def names(folder):
    return {p.name for p in folder.rglob("*") if p.is_file()}


def tidied(host, clock):
    """The agent once more, long enough to tidy up."""
    host.stop()
    with contextlib.closing(sqlite3.connect(host.state / "state.db", timeout=180)) as db, db:
        db.execute("INSERT INTO paths VALUES('/nobody/watches/this','absent','absent')")  # goes last of all
    host.env.update(LD_PRELOAD=str(clock), HF_CLOCK_SPEED="60", HF_CLOCK_FROM=str(time.monotonic_ns()))
    host.start()
    for key in ("LD_PRELOAD", "HF_CLOCK_SPEED", "HF_CLOCK_FROM"):
        del host.env[key]
    with contextlib.closing(sqlite3.connect(host.state / "state.db", timeout=180)) as db:
        host.until(lambda: db.execute("SELECT count(*) FROM paths WHERE path='/nobody/watches/this'").fetchone()[0] == 0, "it has tidied up", 240)
    host.stop()
    host.start()


def test_old_things_go_and_a_rollback_still_restores(tmp_path, holdfast, holdfastd, clock):
    host = AgentHost(tmp_path, holdfast, holdfastd, poll="600s")
    hashes, trees, kept = [], [], []
    with host:
        for n in range(RELEASES):
            host.stop()  # a slow machine: it tidies up a minute after its start
            host.start()
            hashes.append(release(host, n))
            host.promote(hashes[-1])
            host.run("run")
            host.installed(f"r{n}")
            trees.append(tree(host.target))
        with contextlib.closing(sqlite3.connect(host.state / "state.db", timeout=180)) as db, db:
            (last,) = db.execute("SELECT max(id) FROM runs").fetchone()
            for n in range(OLD_RUNS):  # full runs that found nothing to do
                db.execute("INSERT INTO runs(kind,release,name,entry,seq,status,started,ended,phase,spec,previous) SELECT kind,release,name,entry,"
                           "seq,'ok',started,ended,phase,spec,previous FROM runs WHERE id=?", (last,))
        for n in range(OLD_RUNS):
            (host.state / f"runs/{last + 1 + n}.apply.jsonl").write_text('{"k":"end","exit":0}\n')
        (host.state / "blobs/00").mkdir(exist_ok=True)
        stray = host.state / "blobs/00" / ("00" + "0" * 62)
        stray.write_text("a pre-image of nobody's\n")
        before = names(host.state / "objects")
        blobs = names(host.state / "blobs")
        tidied(host, clock)
        runs = [r["id"] for r in host.ask("history", "--limit", "5000")["runs"]]
        assert len(runs) < OLD_RUNS and set(range(1, last + 1)) <= set(runs), "runs that did nothing go, those that a rollback takes back stay"
        assert not (host.state / f"runs/{last + 1}.apply.jsonl").exists() and (host.state / f"runs/{last}.apply.jsonl").exists()
        unpacked = {p.name for p in (host.state / "releases").iterdir() if p.is_dir()}
        assert unpacked == set(hashes[-5:])
        kept = {f["sha256"] for h in hashes[-5:] for f in json.loads(host.run("release", "show", "-s", host.store, h, "--json").stdout)["files"]}
        assert names(host.state / "objects") == kept and kept < before
        assert not stray.exists() and names(host.state / "blobs") == blobs - {stray.name} != set()
        host.rollback(hashes[1])
        host.run("run")
        host.wait(lambda s: s["installed"]["name"] == "r1" and s["state"] == "rolled_back", "the rollback")
        assert tree(host.target) == trees[1], "a release that is unpacked no more, restored with what lay there before"
        tidied(host, clock)
        assert names(host.state / "blobs") < blobs, "what was taken back needs its pre-images no more"
        assert os.listdir(host.state / "releases")
