"""The agent's own work is never told of as drift: releases, full runs, rollbacks, corrections, pauses, restarts and kills one after
the other, with sweeps all the while. What somebody else changed is told of once; nothing else is. HF_LONG=1 keeps at it for an hour."""
import itertools
import os
import random
import time

import pytest

from agent import AgentHost
from broker import Broker
from test_drift import FOLDERS, Thing

LONG = bool(os.environ.get("HF_LONG"))
SECONDS = {"auto": 3600, "inotify": 900} if LONG else {"auto": 6, "inotify": 2}
THINGS = 70
USES_MAX = 4  # a fifth correction within ten minutes would be a fight
SEED = int(os.environ.get("HF_SEED", "3"))


@pytest.fixture(scope="module")
def broker():
    with Broker() as one:
        yield one


class Work:
    """An agent, its releases, and what the test itself has changed."""

    def __init__(self, host, reader):
        self.host, self.reader, self.rng = host, reader, random.Random(SEED)
        self.things = [Thing(n, host.target) for n in range(THINGS)]
        for thing in self.things:
            thing.report = False
        self.changed, self.numbers, self.hashes = {}, itertools.count(1), []
        self.elsewhere = host.folder / "elsewhere"

    def promote(self):
        """Every release writes half of what there is anew, runs a command and a handler."""
        n = next(self.numbers)
        text = "- hosts: all\n  gather_facts: false\n  tasks:\n"
        text += "".join(f"    - name: folder {m}\n      file: {{ path: {self.host.target}/d{m}, state: directory }}\n" for m in range(FOLDERS))
        text += "".join(t.task().replace("text of", f"text {n if t.number % 2 else 0} of") for t in self.things)
        text += f'    - name: number\n      copy: {{ content: "{n}\\n", dest: {self.host.target}/number }}\n      notify: told\n'
        text += f"    - name: written by a command\n      shell: echo {n} >> {self.host.target}/written\n"
        text += f"    - name: kept\n      lineinfile: {{ path: {self.host.target}/written, line: kept }}\n"
        text += f"  handlers:\n    - name: told\n      shell: echo {n} >> {self.host.folder}/handled\n"
        self.hashes.append(self.host.push(f"r{n}", {"site.yml": text, "templates/t.j2": "number {{ number }}\n"}))
        self.host.promote(self.hashes[-1])
        self.name = f"r{n}"

    def installed(self):
        self.host.wait(lambda s: s.get("installed", {}).get("name") == self.name and s.get("last_run", {}).get("status") != "running" and
                       s["state"] not in ("converging", "gated"), f"{self.name} is installed")

    def release(self):
        self.promote()
        self.installed()

    def settled(self):
        self.host.wait(lambda s: s["state"] == "ok" and s["last_run"]["status"] != "running", "all is well")

    def correction(self):
        free = [t for t in self.things if t.used < USES_MAX]
        if not free:
            return
        thing = self.rng.choice(free)
        self.settled()
        thing.disturb(self.rng)
        self.changed[thing.name] = self.changed.get(thing.name, 0) + 1
        self.host.until(lambda: self.corrected().get(thing.name, 0) >= self.changed[thing.name], f"{thing.kind} {thing.name}, way {thing.way}")

    def full(self):
        runs = self.runs()
        self.host.run("run", "--full")
        self.host.until(lambda: self.runs() > runs, "a full run")

    def rollback(self):
        if len(self.hashes) > 1:
            runs = self.runs()
            self.host.rollback(self.hashes[-2])
            self.host.until(lambda: self.runs() > runs, "a rollback")
            self.release()

    def pause(self):
        self.host.run("pause", "--for", "1h", "--reason", "a look")
        self.host.run("resume")

    def restart(self):
        self.host.stop()
        self.host.start()

    def kill(self):
        """Wherever in a release it happens to be."""
        self.promote()
        self.host.run("run")
        time.sleep(self.rng.uniform(0, 0.5))
        self.host.kill()
        self.host.start()
        self.installed()

    def runs(self):
        return sum(r["kind"] != "drift" and r["status"] != "running" for r in self.host.ask("history", "--limit", "5000")["runs"])

    def events(self):
        return [m.body for m in self.reader.messages if m.topic.endswith("/drift")]

    def corrected(self):
        counts = {}
        for at in {(e["boot"], e["n"]): e for e in self.events()}.values():
            counts[at["title"]] = counts.get(at["title"], 0) + (at["action"] == "corrected")
        return counts


@pytest.mark.parametrize("watch", SECONDS)
def test_the_agents_own_work_is_told_by_nobody(tmp_path, holdfast, holdfastd, broker, watch):
    host = AgentHost(tmp_path, holdfast, holdfastd, broker=broker, host=f"q{os.getpid()}-{watch}", watch=watch, sweep="1s", hash_sweep="2s",
                     look="1s", log_level="info")
    with broker.reader(f"hf/1/dev/default/{host.name}/#") as reader:
        work = Work(host, reader)
        work.elsewhere.mkdir()
        for name in ("one", "another"):
            (work.elsewhere / name).write_text(f"{name}\n")
        work.promote()
        host.start()
        work.installed()
        try:
            end, rounds = time.monotonic() + SECONDS[watch], 0
            kinds = [work.release, work.correction, work.full, work.pause, work.rollback, work.restart, work.kill, work.correction]
            while time.monotonic() < end or rounds < len(kinds):
                kinds[rounds % len(kinds)]()
                rounds += 1
                if LONG:
                    time.sleep(work.rng.uniform(0, 8))  # some work while sweeps are due, some right away
            work.settled()
            host.wait(lambda s: s["mqtt"]["waiting"] == 0, "all is told")
            time.sleep(2.5)  # the sweeps after it
            strangers = [e for e in work.events() if e["title"] not in work.changed or e["action"] not in ("correcting", "corrected")]
            assert not strangers, strangers
            corrected = {t: n for t, n in work.corrected().items() if n}
            assert set(corrected) == set(work.changed)
            # What is taken away first and put there then may be put right in between and after.
            assert all(work.changed[t] <= n <= 2 * work.changed[t] for t, n in corrected.items()), (corrected, work.changed)
            alarms = [m.body for m in reader.messages if m.topic.endswith("/alarm")]
            assert not alarms, alarms
            print(f"{watch}: {rounds} pieces of work, {work.runs()} runs, {sum(work.changed.values())} corrections, nothing else told")
        finally:
            host.stop()
