"""A hostile store against a real agent. Each row: refused by name, nothing on the host changed, and the agent goes on
working once the store is honest again."""
import base64
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import time

import pytest

from test_release import Team

WAIT = 20


class Host(Team):
    """A store with one release that a running agent has applied."""

    def __init__(self, holdfast, holdfastd, path):
        super().__init__(holdfast, path)
        self.holdfastd, self.process, self.extra = holdfastd, None, {}
        self.etc = path / "host"
        self.etc.mkdir()
        self.release_text("one")
        self.start("dev", "prod")
        self.one = self.push("one")
        self.promote(self.one)
        shutil.copy(self.folder / "root/1.json", path / "root.json")

    def release_text(self, text):
        self.write(
            "site.yml",
            "- hosts: all\n  gather_facts: false\n  tasks:\n"
            f"    - copy: {{src: files/app.conf, dest: {self.etc}/app.conf}}\n"
            f"    - copy: {{content: '{text}', dest: {self.etc}/{text}}}\n",
        )
        self.write("files/app.conf", f"text = {text}\n")

    def release(self, text, promote=True):
        self.release_text(text)
        made = self.push(text)
        if promote:
            self.promote(made)
        return made

    def run_agent(self):
        config = {
            "environment": "dev", "fleet": "web", "store": self.url, "trust": str(self.path / "root.json"), "host": "h",
            "state_dir": str(self.path / "state"), "run_dir": str(self.path / "run"), "user": "root", "poll": "1s", "splay": "0s",
            **self.extra,
        }  # fmt: skip
        (self.path / "agent.yaml").write_text(json.dumps(config))
        log = open(self.path / "agent.log", "ab")
        self.process = subprocess.Popen([self.holdfastd, "--config", self.path / "agent.yaml"], stdout=log, stderr=log)
        log.close()

    def stop_agent(self):
        if self.process:
            self.process.terminate()
            self.process.wait(15)
            self.process = None

    def status(self):
        done = subprocess.run(
            [self.holdfast, "status", "--socket", str(self.path / "run/ctl.sock"), "--json"], capture_output=True, text=True
        )
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def until(self, test, what):
        deadline = time.monotonic() + WAIT
        while not test(self.status()):
            assert self.process.poll() is None, (self.path / "agent.log").read_text()[-3000:]
            assert time.monotonic() < deadline, f"{what}: {self.status()}\n{(self.path / 'agent.log').read_text()[-3000:]}"
            time.sleep(0.1)

    def has(self, release):
        self.until(
            lambda s: (s.get("installed") or {}).get("release") == release and s.get("state") == "ok" and not s.get("store_trouble"), release
        )

    def refuses(self, word):
        self.until(lambda s: (s.get("store_trouble") or "").find(word + ":") >= 0, word)
        assert f"alarm {word}" in (self.path / "agent.log").read_text()

    def snapshot(self):
        return {p.name: (p.read_bytes(), p.stat().st_mode, p.stat().st_mtime_ns) for p in self.etc.rglob("*")}

    def next_pointer(self, release):
        """Signed as it should be, and not in the store."""
        self.ok("release", "promote", release, "-E", "dev", "-f", "web", "--out", "next.json")
        return (self.path / "next.json").read_bytes()

    def channel(self):
        return self.raw("channels/dev/web.json")

    def serve(self, pointer):
        self.put_raw("channels/dev/web.json", pointer)


@pytest.fixture
def host(holdfast, holdfastd, tmp_path):
    h = Host(holdfast, holdfastd, tmp_path)
    h.run_agent()
    h.has(h.one)
    yield h
    h.stop_agent()


def resigned(document, change):
    """The document with its payload changed and its signature kept."""
    e = json.loads(document)
    payload = change(base64.b64decode(e["payload"]))
    return document.replace(e["payload"].encode(), base64.b64encode(payload))


def unsigned(h):
    e = h.next_pointer(h.release("two", promote=False))
    h.serve(e[: e.index(b'"signatures":[')] + b'"signatures":[]}\n')


def changed_payload(h):
    h.serve(resigned(h.next_pointer(h.release("two", promote=False)), lambda p: p.replace(b'"seq":2', b'"seq":3')))


def replayed(h):
    old = h.channel()
    h.has(h.release("two"))
    h.before = h.snapshot()
    h.serve(old)


def equivocation(h):
    two, three = h.release("two", promote=False), h.release("three", promote=False)
    for name in (two, three):
        h.ok("release", "promote", name, "-E", "dev", "-f", "web", "--out", f"{name}.json")
    h.ok("release", "publish", f"{two}.json")
    h.has(two)
    h.before = h.snapshot()
    h.serve((h.path / f"{three}.json").read_bytes())


def other_environment(h):
    h.promote(h.release("two", promote=False), env="prod")
    h.serve(h.raw("channels/prod/web.json"))


