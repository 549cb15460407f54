#!/usr/bin/env python3
"""CPU time of a no-op run over N resources: holdfast beside cf-agent, puppet apply and a hand-written floor.

usage: noop.py [-n 1000] [-r 5] [--build DIR] [TOOL …]      tools: holdfast cfengine puppet floor

The workload is ../shared/bench/gen.py's W(N): files, templates, lines, directories, links and packages, the same
resources in every tool's own language. Each repetition runs the tools in turn, so that a machine that slows down slows
all; ratios are taken within a repetition. Packages needed: cfengine3, puppet-agent and puppet-module-puppetlabs-stdlib;
a tool that is not installed is left out with a line that says so.

Where it stands: 148 million instructions in user mode for N = 1000 (239 before playbooks of the simple kind were read
without libyaml), 0.041 s of CPU where it was 0.053, 14 MB at its peak.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCH = ROOT.parent / "shared" / "bench"
ENV = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}


def cpu_of(argv, cwd):
    """(user + system seconds of the process and its children, peak KB of the largest)."""
    pid = os.fork()
    if pid == 0:
        os.chdir(cwd)
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        os.execvpe(argv[0], argv, ENV)
    _, status, usage = os.wait4(pid, 0)
    return os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def commands(out, build, scratch, made_by):
    play = ["apply", "-i", "localhost,", "-e", f"root={out}/tree/holdfast", f"{out}/ansible/ansible.yml"]
    vardirs = ["--vardir", f"{scratch}/pv", "--rundir", f"{scratch}/pr", "--logdir", f"{scratch}/pl"]
    modules = f"/usr/share/puppet/modules:{out}/puppet/modules"
    return {
        "holdfast": [str(build / "holdfast")] + play,
        "cfengine": ["cf-agent", "-K", "-f", f"{out}/cfengine/policy.cf"],
        "puppet": ["puppet", "apply", *vardirs, "--modulepath", modules, f"{out}/puppet/site.pp"],
        "floor": [f"{scratch}/floor", "hash", "-t", made_by, str(out)],  # looks at a tree another tool made
    }


def first_run(tool, argv, out):
    subprocess.run([f"{out}/reset.sh", tool], check=True)
    return cpu_of(argv, out)


def verify(tool, out):
    done = subprocess.run([sys.executable, str(BENCH / "verify.py"), str(out), tool], capture_output=True, text=True)
    return "" if done.returncode == 0 else f"  WRONG TREE: {done.stdout.strip()[:200]}"


def measure(tools, argvs, out, repetitions):
    figures = {t: [] for t in tools}
    for tool in tools:
        if tool == "floor":
            continue
        rc, cpu, _ = first_run(tool, argvs[tool], out)
        print(f"{tool:10} first  {cpu:9.4f} s  exit {rc}{verify(tool, out)}", flush=True)
    for _ in range(repetitions):
        for tool in tools:
            figures[tool].append(cpu_of(argvs[tool], out))
    return figures


def report(tools, figures):
    base = [f[1] for f in figures["holdfast"]] if "holdfast" in figures else None
    print(f"{'tool':10} {'CPU s: min':>10} {'median':>9} {'max':>9} {'peak MB':>8}   times holdfast (median of pairs)")
    for tool in tools:
        cpu = [f[1] for f in figures[tool]]
        peak = max(f[2] for f in figures[tool]) / 1024
        ratio = statistics.median(a / b for a, b in zip(cpu, base)) if base else float("nan")
        codes = sorted({f[0] for f in figures[tool]})
        note = "" if codes == [0] else f"  exit {codes}"
        print(f"{tool:10} {min(cpu):10.4f} {statistics.median(cpu):9.4f} {max(cpu):9.4f} {peak:8.1f}   {ratio:9.2f}{note}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int, default=1000)
    parser.add_argument("-r", type=int, default=5)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("tools", nargs="*", default=["holdfast", "floor", "cfengine", "puppet"])
    args = parser.parse_args()
    if not BENCH.is_dir():
        sys.exit("noop.py: the workload lies in ../shared/bench beside the checkout, and it is not there")
    with tempfile.TemporaryDirectory(prefix="hf-noop-") as scratch:
        out = pathlib.Path(scratch) / str(args.n)
        subprocess.run([sys.executable, str(BENCH / "gen.py"), str(args.n), str(out)], check=True)
        subprocess.run(["gcc", "-O2", "-o", f"{scratch}/floor", str(BENCH / "floor.c"), "-lcrypto"], check=True)
        argvs = commands(out, args.build.resolve(), scratch, next(t for t in args.tools if t != "floor"))
        tools = []
        for tool in args.tools:
            if shutil.which(argvs[tool][0], path=ENV["PATH"]):
                tools.append(tool)
            else:
                print(f"left out: {tool} ({argvs[tool][0]} is not installed)")
        report(tools, measure(tools, argvs, out, args.r))


main()
