"""Disorder of every kind with inotify alone, lost events, a broker that is away, a fight: nothing is missed, nothing is told without end."""
import os
import pathlib
import random
import shutil
import signal
import subprocess
import time

import pytest

from agent import AgentHost, numbers, once
from broker import Broker

LONG = bool(os.environ.get("HF_LONG"))
FOLDERS = 20
EVENTS = 5000 if LONG else 300
QUEUE = pathlib.Path("/proc/sys/fs/inotify/max_queued_events")


@pytest.fixture(scope="module")
def broker():
    with Broker() as one:
        yield one


@pytest.fixture
def make(tmp_path, holdfast, holdfastd, broker):
    def host(**config):
        return AgentHost(tmp_path, holdfast, holdfastd, broker=broker, host=f"h{os.getpid()}-{tmp_path.name[-12:]}", poll="30s",
                         log_level="info", **config)
    return host


def drifts(host, reader, *actions):
    """Events that were told of, each once."""
    found = once(m for m in reader.messages if m.topic == f"hf/1/dev/default/{host.name}/drift")
    return [m.body for m in found if not actions or m.body["action"] in actions]


def alarms(reader, word):
    return once(m for m in reader.messages if m.topic.endswith("/alarm") and m.body["alarm"] == word)


def gone(folder):
    """Removed, with whatever an agent puts back meanwhile."""
    for _ in range(1000):
        if not folder.exists():
            return
        shutil.rmtree(folder, ignore_errors=True)
    raise AssertionError(f"{folder} comes back for ever")


class Thing:
    """A resource and the ways to disturb it."""

    def __init__(self, number, target):
        self.name, self.number, self.used = f"r{number}", number, 0
        self.folder = target / f"d{number % FOLDERS}"
        self.path = self.folder / self.name
        self.kind = ("copy", "copy", "template", "folder", "link", "line", "absent")[number % 7]
        self.report = number % 5 == 0
        self.elsewhere = target.parent / "elsewhere"

    def task(self):
        body = {
            "copy": f'copy: {{ content: "text of {self.number}\\n", dest: {self.path}, mode: "0644" }}',
            "template": f"template: {{ src: t.j2, dest: {self.path}, mode: \"0640\" }}",
            "folder": f'file: {{ path: {self.path}, state: directory, mode: "0755" }}',
            "link": f"file: {{ src: {self.elsewhere}/one, path: {self.path}, state: link }}",
            "line": f'lineinfile: {{ path: {self.path}, line: "one line", create: true, mode: "0600" }}',
            "absent": f"file: {{ path: {self.path}, state: absent }}",
        }[self.kind]
        policy = "\n      vars: { holdfast_policy: report, number: 1 }" if self.report else "\n      vars: { number: 1 }"
        return f"    - name: {self.name}\n      {body}{policy}\n"

    def look(self):
        if self.path.is_symlink():
            return "link", os.readlink(self.path)
        if self.path.is_dir():
            return "folder", oct(self.path.stat().st_mode)
        if not self.path.exists():
            return None
        text = self.path.read_text()
        if self.kind == "line":  # the other lines are nobody's
            text = "".join(f"{line}\n" for line in text.splitlines() if line == "one line")
        return "file", oct(self.path.stat().st_mode), text

    def remove(self):
        if self.path.is_dir() and not self.path.is_symlink():
            shutil.rmtree(self.path)
        else:
            self.path.unlink(missing_ok=True)

    def replace(self, make):
        new = self.folder / f".{self.name}.new"
        make(new)
        self.remove()
        new.rename(self.path)

    def through_another_name(self):
        other = self.elsewhere / self.name
        other.unlink(missing_ok=True)
        os.link(self.path, other)
        other.write_text("written elsewhere\n")

    def disturb(self, rng):
        files = [lambda: self.path.write_text("by hand\n"), lambda: self.path.chmod(0o606), self.remove,
                 lambda: self.replace(lambda p: p.write_text("renamed over\n")),
                 self.through_another_name,
                 lambda: (self.path.rename(f"{self.path}~"), self.path.write_text("an editor's\n"))]
        through = [lambda: self.replace(lambda p: p.symlink_to(self.elsewhere / "another"))]  # lines are edited through links
        ways = {"copy": files + through, "template": files + through, "line": files,
                "folder": [self.remove, lambda: self.path.chmod(0o700), lambda: self.replace(lambda p: p.mkdir(0o711))],
                "link": [self.remove, lambda: self.replace(lambda p: p.symlink_to(self.elsewhere / "another"))],
                "absent": [lambda: self.path.write_text("back\n"), lambda: self.path.mkdir()]}[self.kind]
        self.way = rng.randrange(len(ways))
        ways[self.way]()
        self.used += 1


def release(host, things):
    (host.folder / "elsewhere").mkdir()
    for name in ("one", "another"):
        (host.folder / "elsewhere" / name).write_text(f"{name}\n")
    folders = "".join(f'    - name: folder {n}\n      file: {{ path: {host.target}/d{n}, state: directory }}\n' for n in range(FOLDERS))
    text = "- hosts: all\n  gather_facts: false\n  tasks:\n" + folders + "".join(t.task() for t in things)
    host.promote(host.push("one", {"site.yml": text, "templates/t.j2": "number {{ number }}\n"}))


