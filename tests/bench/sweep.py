#!/usr/bin/env python3
"""What the resident agent pays to look again at 1,000 resources that nobody touched, beside the least that can be paid.

usage: HF_BUILD=build sweep.py [-n 1000] [--seconds 20] [--every 2]

An agent holds ../shared/bench/gen.py's W(N) as its release. CPU time of the supervisor and its children is taken over a
span with no sweep, one with a sweep by stat every EVERY seconds, and one with a sweep by content every EVERY seconds; the
difference to the first, a sweep, is set against ../shared/bench/floor.c: one fstatat a path, and one read and SHA-256 of
every file, in a process that does nothing else. That floor is measured twice: pass upon pass, when all it needs lies in the
processor's caches, and with a rest before each pass, as the agent has one before each sweep (rest_clock.c).
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCH = ROOT.parent / "shared" / "bench"
sys.path.insert(0, str(ROOT / "tests/system"))

from agent import AgentHost  # noqa: E402


def cpu_seconds(pid):
    """Of the process, of the children it still has, and of those it has waited for."""
    total = 0.0
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        total += int(pathlib.Path(f"/proc/{child}/schedstat").read_text().split()[0]) / 1e9
    total += int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    waited = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[13:15]
    return total + sum(map(int, waited)) / os.sysconf("SC_CLK_TCK")


def agent_span(build, out, seconds, **settings):
    """CPU seconds the agent spends in a span, once it has settled."""
    with tempfile.TemporaryDirectory(prefix="hf-sweep-") as folder:
        os.chmod(folder, 0o755)
        host = AgentHost(folder, str(build / "holdfast"), str(build / "holdfastd"), poll="600s", log_level="warning",
                         watch="inotify",  # fanotify would also count what others write on the same file system
                         **settings)
        files = {"site.yml": (out / "ansible/ansible.yml").read_text()}
        for template in (out / "ansible/templates").iterdir():
            files[f"templates/{template.name}"] = template.read_text()
        host.promote(host.push("sweep", files))
        with host:
            host.wait(lambda s: s["state"] == "ok" and s.get("installed"), seconds=300)
            time.sleep(3)
            before = cpu_seconds(host.process.pid)
            time.sleep(seconds)
            return cpu_seconds(host.process.pid) - before


def floor_pass(scratch, out, mode, passes, **env):
    text = subprocess.run([f"{scratch}/floor", mode, str(out), "-t", "ansible", "-k", str(passes)], check=True,
                          capture_output=True, text=True, env={**os.environ, **env})
    median = re.search(r"cpu min \d+ med (\d+) us", text.stdout)
    return int(median[1]) / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--every", type=int, default=2)
    args = parser.parse_args()
    if not BENCH.is_dir():
        sys.exit("sweep.py: the workload lies in ../shared/bench beside the checkout, and it is not there")
    build = pathlib.Path(os.environ.get("HF_BUILD", ROOT / "build")).resolve()
    with tempfile.TemporaryDirectory(prefix="hf-w-") as scratch:
        out = pathlib.Path(scratch) / str(args.n)
        subprocess.run([sys.executable, str(BENCH / "gen.py"), str(args.n), str(out)], check=True)
        subprocess.run(["gcc", "-O2", "-o", f"{scratch}/floor", str(BENCH / "floor.c"), "-lcrypto"], check=True)
        subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", f"{scratch}/rest.so", str(ROOT / "tests/bench/rest_clock.c")],
                       check=True)
        subprocess.run([f"{out}/reset.sh", "ansible"], check=True)
        never, often = "24h", f"{args.every}s"
        quiet = agent_span(build, out, args.seconds, sweep=never, hash_sweep=never)
        rows = [("stat", agent_span(build, out, args.seconds, sweep=often, hash_sweep=never), 2),
                ("hash", agent_span(build, out, args.seconds, sweep=never, hash_sweep=often), 3)]
        sweeps = args.seconds / args.every
        print(f"no sweep: {quiet * 1000:.1f} ms CPU in {args.seconds:.0f} s")
        for mode, spent, goal in rows:
            one, least = (spent - quiet) / sweeps, floor_pass(scratch, out, mode, 101)
            rested = floor_pass(scratch, out, mode, 11, LD_PRELOAD=f"{scratch}/rest.so", HF_REST_MS=str(args.every * 500))
            print(f"{mode} sweep of {args.n} resources: {one * 1000:.2f} ms CPU, {one / least:.2f} times the floor of "
                  f"{least * 1000:.2f} ms (goal {goal}); {one / rested:.2f} times the {rested * 1000:.2f} ms of a floor that "
                  "rests as long", flush=True)


main()