def other_fleet(h):
    h.release("two", promote=False)
    h.promote(h.push("two"), fleet="db")
    h.serve(h.raw("channels/dev/db.json"))


def stranger(h):
    other = Host(h.holdfast, h.holdfastd, h.path / "other")
    h.serve(other.channel())


def object_of(h, release, path):
    f = next(f for f in h.ok("release", "show", release)["files"] if f["path"] == path)
    return f"objects/{f['sha256'][:2]}/{f['sha256']}"


def tampered_object(h):
    two = h.release("two", promote=False)
    h.put_raw(object_of(h, two, "files/app.conf"), b"text = TWO\n")
    h.promote(two)


def endless_object(h):
    two = h.release("two", promote=False)
    h.put_raw(object_of(h, two, "files/app.conf"), b"x" * 5_000_000)
    h.promote(two)


def withheld_object(h):
    two = h.release("two", promote=False)
    (h.folder / object_of(h, two, "files/app.conf")).unlink()
    h.promote(two)


def mixed_releases(h):
    two = h.release("two", promote=False)
    pointer = h.next_pointer(two)
    h.put_raw(f"releases/{two}.json", h.raw(f"releases/{h.one}.json"))
    h.serve(pointer)


def revoked(h):
    h.ok("release", "revoke", h.one, "--reason", "leaks")


def root_by_a_stranger(h):
    other = Host(h.holdfast, h.holdfastd, h.path / "other")
    other.ok("release", "root", "--expires", "90d")
    h.put_raw("root/2.json", other.raw("root/2.json"))


ATTACKS = [
    (unsigned, "unsigned"), (changed_payload, "bad-signature"), (replayed, "replayed-pointer"), (equivocation, "equivocation"),
    (other_environment, "wrong-environment"), (other_fleet, "wrong-fleet"), (stranger, "unknown-key"),
    (tampered_object, "hash-mismatch"), (endless_object, "size-mismatch"), (withheld_object, "missing-object"),
    (mixed_releases, "hash-mismatch"), (revoked, "revoked"), (root_by_a_stranger, "unknown-key"),
]  # fmt: skip


@pytest.mark.parametrize("attack,word", ATTACKS, ids=[a.__name__ for a, _ in ATTACKS])
def test_refused_by_name_and_the_host_goes_on(host, attack, word):
    host.before = host.snapshot()
    attack(host)
    host.refuses(word)
    time.sleep(1.1)  # another poll: still refused, still nothing done
    host.refuses(word)
    assert host.snapshot() == host.before
    # An honest store again: the next release arrives. A manager's tool goes on from the pointer it sees; where that was
    # replaced by an older one, hosts know higher numbers.
    if attack is root_by_a_stranger:
        (host.folder / "root/2.json").unlink()
    four = host.release("four", promote=False)
    seq = 0
    while seq < 4:
        seq = host.promote(four)["seq"]
    host.has(four)
    assert (host.etc / "four").exists()


def test_frozen_pointer_raises_the_alarm_and_enforcing_goes_on(host):
    host.ok("release", "promote", host.one, "-E", "dev", "-f", "web", "--expires", "3s")
    host.refuses("expired-pointer")
    (host.etc / "app.conf").write_text("drift\n")
    deadline = time.monotonic() + WAIT
    while (host.etc / "app.conf").read_text() != "text = one\n":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    host.promote(host.one)
    host.has(host.one)


def test_state_lost_the_minimum_still_holds(host):
    old = host.channel()
    two = host.release("two")
    host.has(two)
    host.stop_agent()
    shutil.rmtree(host.path / "state")
    host.extra = {"min_epoch": 1, "min_seq": 2}
    host.serve(old)
    before = host.snapshot()
    host.run_agent()
    host.refuses("below-minimum")
    assert host.snapshot() == before


JUNK = {"html": b"<html>503</html>", "random": os.urandom(4096)}
if os.environ.get("HF_LONG"):
    JUNK |= {"empty": b"", "object": b"{}", "nested": b"[" * 60000, "zeros": b"\0" * 4096}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_wholly_hostile_channel(host, junk):
    before, good = host.snapshot(), host.channel()
    host.serve(junk)
    host.refuses("bad-envelope")
    assert host.snapshot() == before
    host.serve(good)
    host.has(host.one)


def test_pinned_first_root(holdfast, holdfastd, tmp_path):
    h = Host(holdfast, holdfastd, tmp_path)
    h.extra = {"trust_sha256": hashlib.sha256(b"another").hexdigest()}
    h.run_agent()
    h.refuses("pinned-root")
    h.stop_agent()
    assert h.snapshot() == {}
    h.extra = {"trust_sha256": hashlib.sha256(pathlib.Path(tmp_path / "root.json").read_bytes()).hexdigest()}
    h.run_agent()
    h.has(h.one)
    h.stop_agent()
