"""Attacks on what a host remembers, on its clock, on its messages and on the moment between two steps."""
import hashlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import time

import pytest

import forge
from attacked import Attacked, Shim
from broker import Broker
from test_attacks import stamp

LONG = bool(os.environ.get("HF_LONG"))


@pytest.fixture(scope="module")
def broker():
    with Broker() as one:
        yield one


@pytest.fixture
def make(holdfast, holdfastd, tmp_path, broker):
    made = []

    def make(**config):
        h = Attacked(holdfast, holdfastd, tmp_path / f"h{len(made)}", broker, **config)
        made.append(h)
        return h

    (tmp_path / "h0").mkdir()
    yield make
    for h in made:
        h.close()


@pytest.fixture
def host(make):
    h = make().start_agent()
    h.has(h.one)
    h.mark()
    return h


# --- time ---------------------------------------------------------------------------------------------------------------------


def test_freeze_raises_the_alarm_and_enforcing_goes_on(host):
    host.promote(host.one, more=("--expires", "2s"))
    host.refuses("expired-pointer")
    (host.etc / "app.conf").write_text("drift\n")
    host.until(lambda s: (host.etc / "app.conf").read_text() == "text = text1\n", "drift is put right")
    host.goes_on()


def test_clock_forward_is_an_alarm_and_back_revives_nothing(make, tmp_path):
    """A year ahead: what is installed stays enforced. Back before the newest time accepted: an expired pointer stays expired."""
    h, shim = make(), Shim(tmp_path)
    h.environment = shim.environment()
    h.start_agent()
    h.has(h.one)
    h.mark()
    shim.clock(366 * 86400)
    h.refuses("expired-root")
    (h.etc / "app.conf").write_text("drift\n")
    h.until(lambda s: (h.etc / "app.conf").read_text() == "text = text1\n", "drift is put right")
    shim.clock(0)
    h.has(h.one)
    # A pointer from yesterday that ran out an hour ago, signed as it should be; the clock is set back to when it was good.
    p = forge.payload(h.next_pointer(h.make()))
    stale = {**p, "issued": stamp(-1), "expires": stamp(-1 / 24)}
    h.mark()
    shim.clock(-86400 // 2)
    h.serve(forge.envelope("pointer", stale, h.keys("alice", "bob")))
    h.refuses("expired-pointer")
    # An honest pointer is accepted all the same by a host whose clock is behind.
    h.goes_on()
    shim.clock(0)
    h.goes_on()


# --- keys ---------------------------------------------------------------------------------------------------------------------


FAST = {"number": ({"seq": 2**53 - 1}, "replayed-pointer"),
        "time": ({"issued": "2200-01-01T00:00:00Z", "expires": "2300-01-01T00:00:00Z"}, "expired-root")}


@pytest.mark.parametrize("changed,word", FAST.values(), ids=FAST)
def test_fast_forward_is_recovered_by_a_new_key_epoch(host, changed, word):
    """Thieves of two deploy keys sign the highest number, or a far time: no honest pointer counts until roots say so."""
    p = forge.payload(host.next_pointer(host.make()))
    thief = {**p, **changed}
    seen = len(host.reader.messages)
    host.serve(forge.envelope("pointer", thief, host.keys("alice", "bob")))
    # From a far time on the root is expired, and that may be told before the release is there.
    host.until(lambda s: (s.get("installed") or {}).get("release") == p["release"] and s["state"] == "ok", "the thieves' release")
    host.mark()
    host.seen = seen
    two = host.make()
    honest = {**p, "release": two, "seq": p["seq"] + 1}
    host.serve(forge.envelope("pointer", honest, host.keys("alice", "bob")))
    host.refuses(word)
    host.ok("release", "root", "--new-epoch", "--remove", "deploy:dev=bob", "--expires", "365d")
    host.look_now()
    host.until(lambda s: "below-threshold" in s.get("store_trouble", ""), "bob's signature no longer counts")
    made = host.make()
    moved = host.ok("release", "promote", made, "-E", "dev", "-f", "web", "--key", "alice.pem", "--key", "dave.pem")
    assert (moved["key_epoch"], moved["seq"]) == (2, 1)
    host.has(made)
    host.mark()
    host.serve(forge.envelope("pointer", thief, host.keys("alice", "bob")))
    host.refuses("below-threshold")


def test_expired_root_at_first_boot_with_a_valid_chain_is_accepted(make):
    h = make(init=["--expires", "1s"])
    h.ok("release", "root", "--expires", "365d")
    time.sleep(2.1)
    assert forge.payload(h.raw("root/1.json"))["expires"] < stamp()
    h.start_agent()
    h.has(h.one)


def test_expired_root_without_a_successor_is_refused(make):
    h = make(init=["--expires", "2s"])
    time.sleep(2.1)
    h.mark()
    h.start_agent()
    h.refuses("expired-root")
    h.ok("release", "root", "--expires", "365d")
    h.has(h.one)


def test_pinned_first_root(make):
    h = make(trust_sha256=hashlib.sha256(b"another").hexdigest())
    h.mark()
    h.start_agent()
    h.refuses("pinned-root")
    h.stop_agent()
    h.config = {"trust_sha256": hashlib.sha256((h.path / "root.json").read_bytes()).hexdigest()}
    h.start_agent()
    h.has(h.one)


def test_promotion_without_the_evidence_that_the_root_demands(host):
    """Enough thieves for the threshold, too few for an override: the host asks for evidence, whatever their tool does."""
    host.ok("release", "root", "--promotion", "dev=after=prod,override=3")
    p = forge.payload(host.next_pointer(host.make(), "--override", "x"))
    host.mark()
    host.serve(forge.envelope("pointer", p, host.keys("alice", "bob")))
    host.refuses("no-evidence")
    host.serve(forge.envelope("pointer", p, host.keys("alice", "bob", "dave")))
    host.has(p["release"])
    host.ok("release", "root", "--promotion", "dev=none")
    host.goes_on()


# --- what the host remembers -----------------------------------------------------------------------------------------------------


def forget(h, folder):
    h.stop_agent()
    shutil.rmtree(h.path / "state")
    if folder:
        shutil.copytree(folder, h.path / "state")
    h.config = {"min_epoch": 1, "min_seq": 2, "policy": "report"}  # an old state calls what came after it drift


@pytest.mark.parametrize("how", ["deleted", "restored"])
def test_state_lost_or_from_an_old_backup_the_minimum_still_holds(host, how):
    old = host.channel()
    host.stop_agent()
    shutil.copytree(host.path / "state", host.path / "backup")
    host.start_agent()
    host.has(host.release())
    forget(host, host.path / "backup" if how == "restored" else None)
    host.serve(old)
    host.mark()
    host.start_agent()
    host.refuses("below-minimum")
    host.goes_on()


def test_agent_downgrade(host):
    """A newer agent has polled here; this one enforces what is installed and accepts nothing new until it is allowed by name."""
    host.stop_agent()
    with sqlite3.connect(host.path / "state/state.db") as db:
        mine = db.execute("SELECT value FROM meta WHERE key='agent.newest'").fetchone()[0]
        db.execute("UPDATE meta SET value='99.0' WHERE key='agent.newest'")
    made = host.release()
    host.mark()
    host.start_agent()
    host.refuses("agent-downgrade")
    host.stop_agent()
    host.config = {"allow_agent": mine}
    host.start_agent()
    host.has(made)


def test_agent_below_the_floor_of_the_root(host):
    host.mark()
    host.ok("release", "root", "--agent-floor", "99.0")
    host.refuses("agent-too-old")


@pytest.mark.parametrize("name", ["files/holdfast_0.0.1_amd64.deb", "files/holdfast-0.0.1-1.x86_64.rpm"], ids=["deb", "rpm"])
def test_release_that_brings_an_older_agent(host, name):
    """Signed by everybody who must: the agent's own package, older than what runs here, is refused before anything of it."""
    host.write(name, "what dpkg would install")
    host.mark()
    made = host.release()
    host.refuses("agent-downgrade")
    assert not (host.path / "state/releases" / made).exists()
    host.stop_agent()
    host.config = {"allow_agent": "0.0.1"}
    host.start_agent()
    host.has(made)
    (host.tree / name).rename(host.tree / name.replace("0.0.1", "99.0"))
    host.goes_on()


# --- between two steps --------------------------------------------------------------------------------------------------------------


def kill_points():
    """The last one is never reached: the agent acts, and is stopped in order."""
    return [*range(1, 80, 1 if LONG else 9), 100_000]


def test_killed_between_accepting_and_storing(make, tmp_path):
    """The supervisor dies at each write to disk after a new pointer came: whatever it did afterwards, a replay of the older
    pointer is refused if anything of the newer one was done."""
    h, shim = make(), Shim(tmp_path)
    h.environment = shim.environment()
    h.start_agent()
    h.has(h.one)
    for point in kill_points():
        old = h.channel()
        shim.die_after(point)
        made = h.release()
        h.look_now()
        deadline = time.monotonic() + 60
        while h.process.poll() is None and not (h.etc / f"text{h.texts}").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        if h.process.poll() is None:
            h.stop_agent()
        shim.die_after(0)
        new = h.channel()
        h.serve(old)
        acted = (h.etc / f"text{h.texts}").exists()
        h.start_agent()
        if acted:
            h.until(lambda s: "replayed-pointer" in s.get("store_trouble", ""), f"killed at write {point}")
        else:
            h.until(lambda s: s.get("polled") or s.get("store_trouble"), f"killed at write {point}")
        h.serve(new)
        h.has(made)


def test_swapped_after_the_check(host):
    """Objects kept from the release before, and a release unpacked before, are hashed again when they are used."""
    one, first = host.one, forge.payload(host.channel())["release"]
    kept = host.path / "state" / host.object_of(one, "files/app.conf")
    kept.write_bytes(bytes(reversed(kept.read_bytes())))
    host.write("files/app.conf", "text = text1\n")
    host.write("site.yml", (host.tree / "site.yml").read_text() + f"    - copy: {{content: 'x', dest: {host.etc}/x}}\n")
    two = host.push("two", key="carol")
    host.mark()
    host.promote(two)
    host.look_now()
    assert "hash-mismatch" in host.alarm("hash-mismatch")
    host.has(two)  # fetched again at the next look
    assert (host.etc / "app.conf").read_text() == "text = text1\n"
    # The unpacked folder of the first release, changed while the second was installed.
    host.mark()
    victim = host.path / "state/releases" / first / "files/app.conf"
    victim.write_text("text = EVIL1\n")
    host.ok("release", "rollback", "-E", "dev", "-f", "web", "--to", first, "--reason", "back", "--key", "alice.pem", "--key", "bob.pem")
    host.look_now()
    host.alarm("hash-mismatch")
    host.until(lambda s: (s.get("installed") or {}).get("release") == first and
               (host.etc / "app.conf").read_text() == "text = text1\n", "the first release again")


def test_automatic_rollback_to_a_revoked_release(make):
    """The release before is revoked while a newer one is at work; the newer one fails its gate: the older is not put back."""
    h = make(gate_deadline="1s").start_agent()
    h.has(h.one)
    two = h.make(gates=[{"name": "never", "file": "/nowhere/at/all"}])
    h.mark()
    p = h.next_pointer(two)
    h.ok("release", "revoke", h.one, "--reason", "leaks")
    h.serve(p)
    h.look_now()
    assert "revoked" in h.alarm("restore-refused")
    h.until(lambda s: s.get("state") == "failed", "the host says that it failed")
    assert not (h.etc / "text2").exists()
    h.goes_on()


# --- the broker -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("message", [
    '{"seq":1,"run":"touch /tmp/owned"}', '{"command":["sh","-c","id"]}', '{"seq":999999999999,"release":"' + "0" * 64 + '"}',
    '{"playbook":"- hosts: all"}', "#!/bin/sh\nid", "[" * 3000, "\1\2",
], ids=["run", "command", "release", "playbook", "script", "nested", "bytes"])  # fmt: skip
def test_message_that_asks_to_run_something(host, message):
    host.reader.wait(lambda m: m.topic.endswith("/link") and m.body["s"] == "on")  # it comes after the wish to hear hints
    run = host.status()["last_run"]["run"]
    host.mark()
    for topic in (f"hf/1/dev/web/{host.name}/hint", "hf/1/dev/web/all/hint"):
        host.broker.publish(topic, message)
    host.alarm("bad-hint")
    time.sleep(0.3)
    assert host.snapshot() == host.before and host.status()["last_run"]["run"] == run
    host.goes_on()


