#!/usr/bin/env python3
"""Push and fetch of a release beside `aws s3 sync` on the same S3 server, in one run.

usage: store.py [--files 2000] [--megabytes 200] [-r 3] [--build DIR]

push: holdfast release push of a folder (hashed, signed, uploaded) beside aws s3 sync to the bucket.
fetch: an agent from nothing to a release that is fetched, checked, unpacked and applied (one small task) beside aws s3
sync from the bucket. Each repetition runs both in turn, with fresh names; wall and CPU seconds are of the clients, ratios
are taken within a repetition.
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "system"))
from s3server import S3Server  # noqa: E402


def make_tree(folder, files, size):
    source = random.Random(7)
    for i in range(files):
        path = folder / f"roles/r{i % 50}/files/f{i}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.randbytes(size))
    (folder / "site.yml").write_text("- hosts: all\n  gather_facts: false\n  tasks:\n    - copy: {content: x, dest: " + str(folder.parent) + "/done}\n")


def measured(argv, env, until=None):
    """(wall, CPU) seconds of a program and its children; until: when to end it."""
    start = time.monotonic()
    process = subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if until is not None:
        while not until():
            assert process.poll() is None, process.stderr.read().decode()[-2000:]
            time.sleep(0.01)
        wall = time.monotonic() - start
        process.terminate()
    _, status, usage = os.wait4(process.pid, 0)
    if until is None:
        wall = time.monotonic() - start
        assert status == 0, process.stderr.read().decode()[-2000:]
    process.stderr.close()
    process.returncode = 0
    return wall, usage.ru_utime + usage.ru_stime


def agent(build, work, env, store, name):
    config = {"environment": "dev", "fleet": "default", "host": "h", "store": store, "trust": str(work / "root.json"), "user": "nobody",
              "state_dir": str(work / f"state{name}"), "run_dir": str(work / f"run{name}"), "poll": "60s", "splay": "0s"}  # fmt: skip
    (work / "agent.yaml").write_text(json.dumps(config))
    done = work / "done"
    done.unlink(missing_ok=True)
    return measured([build / "holdfastd", "--config", work / "agent.yaml"], env, done.exists)


def one_round(options, work, server, aws, name):
    env = {**os.environ, **server.env(), "AWS_DEFAULT_REGION": server.region}
    holdfast, store = options.build / "holdfast", f"s3://bench/h{name}"
    keys = ["--store", store, "--key", work / "k.pem"]
    subprocess.run([holdfast, "release", "init", *keys, "-E", "dev"], env=env, check=True, stdout=subprocess.DEVNULL)
    status, root = server.request("GET", f"/bench/h{name}/root/1.json")
    assert status == 200
    (work / "root.json").write_bytes(root)
    rows = {"push": measured([holdfast, "release", "push", work / "tree", *keys], env)}
    rows["sync up"] = measured([aws, "s3", "sync", "--no-progress", work / "tree", f"s3://bench/a{name}"], env)
    listed = subprocess.run([holdfast, "release", "list", "--store", store, "--json"], env=env, check=True, capture_output=True)
    release = json.loads(listed.stdout)["releases"][0]["release"]
    subprocess.run([holdfast, "release", "promote", release, *keys, "-E", "dev"], env=env, check=True, stdout=subprocess.DEVNULL)
    rows["fetch"] = agent(options.build, work, env, store, name)
    rows["sync down"] = measured([aws, "s3", "sync", "--no-progress", f"s3://bench/a{name}", work / f"down{name}"], env)
    rows["push again"] = measured([holdfast, "release", "push", work / "tree", *keys], env)
    rows["sync up again"] = measured([aws, "s3", "sync", "--no-progress", work / "tree", f"s3://bench/a{name}"], env)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("-r", type=int, default=3)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    options = parser.parse_args()
    options.build = options.build.resolve()
    aws = pathlib.Path(sys.executable).with_name("aws")
    aws = str(aws) if aws.exists() else shutil.which("aws")
    rounds = []
    with tempfile.TemporaryDirectory(prefix="hf-bench-") as folder, S3Server(directory=f"{folder}/s3") as server:
        work = pathlib.Path(folder)
        work.chmod(0o755)
        make_tree(work / "tree", options.files, options.megabytes * 1_000_000 // options.files)
        server.make_bucket("bench")
        subprocess.run([options.build / "holdfast", "key", "generate", work / "k.pem"], check=True, stdout=subprocess.DEVNULL)
        for name in range(options.r):
            rounds.append(one_round(options, work, server, aws, name))
            shutil.rmtree(work / f"down{name}")
            for part in ("state", "run"):
                shutil.rmtree(work / f"{part}{name}")
    print(f"{options.files} files, {options.megabytes} MB, median of {options.r}: wall s / CPU s")
    for name in rounds[0]:
        print(f"  {name:14} {statistics.median(r[name][0] for r in rounds):7.2f} {statistics.median(r[name][1] for r in rounds):7.2f}")
    for ours, theirs in (("push", "sync up"), ("fetch", "sync down"), ("push again", "sync up again")):
        ratio = [statistics.median(r[ours][i] / r[theirs][i] for r in rounds) for i in (0, 1)]
        print(f"  {ours} / {theirs}: wall {ratio[0]:.2f}, CPU {ratio[1]:.2f}")


if __name__ == "__main__":
    main()