@pytest.mark.parametrize("watch", ["auto", "inotify"])
def test_a_burst_beyond_the_queue_misses_nothing(make, broker, watch):
    host = make(policy="report", watch=watch)
    things = [Thing(7 * n, host.target) for n in range(250)]  # files with content
    for thing in things:
        thing.report = False
    release(host, things)
    with broker.reader(f"hf/1/dev/default/{host.name}/#") as reader, host:
        host.wait(lambda s: s["state"] == "ok" and s.get("installed"))
        host.process.send_signal(signal.SIGSTOP)
        for n in range(max(5000, int(QUEUE.read_text()) // 3)):  # six events each: more than a queue of inotify's holds
            thing = things[n % len(things)]
            thing.replace(lambda p, n=n: p.write_text(f"burst {n}\n"))
        host.process.send_signal(signal.SIGCONT)
        host.until(lambda: {e["title"] for e in drifts(host, reader)} == {t.name for t in things}, "every changed file is reported")
        if watch == "inotify":  # the loss is the queue's last event: it may be told after every file was
            host.until(lambda: alarms(reader, "events-lost"), "the loss is told")
        time.sleep(1)
        assert len(alarms(reader, "events-lost")) == (1 if watch == "inotify" else 0)
        assert len(drifts(host, reader)) == len(things), "one event a resource"


def start_with_a_short_queue(host):
    """A queue keeps the length that the kernel's setting had when it was made: the setting is put back at once."""
    before = QUEUE.read_text()
    try:
        QUEUE.write_text("16")
        with open(host.folder / "log", "ab") as log:
            host.process = subprocess.Popen([host.holdfastd, "--config", f"{host.folder}/holdfast.yaml"], stderr=log, env=host.env)
        fds = pathlib.Path(f"/proc/{host.process.pid}/fd")
        host.until(lambda: any("inotify" in os.readlink(fd) for fd in fds.iterdir() if fd.is_symlink()), "the queue is made", 60)
    finally:
        QUEUE.write_text(before)


@pytest.mark.alone  # a program that starts beside it would have a queue as short
def test_a_queue_of_sixteen_misses_nothing(make, broker):
    host = make(policy="report", watch="inotify")
    things = [Thing(7 * n, host.target) for n in range(250)]
    for thing in things:
        thing.report = False
    release(host, things)
    with host:
        host.wait(lambda s: s["state"] == "ok" and s.get("installed"))
    right = {t.name: t.path.read_text() for t in things}
    with broker.reader(f"hf/1/dev/default/{host.name}/#") as reader:
        try:
            start_with_a_short_queue(host)
            host.until(lambda: host.run("status", check=False).returncode == 0, "the agent answers")
            host.wait(lambda s: s["state"] == "ok" and s["mqtt"]["connected"])
            for n in range(5000):
                thing = things[n % len(things)]
                thing.replace(lambda p, n=n: p.write_text(f"burst {n}\n"))
            host.wait(lambda s: s["drifted"] == len(things), "every changed file is known")
            for thing in things:
                thing.replace(lambda p, t=thing: p.write_text(right[t.name]))
                thing.path.chmod(0o644 if thing.kind == "copy" else 0o640)
            host.wait(lambda s: s["state"] == "ok", "and so is every one that was put back")
            for action in ("reported", "resolved"):
                host.until(lambda: {e["title"] for e in drifts(host, reader, action)} == {t.name for t in things}, f"each is {action}")
            host.until(lambda: alarms(reader, "events-lost"), "the loss is told")
            time.sleep(1)
        finally:
            host.stop()
        lost = alarms(reader, "events-lost")
        assert 1 <= len(lost) <= 20, f"{len(lost)}: it is told, and not with every event"


def test_inotify_repairs_what_is_changed_by_any_name(make, broker):
    host = make(watch="inotify")
    things = [Thing(n, host.target) for n in range(21)]
    for thing in things:
        thing.report = False
    release(host, things)
    with host:
        host.wait(lambda s: s["state"] == "ok" and s.get("installed"))
        right = {t.name: t.look() for t in things}
        for thing in things:
            thing.disturb(random.Random(thing.number))
        gone(host.target / "d3")
        (host.target / "d4").rename(host.folder / "away")
        for t in things:
            host.until(lambda t=t: t.look() == right[t.name], f"{t.kind} {t.path}, way {t.way}, is put right")


def cpu_seconds(pid):
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, stat[11:15])) / os.sysconf("SC_CLK_TCK")  # with those of children that ended