def test_second_client_with_the_same_client_id(host):
    """Somebody with a certificate of the fleet connects under this host's client id: it comes back, says so, and works on."""
    host.until(lambda s: s["mqtt"]["connected"], "connected")
    files = host.broker.client("mallory")
    host.mark()
    for _ in range(3):
        host.until(lambda s: s["mqtt"]["connected"], "connected again")
        other = subprocess.Popen(["mosquitto_sub", "-V", "5", "-h", "127.0.0.1", "-p", str(host.broker.port), "-i", host.name, "-t", "x",
                                  "--cafile", files["ca"], "--cert", files["cert"], "--key", files["key"]],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            host.until(lambda s: not s["mqtt"]["connected"], "thrown out")
        finally:
            other.kill()
            other.wait()
    host.alarm("link-unstable")
    assert host.snapshot() == host.before
    host.goes_on()


def test_command_socket_takes_no_strangers(host):
    """Only root may speak to the agent on the host itself."""
    path = host.path / "run/ctl.sock"
    assert path.stat().st_mode & 0o077 == 0 and path.stat().st_uid == 0
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(path))
        s.sendall(json.dumps({"command": "exec", "argv": ["id"]}).encode() + b"\n")
        s.settimeout(120)
        assert b"uid=" not in s.recv(4096)
