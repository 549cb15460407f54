#!/usr/bin/env python3
"""Whether the agent's memory grows: over runs one after the other, and over a day without store and broker, which passes in
minutes because the agent's clocks run faster (fast_clock.c). What counts is memory that is nobody else's (anonymous pages),
of the supervisor and of the role that holds the broker's connection; resident size is told besides.

    HF_BUILD=build python tests/bench/memory.py [--runs 10000] [--day SPEED] [--growth 256]
"""
import argparse
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/system"))

from agent import AgentHost  # noqa: E402
from broker import Broker  # noqa: E402

DAY = 86400
WARM_SHARE = 0.1  # of the whole: pools fill, pages of the database are read
SETTLE_S = 65  # housekeeping gives memory back every minute


def kilobytes(pid, word):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(rf"^{word}:\s+(\d+) kB", text, re.M)[1])


def sizes(host):
    """{role: (anonymous, resident)}"""
    pids = {"supervisor": host.process.pid, "net": host.ask("status")["mqtt"].get("pid")}
    return {role: (kilobytes(pid, "Anonymous"), kilobytes(pid, "Rss")) for role, pid in pids.items() if pid}


class Door:
    """The agent's command socket, without a program started for each question."""

    def __init__(self, path):
        self.path = path

    def ask(self, **request):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.path)
            s.sendall(json.dumps(request).encode() + b"\n")
            text = b""
            while block := s.recv(1 << 16):
                text += block
        return json.loads(text)


def show(what, before, after, most):
    grown = 0
    for role in before:
        (anonymous, resident), (now, resident_now) = before[role], after.get(role, (0, 0))
        grown = max(grown, now - anonymous)
        print(f"{what}, {role}: anonymous {anonymous} -> {now} KB ({now - anonymous:+d}), resident {resident} -> {resident_now} KB", flush=True)
    return grown <= most


def release(host):
    text = "- hosts: all\n  gather_facts: false\n  tasks:\n"
    text += "".join(f'    - {{ name: file {n}, copy: {{ content: "{n}\\n", dest: {host.target}/f{n} }} }}\n' for n in range(3))
    host.promote(host.push("small", {"site.yml": text}))


def runs(args, build, folder, broker):
    host = AgentHost(folder, str(build / "holdfast"), str(build / "holdfastd"), broker=broker, poll="1h", log_level="error")
    release(host)
    with host:
        host.wait(lambda s: s["state"] == "ok" and s.get("installed"))
        door, before, begun = Door(f"{host.folder}/run/ctl.sock"), None, time.monotonic()
        warm = int(args.runs * WARM_SHARE)
        for n in range(warm + args.runs):
            if n == warm:
                time.sleep(SETTLE_S)
                before = sizes(host)
            last = door.ask(command="status")["status"]["last_run"]["run"]
            while "error" in door.ask(command="run", full=True):
                time.sleep(0.002)
            while True:
                run = door.ask(command="status")["status"]["last_run"]
                if run["run"] > last and run["status"] != "running":
                    break
                time.sleep(0.005)
            if run["status"] != "ok":
                raise SystemExit(f"run {run}")
        seconds = time.monotonic() - begun
        time.sleep(SETTLE_S)
        print(f"{warm + args.runs} full runs in {seconds:.0f} s; {len(list((host.state / 'runs').iterdir()))} files of runs are kept, "
              f"the database has {(host.state / 'state.db').stat().st_size >> 10} KB")
        return show(f"{args.runs} runs", before, sizes(host), args.growth)


def day(args, build, folder, broker):
    shim = pathlib.Path(folder) / "fast_clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(shim), str(ROOT / "tests/bench/fast_clock.c")], check=True)
    host = AgentHost(folder, str(build / "holdfast"), str(build / "holdfastd"), broker=broker, poll="60s", log_level="error")
    release(host)
    with host:
        host.wait(lambda s: s["state"] == "ok" and s.get("installed") and s["mqtt"]["connected"])
    (host.folder / "store").rename(host.folder / "gone")
    broker.stop()
    host.env.update(LD_PRELOAD=str(shim), HF_CLOCK_SPEED=str(args.day), HF_CLOCK_FROM=str(time.monotonic_ns()))
    with host:
        del host.env["LD_PRELOAD"]
        host.wait(lambda s: s["state"] == "stale-store", "the store is missed")
        time.sleep(DAY * WARM_SHARE / args.day)
        before = sizes(host)
        time.sleep(DAY / args.day)
        after, status = sizes(host), host.ask("status")
        print(f"a day in {DAY / args.day:.0f} s: state {status['state']}, {status['mqtt']['waiting']} reports wait")
        return show("a day without store and broker", before, after, args.growth)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10000)
    parser.add_argument("--day", type=int, default=240, metavar="SPEED")
    parser.add_argument("--growth", type=int, default=256, metavar="KB")
    args = parser.parse_args()
    build = pathlib.Path(os.environ.get("HF_BUILD", ROOT / "build"))
    good = True
    for part, wanted in ((runs, args.runs), (day, args.day)):
        if wanted:
            with tempfile.TemporaryDirectory() as folder, Broker() as broker:
                os.chmod(folder, 0o755)
                good = part(args, build, folder, broker) and good
    print("within the bound" if good else f"grown by more than {args.growth} KB")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
