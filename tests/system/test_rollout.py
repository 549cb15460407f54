"""Whose turn it is: agents of one fleet decide from the signed pointer alone when they begin a release, and halts and rollbacks hold."""
import hashlib
import json
import time

import pytest

from agent import AgentHost

NOTE = "- hosts: all\n  gather_facts: false\n  tasks:\n    - {{ name: one, copy: {{ content: \"{word}\\n\", dest: \"{t}/one\" }} }}\n"


def place(release, host):
    """As docs/formats.md says it."""
    return int.from_bytes(hashlib.sha256(f"{release} {host}".encode()).digest()[:8], "big") % 100000 / 1000


class Fleet:
    """Hosts that share a store; each has its own folder, state and agent."""

    def __init__(self, folder, holdfast, holdfastd):
        self.folder, self.programs = folder, (holdfast, holdfastd)
        self.main = AgentHost(folder / "main", holdfast, holdfastd)
        self.hosts = []

    def host(self, name):
        one = AgentHost(self.folder / name, *self.programs, host=name)
        path = one.folder / "holdfast.yaml"
        path.write_text(json.dumps({**json.loads(path.read_text()), "store": self.main.store, "trust": f"{self.main.folder}/root.json"}))
        self.hosts.append(one)
        one.start()
        return one

    def push(self, word):
        # Each host writes where its own variable points.
        text = NOTE.format(word=word, t="{{ lookup('env', 'HOLDFAST_SOCKET') | dirname | dirname }}/target")
        return self.main.push(word, {"site.yml": text})

    def promote(self, release, rollout=None, word="promote", **more):
        words = ["release", word, "-s", self.main.store, "-k", f"{self.main.folder}/deploy.key", "-E", "dev"]
        if rollout is not None:
            (self.folder / "rollout.yml").write_text(json.dumps(rollout))
            words += ["--rollout", f"{self.folder}/rollout.yml"]
        for key, value in more.items():
            words += [f"--{key}", value]
        self.main.run(*words, *([release] if release else []))

    def close(self):
        for host in self.hosts:
            if host.process is not None and host.process.poll() is None:
                host.stop()


@pytest.fixture
def fleet(tmp_path, holdfast, holdfastd):
    one = Fleet(tmp_path, holdfast, holdfastd)
    yield one
    one.close()


def named(release, low, high, letter="h"):
    return next(f"{letter}{n}" for n in range(10000) if low <= place(release, f"{letter}{n}") < high)


def has(host, word):
    return host.wait(lambda s: s.get("installed", {}).get("name") == word and s["state"] == "ok", f"{host.name} has {word}")


def waits(host, word, text):
    return host.wait(lambda s: s.get("wanted", {}).get("name") == word and text in s.get("waits", ""), f"{host.name} waits: {text}")


def test_canaries_first_and_the_others_by_the_next_pointer(fleet):
    one, two = fleet.push("one"), fleet.push("two")
    fleet.promote(one)
    canary, second, third = (fleet.host(named(two, *span)) for span in ((0, 10), (20, 50), (60, 100)))
    for host in fleet.hosts:
        has(host, "one")
    fleet.promote(two, {"canary": {"percent": 10}, "budget": 1, "concurrency": 1})
    has(canary, "two")
    for host in (second, third):
        assert waits(host, "two", "others go first")["state"] == "ok", "who waits is well"
        assert (host.target / "one").read_text() == "one\n"
    (third.target / "one").write_text("by hand\n")
    third.until(lambda: (third.target / "one").read_text() == "one\n", "what it has is kept meanwhile")
    second.run("run", "--full")
    second.wait(lambda s: s["last_run"]["run"] > 1 and s["last_run"]["status"] == "ok")
    assert (second.target / "one").read_text() == "one\n", "a run that is asked for there does not go before its turn"
    late = fleet.host(named(two, 70, 90, "late"))
    assert has(late, "two"), "who has nothing yet waits for nobody"
    second.stop()
    fleet.promote(two, {"canary": {"percent": 10, "hosts": [third.name]}})
    has(third, "two")
    second.start()
    waits(second, "two", "others go first")
    assert "waits      others go first" in second.run("status").stdout
    fleet.promote(two)
    has(second, "two")


