#!/usr/bin/env python3
"""What a run costs before it does anything: CPU time and peak memory of an empty play, of 100 and of 1,000 tasks that
only say something, for holdfast, ansible-core and CFEngine, in turns within one run.

usage: startup.py [-r 3] [--build DIR] [--tasks 0 100 1000] [TOOL …]      tools: holdfast cfengine ansible

CFEngine's tasks are report promises, the others' are debug tasks. A tool that is not installed is left out with a line
that says so; ansible-playbook is looked for beside this Python first.
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
ENV = {"PATH": f"{pathlib.Path(sys.executable).parent}:{PATH}", "HOME": "/root", "LANG": "C.UTF-8",
       "ANSIBLE_LOCALHOST_WARNING": "0"}


def playbook(count):
    rows = "".join(f"    - name: say {n}\n      debug:\n        msg: number {n}\n" for n in range(count))
    return "- hosts: all\n  connection: local\n  gather_facts: false\n" + (f"  tasks:\n{rows}" if rows else "")


def policy(count):
    rows = "".join(f'    "number {n}";\n' for n in range(count))
    return ('body common control { bundlesequence => { "main" }; }\nbundle agent main\n{\n' +
            (f"  reports:\n{rows}" if rows else "") + "}\n")


def commands(folder, build, count):
    play, rules = folder / f"{count}.yml", folder / f"{count}.cf"
    play.write_text(playbook(count))
    rules.write_text(policy(count))
    rules.chmod(0o600)
    return {"holdfast": [str(build / "holdfast"), "apply", "-i", "localhost,", str(play)],
            "cfengine": ["cf-agent", "-K", "-f", str(rules)],
            "ansible": ["ansible-playbook", "-i", "localhost,", str(play)]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-r", type=int, default=3)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--tasks", type=int, nargs="+", default=[0, 100, 1000])
    parser.add_argument("tools", nargs="*", default=["holdfast", "cfengine", "ansible"])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hf-startup-") as scratch:
        print(f"{'tasks':>6} {'tool':10} {'CPU s: min':>10} {'median':>9} {'peak MB':>8}   CPU times holdfast, MB times holdfast")
        for count in args.tasks:
            argvs = commands(pathlib.Path(scratch), args.build.resolve(), count)
            tools = [t for t in args.tools if shutil.which(argvs[t][0], path=ENV["PATH"])]
            for tool in sorted(set(args.tools) - set(tools)):
                print(f"left out: {tool} ({argvs[tool][0]} is not installed)")
            seen = {t: [] for t in tools}
            for _ in range(args.r):
                for tool in tools:
                    seen[tool].append(cost(argvs[tool], scratch, ENV))
            for tool in tools:
                cpu, peak = [s.cpu for s in seen[tool]], max(s.peak for s in seen[tool])
                ratios = ""
                if "holdfast" in seen:
                    pairs = zip(cpu, (s.cpu for s in seen["holdfast"]))
                    times = statistics.median(a / b for a, b in pairs)
                    ratios = f"{times:9.1f} {peak / max(s.peak for s in seen['holdfast']):9.1f}"
                bad = sorted({s.status for s in seen[tool]} - {0})
                print(f"{count:6} {tool:10} {min(cpu):10.4f} {statistics.median(cpu):9.4f} {peak:8.1f}   {ratios}"
                      f"{f'  exit {bad}' if bad else ''}", flush=True)


main()