@pytest.mark.alone
@pytest.mark.parametrize("fights", [1, 3])
def test_a_fight_costs_little(make, broker, fights):
    host = make()
    things = [Thing(7 * n, host.target) for n in range(100)]
    for thing in things:
        thing.report = False
    release(host, things)
    with broker.reader(f"hf/1/dev/default/{host.name}/#") as reader, host:
        host.wait(lambda s: s["state"] == "ok" and s.get("installed"))

        def write(text):
            for thing in things[:fights]:
                thing.path.write_text(text)

        def fought():
            write("mine\n")
            time.sleep(0.1)
            return host.ask("status")["contended"] == fights

        host.until(fought, "the fight is given up")
        spent = []  # (time, CPU seconds) every forty writes of the fight
        for n in range(121):
            if n % 40 == 0:
                spent.append((time.monotonic(), cpu_seconds(host.process.pid)))
            write(f"mine {n}\n")
            time.sleep(0.1)
        # The least of the stretches: what other programs of the machine cost the agent is not the fight's.
        used = min((c1 - c0) / (t1 - t0) for (t0, c0), (t1, c1) in zip(spent, spent[1:]))
        host.until(lambda: len(drifts(host, reader, "corrected")) >= 5 * fights and len(alarms(reader, "contended")) == fights,
                   "five corrections and the alarm of each")
        time.sleep(0.5)
        assert len(drifts(host, reader, "corrected")) == 5 * fights
        assert len(alarms(reader, "contended")) == fights
        assert used <= 0.01, f"{used:.2%} of a core"


def test_no_report_is_lost_while_the_broker_is_away(make, broker):
    host = make(policy="report", spool_bytes=8 << 20)
    things = [Thing(7 * n, host.target) for n in range(100)]
    for thing in things:
        thing.report = False
    release(host, things)
    with broker.reader(f"hf/1/dev/default/{host.name}/#", durable=True) as reader, host:
        host.wait(lambda s: s["state"] == "ok" and s.get("installed"))
        text = things[0].path.read_text()
        broker.stop()
        try:
            for n in range(EVENTS // len(things)):
                for thing in things:
                    thing.path.write_text("by hand\n" if n % 2 == 0 else text.replace(" 0", f" {thing.number}"))
                host.wait(lambda s, n=n: s["drifted"] == (len(things) if n % 2 == 0 else 0))
                if n in (0, 1):
                    host.kill()
                    host.start()
        finally:
            broker.start()
        host.wait(lambda s: s["mqtt"]["waiting"] == 0, "the spool is empty", 240 + EVENTS / 20)
        last = host.ask("status")["mqtt"]["last"]
        host.until(lambda: set(range(1, last + 1)) <= numbers(reader.messages).get(host.ask("status")["mqtt"]["boot"], set()),
                   "every number")
        assert (host.state / "state.db").stat().st_size < 32 << 20
        assert {e["title"] for e in drifts(host, reader, "reported")} == {t.name for t in things}


def test_what_the_spool_has_no_room_for_is_counted(make, broker):
    """The oldest of the least weight go, and the next report says how many: no gap that nobody accounts for."""
    host = make(policy="report", spool_bytes=1 << 20)
    things = [Thing(7 * n, host.target) for n in range(40)]
    for thing in things:
        thing.report = False
    release(host, things)
    with broker.reader(f"hf/1/dev/default/{host.name}/#", durable=True) as reader, host:
        host.wait(lambda s: s["state"] == "ok" and s.get("installed") and s["mqtt"]["waiting"] == 0)
        before = host.ask("status")["mqtt"]["last"]
        broker.stop()
        try:
            rounds = 0
            while (told := host.ask("status")["mqtt"])["last"] - before <= told["waiting"] + 20 or rounds % 2:
                for thing in things:
                    thing.path.write_text(f"text of {thing.number}\n" if rounds % 2 else "by hand\n" * 1000)
                rounds += 1
                assert rounds < 200, f"nothing was dropped: {told}"
                host.wait(lambda s: s["drifted"] == (len(things) if rounds % 2 else 0))
            host.promote(host.push("two", {"site.yml": "- hosts: all\n  gather_facts: false\n  tasks:\n    - name: last\n"
                                                       f"      copy: {{ content: x, dest: {host.target}/last }}\n"}))
            host.installed("two")
            host.kill()  # what it counted is kept; and it need not be waited for until it tries the broker again
        finally:
            broker.start()
        host.start()
        host.wait(lambda s: s["mqtt"]["waiting"] == 0, "the spool is empty")
        (host.target / "last").write_text("one report more\n")  # whatever was dropped last is told in the next one
        host.wait(lambda s: s["drifted"] == 1 and s["mqtt"]["waiting"] == 0)
        now = host.ask("status")["mqtt"]
        host.until(lambda: now["last"] in numbers(reader.messages).get(now["boot"], set()), "the last number")
        bodies = {m.body["n"]: m.body for m in reader.messages if m.text and m.body.get("boot") == now["boot"] and "n" in m.body}
        gone = set(range(1, now["last"] + 1)) - set(bodies)
        assert len(gone) == sum(body.get("dropped", 0) for body in bodies.values()) >= 20
        kept = [n for n, body in bodies.items() if body["kind"] == "drift" and n > before]
        assert max(gone) < min(kept), "the oldest went"
        assert any(body["kind"] == "run" and n > before for n, body in bodies.items()), "runs weigh more than drift"

