#!/usr/bin/env python3
"""What gathering every fact of this machine costs: CPU and wall time of `holdfast apply` with one setup task and of
`ansible localhost -m setup`, in turns. The empty play beside them tells what of it is the start.

usage: facts.py [-r 5] [--build DIR]
"""
import argparse
import pathlib
import shutil
import statistics
import sys
import tempfile

from cost import cost

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENV = {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", "ANSIBLE_LOCALHOST_WARNING": "0"}
HEAD = "- hosts: all\n  connection: local\n  gather_facts: false\n"


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
                seen[name].append(cost(argv, scratch, ENV))
    print(f"{'':22} {'CPU ms: min':>12} {'median':>8} {'wall ms: min':>13} {'median':>8}")
    for name, runs in seen.items():
        cpu, wall = [1000 * r.cpu for r in runs], [1000 * r.wall for r in runs]
        bad = sorted({r.status for r in runs} - {0})
        print(f"{name:22} {min(cpu):12.1f} {statistics.median(cpu):8.1f} {min(wall):13.1f} {statistics.median(wall):8.1f}"
              f"{f'  exit {bad}' if bad else ''}")
    full, empty = ([r.cpu for r in seen[n]] for n in ("holdfast, setup", "holdfast, empty play"))
    print(f"the full set of facts alone: {1000 * (min(full) - min(empty)):.1f} ms CPU")


main()