def begun(host, word):
    return next(r["started"] for r in host.ask("history")["runs"] if r["name"] == word)


def test_waves_come_by_themselves_and_a_halt_stops_them(fleet):
    one, two, three = fleet.push("one"), fleet.push("two"), fleet.push("three")
    began = time.time()
    fleet.promote(one)
    first, last = fleet.host(named(two, 0, 30)), fleet.host(named(two, 60, 100))
    for host in fleet.hosts:
        has(host, "one")
    now = int(time.time())
    soak = max(12, int(3 * (now - began)))  # longer than a promotion and a halt take here
    fleet.promote(two, {"canary": {"percent": 30}, "waves": [{"percent": 40, "after": "1s"}, {"percent": 100, "after": "5s"}]})
    has(first, "two")
    has(last, "two")
    assert begun(last, "two") >= now + 5
    for soak in (12, 40, 120):  # a slow machine takes longer to hear of the halt
        now = int(time.time())
        fleet.promote(three, {"soak": f"{soak}s", "canary": {}})
        for host in fleet.hosts:
            host.wait(lambda s: s.get("wanted", {}).get("name") == "three" and ("its wave comes at" in s.get("waits", "") and s.get("waits_until") or time.time() > now + soak))
        fleet.promote(None, word="halt", reason="it is bad")
        for host in fleet.hosts:
            host.wait(lambda s: "halted: it is bad" in s.get("waits", "") or time.time() > now + soak)
        if time.time() < now + soak:
            break
        fleet.promote(two)
        for host in fleet.hosts:
            has(host, "two")
    time.sleep(max(0, now + soak + 2 - time.time()))
    for host in fleet.hosts:
        assert host.ask("status")["installed"]["name"] == "two", "its time has come, and the channel is halted"
    fleet.promote(None, word="rollback", reason="go back", to=one)
    for host in fleet.hosts:
        host.wait(lambda s: s["installed"]["name"] == "one" and s["state"] == "rolled_back", "a rollback waits for nobody")


def elsewhen(hours):
    hour = (time.gmtime().tm_hour + hours) % 24
    return f"{hour:02}:00-{hour:02}:59 UTC"


def test_windows_of_a_rollout(fleet):
    one, two = fleet.push("one"), fleet.push("two")
    fleet.promote(one)
    host = fleet.host("h1")
    has(host, "one")
    fleet.promote(two, {"windows": [elsewhen(3), elsewhen(5)]})
    waits(host, "two", "window")
    host.stop()
    host.start()
    waits(host, "two", "window")
    fleet.promote(two, {"windows": ["00:00-24:00 UTC"]})
    has(host, "two")


@pytest.mark.parametrize("rollout, says", [
    ({"canery": {"percent": 5}}, "canery"), ({"canary": {"percent": 500}}, "percent must be within 0 and 100"),
    ({"windows": ["whenever"]}, "whenever"), ({"waves": [{"percent": 5}]}, "after how long"),
    ({"concurrency": 5}, "asks for canary"), ({"canary": {"percent": 5}, "budget": 1, "soak": "1h"}, "cannot be held"),
], ids=["word", "percent", "window", "wave", "concurrency", "budget"])
def test_a_rollout_nobody_could_follow_is_not_signed(fleet, rollout, says):
    one = fleet.push("one")
    (fleet.folder / "r.yml").write_text(json.dumps(rollout))
    done = fleet.main.run("release", "promote", "-s", fleet.main.store, "-k", f"{fleet.main.folder}/deploy.key", "-E", "dev", "--rollout",
                          f"{fleet.folder}/r.yml", one, check=False)
    assert done.returncode != 0 and says in done.stderr
    assert not (fleet.main.folder / "store/channels").exists()
