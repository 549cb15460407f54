#!/usr/bin/env python3
"""Memory and wake-ups of an idle agent with a release of 500 resources: PSS of all its roles, context switches a second,
CPU time; and how long drift takes from the write to the message at an independent subscriber.

    HF_BUILD=build python tests/bench/agent_pss.py [--minutes 10] [--resources 500] [--maps]

The agent runs as its package would start it, as two units of a Debian host's own systemd; --bare starts it as a process of this
machine, where the network role is its child. What counts is the median of samples over the last minute: pages are given back once
a minute and come back as they are used. --maps adds what each role's pages are.
"""
import argparse
import contextlib
import os
import pathlib
import re
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/system"))

from agent import AgentHost  # noqa: E402
from broker import Broker  # noqa: E402
from scene import Scene  # noqa: E402

GOAL_KB = 6 * 1024
SAMPLES = 6


def below(pid):
    """A process and every one below it."""
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


def of_programs(leader):
    """Processes of the agent below a container's first one: {pid: role}."""
    found = {}
    for pid in below(leader):
        with contextlib.suppress(OSError):
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if words[0].endswith(b"/holdfastd"):
                found[pid] = words[words.index(b"--role") + 1].decode() if b"--role" in words else "supervisor"
    return found


def pss(pid):
    fields = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        fields[line.split(":")[0]] = int(line.split()[1])
    return fields


def maps(pid):
    """{name of what is mapped: {PSS of files, anonymous, …}}"""
    found, name = {}, None
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        head = re.match(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+\s*(.*)", line)
        if head:
            name = pathlib.Path(head[1]).name or "(anonymous)"
        elif line.split(":")[0] in ("Pss", "Anonymous", "Rss"):
            row = found.setdefault(name, {"Pss": 0, "Anonymous": 0, "Rss": 0})
            row[line.split(":")[0]] += int(line.split()[1])
    return found


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


class Bare:
    """The agent as a process of this machine."""

    def __init__(self, stack, args, build):
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        os.chmod(folder, 0o755)
        broker = stack.enter_context(Broker())
        self.host = AgentHost(folder, str(build / "holdfast"), str(build / "holdfastd"), broker=broker, poll="60s",
                              log_level="info")
        files = {"site.yml": playbook(self.host.target, args.resources), "templates/t.j2": "number {{ number }}\n" * 20}
        self.host.promote(self.host.push("idle", files))
        self.reader = stack.enter_context(broker.reader("hf/1/#"))
        stack.enter_context(self.host)
        self.host.wait(lambda s: s["state"] == "ok" and s.get("installed"), seconds=120)

    def disturb(self, n):
        (self.host.target / f"f{n}").write_text("drift\n")

    def roles(self):
        return {p: "supervisor" if p == self.host.process.pid else "net" for p in below(self.host.process.pid)}


class Units:
    """The agent as two units of a Debian host."""

    def __init__(self, stack, args):
        self.scene = stack.enter_context(Scene(config={"poll": "60s", "log_level": "info"}))
        self.reader = self.scene.reader
        release = self.scene.folder / "idle"
        (release / "templates").mkdir(parents=True)
        (release / "site.yml").write_text(playbook("/srv/target", args.resources).replace(
            "tasks:", "tasks:\n    - file: { path: /srv/target, state: directory }", 1))
        (release / "templates" / "t.j2").write_text("number {{ number }}\n" * 20)
        self.scene.promote(self.scene.push(release))
        self.scene.start_agent()
        self.reader.wait(lambda m: m.topic.endswith("/run"), 120)

    def disturb(self, n):
        (self.scene.host.disk / "srv/target" / f"f{n}").write_text("drift\n")

    def roles(self):
        return of_programs(self.scene.host.leader)


def drifts(agent, count):
    times = []
    for n in range(count):
        at = time.monotonic()
        seen = len(agent.reader.messages)
        agent.disturb(n)
        message = agent.reader.wait(lambda m: m.topic.endswith("/drift"), 30, seen)
        times.append((message.at - at) * 1000)
        time.sleep(0.3)
    if times:
        times.sort()
        print(f"drift to message, ms: p50 {times[len(times) // 2]:.1f}, max {times[-1]:.1f} (n={len(times)})")


def maps_show(roles):
    for pid, role in roles.items():
        rows = sorted(maps(pid).items(), key=lambda row: -row[1]["Pss"])
        print(f"{role}:")
        for name, row in rows:
            if row["Pss"] > 0:
                print(f"    {name:28} PSS {row['Pss']:5} KB, anonymous {row['Anonymous']:5}, resident {row['Rss']:5}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--resources", type=int, default=500)
    parser.add_argument("--drifts", type=int, default=20)
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("--maps", action="store_true")
    args = parser.parse_args()
    build = pathlib.Path(os.environ.get("HF_BUILD", ROOT / "build"))
    with contextlib.ExitStack() as stack:
        begun = time.monotonic()
        agent = Bare(stack, args, build) if args.bare else Units(stack, args)
        print(f"started, and first run of {args.resources} resources: {time.monotonic() - begun:.2f} s")
        drifts(agent, args.drifts)
        span = min(60, args.minutes * 30)
        time.sleep(args.minutes * 60 - span)
        roles = agent.roles()
        before = {p: (switches(p), ticks(p)) for p in roles}
        samples = []
        for _ in range(SAMPLES):
            time.sleep(span / SAMPLES)
            samples.append({p: pss(p) for p in roles})
        for p, role in roles.items():
            of = {key: statistics.median(s[p].get(key, 0) for s in samples) for key in ("Pss", "Pss_Anon", "Pss_File", "Rss")}
            print(f"{role}: PSS {of['Pss']:.0f} KB (anonymous {of['Pss_Anon']:.0f}, files {of['Pss_File']:.0f}), resident {of['Rss']:.0f}; "
                  f"{(switches(p) - before[p][0]) / span:.2f} switches/s, {ticks(p) - before[p][1]} ticks in {span:.0f} s")
        if args.maps:
            maps_show(roles)
        totals = [sum(s[p]["Pss"] for p in roles) for s in samples]
        print(f"all roles: PSS {statistics.median(totals):.0f} KB (least {min(totals)}, most {max(totals)}), "
              f"anonymous {statistics.median(sum(s[p].get('Pss_Anon', 0) for p in roles) for s in samples):.0f}")
        return 0 if statistics.median(totals) <= GOAL_KB else 1


if __name__ == "__main__":
    sys.exit(main())
