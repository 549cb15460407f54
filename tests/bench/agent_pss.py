#!/usr/bin/env python3
"""Memory and wake-ups of an idle agent with a release of 500 resources: PSS of all its roles, context switches a second,
CPU time; and how long drift takes from the write to the message at an independent subscriber.

    HF_BUILD=build python tests/bench/agent_pss.py [--minutes 10] [--resources 500]
"""
import argparse
import os
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/system"))

from agent import AgentHost  # noqa: E402
from broker import Broker  # noqa: E402


def roles(pid):
    """The supervisor and every process below it."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
    found = [pid]
    for one in found:
        found += [p for p, parent in parents.items() if parent == one]
    return found


def pss(pid):
    fields = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        fields[line.split(":")[0]] = int(line.split()[1])
    return fields


def switches(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if "ctxt_switches" in line)


def ticks(pid):
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(stat[11]) + int(stat[12])


def playbook(target, count):
    half = count // 2
    rows = "".join(f"""
    - name: file {n}
      copy: {{ content: "content of {n}\\n", dest: {target}/f{n} }}""" for n in range(half))
    rows += "".join(f"""
    - name: template {n}
      template: {{ src: t.j2, dest: {target}/t{n} }}
      vars: {{ number: {n} }}""" for n in range(half, count))
    return f"- hosts: all\n  gather_facts: false\n  tasks:{rows}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--resources", type=int, default=500)
    parser.add_argument("--drifts", type=int, default=20)
    args = parser.parse_args()
    build = pathlib.Path(os.environ.get("HF_BUILD", ROOT / "build"))
    with tempfile.TemporaryDirectory() as folder, Broker() as broker:
        os.chmod(folder, 0o755)
        host = AgentHost(folder, str(build / "holdfast"), str(build / "holdfastd"), broker=broker, poll="60s",
                         log_level="info")
        files = {"site.yml": playbook(host.target, args.resources), "templates/t.j2": "number {{ number }}\n" * 20}
        host.promote(host.push("idle", files))
        with broker.reader("hf/1/#") as reader, host:
            begun = time.monotonic()
            host.wait(lambda s: s["state"] == "ok" and s.get("installed"), seconds=120)
            print(f"first run of {args.resources} resources: {time.monotonic() - begun:.2f} s")
            times = []
            for n in range(args.drifts):
                at = time.monotonic()
                seen = len(reader.messages)
                (host.target / f"f{n}").write_text("drift\n")
                message = reader.wait(lambda m: m.topic.endswith("/drift"), 10, seen)
                times.append((message.at - at) * 1000)
                time.sleep(0.3)
            if times:
                times.sort()
                print(f"drift to message, ms: p50 {times[len(times) // 2]:.1f}, max {times[-1]:.1f} (n={len(times)})")
            time.sleep(args.minutes * 60 - min(60, args.minutes * 30))
            pids = roles(host.process.pid)
            before = {p: (switches(p), ticks(p)) for p in pids}
            span = min(60, args.minutes * 30)
            time.sleep(span)
            total = {}
            for p in pids:
                fields = pss(p)
                name = "supervisor" if p == host.process.pid else "net"
                print(f"{name}: PSS {fields['Pss']} KB (own {fields.get('Private_Dirty', 0)} dirty), "
                      f"{(switches(p) - before[p][0]) / span:.2f} switches/s, {ticks(p) - before[p][1]} ticks in {span:.0f} s")
                for key in ("Pss", "Pss_Anon", "Pss_File"):
                    total[key] = total.get(key, 0) + fields.get(key, 0)
            print(f"all roles: PSS {total['Pss']} KB (anonymous {total['Pss_Anon']}, files {total['Pss_File']})")
            return 0 if total["Pss"] <= 6 * 1024 else 1


if __name__ == "__main__":
    sys.exit(main())
