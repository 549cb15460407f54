#!/usr/bin/env python3
"""What gathering every fact of this machine costs: CPU and wall time of `holdfast apply` with one setup task and of
`ansible localhost -m setup`, in turns. The empty play beside them tells what of it is the start.

usage: facts.py [-r 5] [--build DIR]
"""
import argparse
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENV = {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", "ANSIBLE_LOCALHOST_WARNING": "0"}
HEAD = "- hosts: all\n  connection: local\n  gather_facts: false\n"


def cost(argv, folder):
    """(CPU seconds of the process and its children, wall seconds, exit status)."""
    start = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        os.chdir(folder)
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        os.execvpe(argv[0], argv, ENV)
    _, status, usage = os.wait4(pid, 0)
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - start, os.waitstatus_to_exitcode(status)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-r", type=int, default=5)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hf-facts-") as scratch:
        for name, tasks in (("empty", ""), ("facts", "  tasks:\n    - setup:\n")):
            (pathlib.Path(scratch) / f"{name}.yml").write_text(HEAD + tasks)
        ansible = shutil.which("ansible", path=f"{pathlib.Path(sys.executable).parent}:{PATH}")
        program = [str(args.build.resolve() / "holdfast"), "apply", "-i", "localhost,"]
        rows = {"holdfast, empty play": [*program, "empty.yml"], "holdfast, setup": [*program, "facts.yml"],
                "ansible -m setup": [ansible, "localhost", "-i", "localhost,", "-c", "local", "-m", "setup",
                                     "-e", f"ansible_python_interpreter={sys.executable}"]}
        if ansible is None:
            print("left out: ansible (it is not installed)")
            del rows["ansible -m setup"]
        seen = {name: [] for name in rows}
        for _ in range(args.r):
            for name, argv in rows.items():
                seen[name].append(cost(argv, scratch))
    print(f"{'':22} {'CPU ms: min':>12} {'median':>8} {'wall ms: min':>13} {'median':>8}")
    for name, runs in seen.items():
        cpu, wall = [1000 * r[0] for r in runs], [1000 * r[1] for r in runs]
        bad = sorted({r[2] for r in runs} - {0})
        print(f"{name:22} {min(cpu):12.1f} {statistics.median(cpu):8.1f} {min(wall):13.1f} {statistics.median(wall):8.1f}"
              f"{f'  exit {bad}' if bad else ''}")
    full, empty = ([r[0] for r in seen[n]] for n in ("holdfast, setup", "holdfast, empty play"))
    print(f"the full set of facts alone: {1000 * (min(full) - min(empty)):.1f} ms CPU")


main()
