"""What the fleet reads about a host: its state topic goes through the words of the manual, each for its reason."""
import contextlib
import sqlite3
import time

import pytest

from agent import AgentHost
from broker import Broker

GOOD = "- hosts: all\n  gather_facts: false\n  tasks:\n    - {{ name: one, copy: {{ content: one, dest: {t}/one }} }}\n"
SLOW = GOOD + "    - {{ name: nap, command: sleep 1 }}\n"
WAITS = "    - {{ name: wait, wait_for: {{ timeout: 2 }} }}\n"  # states that nobody could send yet are told as one
BAD = GOOD + WAITS + "    - {{ name: bad, fail: {{ msg: it is bad }} }}\n"
PARTIAL = GOOD + "    - {{ name: touched, shell: touch {t}/left }}\n    - {{ name: bad, command: /bin/false }}\n"
WATCHED = GOOD + "    - {{ name: two, copy: {{ content: two, dest: {t}/two }}, vars: {{ holdfast_policy: report }} }}\n"
GATE = [{"name": "never", "file": "/nowhere/at/all"}]


@pytest.fixture(scope="module")
def broker():
    with Broker() as one:
        yield one


@pytest.fixture
def make(tmp_path, holdfast, holdfastd, broker):
    def host(playbook, gates=None, promoted=True, **config):
        host = AgentHost(tmp_path, holdfast, holdfastd, broker=broker, host=f"s-{abs(hash(tmp_path))}", **config)
        if playbook:
            host.first = host.push("one", {"site.yml": playbook.format(t=host.target)}, gates=gates)
            if promoted:
                host.promote(host.first)
        return host
    return host


def states(reader, host):
    found = []
    for m in reader.messages:
        if m.topic.endswith(f"/{host.name}/state") and (not found or found[-1] != m.body["state"]):
            found.append(m.body["state"])
    return found


ROWS = [
    # what, playbook, gates, configuration, the states that come, in this order
    ("a release is applied", SLOW, None, {}, ["converging", "ok"]),
    ("gates are asked", GOOD, [{"name": "slowly", "command": ["/bin/sleep", "1"]}], {}, ["converging", "gated", "ok"]),
    ("a gate fails", GOOD, GATE, {"gate_deadline": "2s"}, ["gated", "quarantined"]),
    ("a task fails", BAD, None, {}, ["converging", "quarantined"]),
    ("a task fails after one without a way back", PARTIAL, None, {}, ["converging", "rolled_back_partial"]),
    ("a failure is kept", BAD, None, {"on_failure": "keep"}, ["converging", "failed"]),
    ("nothing was promoted yet", None, None, {}, ["starting"]),
    ("the store is not there", None, None, {}, ["starting", "stale-store"]),
]


@pytest.mark.parametrize("what,playbook,gates,config,wanted", ROWS, ids=[r[0] for r in ROWS])
def test_state(make, broker, what, playbook, gates, config, wanted):
    host = make(playbook, gates, promoted=False, **config)
    with broker.reader(f"hf/1/dev/default/{host.name}/#") as reader, host:
        host.until(lambda: states(reader, host), "the broker hears of the host")  # states nobody could send are told as one
        if playbook:
            host.promote(host.first)
        if "store" in what:
            (host.folder / "store").rename(host.folder / "elsewhere")
        host.until(lambda: [s for s in states(reader, host) if s in wanted] == wanted, f"{wanted} come")
        if wanted[-1] in ("quarantined", "rolled_back_partial", "failed"):
            assert host.ask("status")["quarantined_until"] == 1, "whatever it says, what the channel names is refused"
        if wanted[-1] == "rolled_back_partial":
            assert "touched" in host.ask("status")["message"], "what could not be taken back is named"


def test_a_host_that_differs_is_paused_and_resumed(make, broker):
    host = make(WATCHED)
    with broker.reader(f"hf/1/dev/default/{host.name}/#") as reader, host:
        host.installed("one")
        (host.target / "two").write_text("by hand\n")
        host.until(lambda: states(reader, host)[-1:] == ["drifted"], "it differs")
        host.run("pause", "--for", "1h", "--reason", "a person is at work")
        host.until(lambda: states(reader, host)[-1:] == ["paused"], "it is paused")
        last = [m.body for m in reader.messages if m.topic.endswith("/state")][-1]
        assert last["pause_reason"] == "a person is at work" and last["paused_until"]
        host.run("resume")
        host.until(lambda: states(reader, host)[-1:] == ["drifted"], "it goes on")
        (host.target / "two").write_text("two")
        host.until(lambda: states(reader, host)[-1:] == ["ok"], "it is well")


NAP = GOOD + "    - {{ name: made slowly, command: {{ cmd: \"sh -c 'sleep 3; touch {t}/made'\", creates: {t}/made }} }}\n"


def test_a_repair_that_takes_its_time_a_fight_and_a_way_back_are_seen(make, broker):
    host = make(NAP)
    with broker.reader(f"hf/1/dev/default/{host.name}/#") as reader, host:
        host.installed("one")
        host.until(lambda: states(reader, host)[-1:] == ["ok"], "the host is well")
        (host.target / "made").unlink()
        host.until(lambda: states(reader, host)[-2:] == ["correcting", "ok"], "it is put right, and that is seen meanwhile")
        assert (host.target / "made").exists()
        told = [m.body for m in reader.messages if m.topic.endswith("/drift") and m.body["title"] == "made slowly"]
        assert [(e["class"], e["action"]) for e in told] == [("external", "correcting"), ("corrective", "corrected")]
        host.promote(host.push("two", {"site.yml": WATCHED.format(t=host.target)}))
        host.installed("two")
        host.rollback(host.first)
        host.until(lambda: states(reader, host)[-1:] == ["rolled_back"], "it went back, as the channel wanted")
        host.promote(host.first)
        host.until(lambda: states(reader, host)[-1:] == ["ok"], "and forward again")

        def contended():
            (host.target / "one").write_text("mine\n")
            return states(reader, host)[-1:] == ["contended"]

        host.until(contended, "somebody else writes it again and again")
        assert host.ask("status")["contended"] == 1


def tries(host, name):
    return sum(run["name"] == name for run in host.ask("history")["runs"])


def test_what_failed_is_refused_until_the_channel_rises(make, broker):
    host = make(GOOD, gate_deadline="1s")
    with broker.reader(f"hf/1/dev/default/{host.name}/#") as reader, host:
        host.installed("one")
        bad = host.push("bad", {"site.yml": WATCHED.format(t=host.target)}, gates=[{"name": "later", "file": f"{host.folder}/gate"}])
        host.promote(bad)
        body = reader.wait(lambda m: m.topic.endswith("/state") and m.body["state"] == "quarantined" and "quarantined_until" in m.body).body
        assert (body["installed"]["name"], body["wanted"]["name"], body["quarantined_until"]) == ("one", "bad", 2)
        assert "gate later" in body["message"] and not (host.target / "two").exists()
        (host.folder / "gate").touch()  # it would hold now, and nobody has said so
        polled = host.ask("status")["polled"]
        host.wait(lambda s: s["polled"] > polled, "the same pointer is read again")
        host.stop()
        host.start()
        assert host.ask("status")["state"] == "quarantined", "a restart keeps it"
        host.wait(lambda s: s.get("polled"), "and the pointer is read once more")
        assert host.ask("status")["state"] == "quarantined" and tries(host, "bad") == 1
        assert "beyond seq 2" in host.run("status").stdout
        host.promote(bad)  # a higher number
        host.installed("bad")
        status = host.wait(lambda s: s["state"] == "ok")
        assert "quarantined_until" not in status and tries(host, "bad") == 2


def test_a_fleet_that_goes_back_ends_the_quarantine(make):
    host = make(GOOD)
    with host:
        host.installed("one")
        host.promote(host.push("bad", {"site.yml": BAD.format(t=host.target)}))
        host.wait(lambda s: s["state"] == "quarantined")
        one = host.ask("status")["installed"]["release"]
        host.rollback(one)
        host.wait(lambda s: s["state"] == "rolled_back")
        host.promote(one)
        host.wait(lambda s: s["state"] == "ok" and "message" not in s)


def test_texts_of_any_length_fit_into_what_a_broker_takes(make, broker):
    text = "- hosts: all\n  gather_facts: false\n  tasks:\n    - { name: " + "n" * 150000 + ", copy: { content: one, dest: {t}/one } }\n"
    host = make(text.replace("{", "{{").replace("}", "}}").replace("{{t}}", "{t}"))
    with broker.reader(f"hf/1/dev/default/{host.name}/#") as reader, host:
        host.installed("one")
        (host.target / "one").write_text("by hand\n")
        host.until(lambda: (host.target / "one").read_text() == "one", "what has a long name is put right")
        drift = reader.wait(lambda m: m.topic.endswith("/drift") and m.body["action"] == "corrected")
        assert drift.body["title"].startswith("nnnn") and drift.body["title"].endswith("…")
        host.run("pause", "--for", "1h", "--reason", "é" * 5000)
        state = reader.wait(lambda m: m.topic.endswith("/state") and m.body["state"] == "paused")
        assert len(state.text.encode()) <= 4096 and state.body["pause_reason"].startswith("éééé")
        host.run("resume")
        host.wait(lambda s: s["state"] == "ok")
        assert max(len(m.text.encode()) for m in reader.messages) <= 120 << 10


def back_off_ends(host):
    """As if the minutes had passed."""
    host.stop()
    with contextlib.closing(sqlite3.connect(host.state / "state.db")) as db, db:
        db.execute("UPDATE ledger SET retry_at=0 WHERE state='contended'")


def test_a_fight_that_is_over_is_told_once_and_forgotten(make, broker):
    host = make(GOOD)
    path = host.target / "one"
    with broker.reader(f"hf/1/dev/default/{host.name}/#") as reader, host:
        host.installed("one")

        def fought():
            path.write_text("mine\n")
            time.sleep(0.1)
            return host.ask("status")["state"] == "contended"

        host.until(fought, "the fight is seen")
        back_off_ends(host)
        path.write_text("mine again\n")
        host.start()
        host.until(lambda: path.read_text() == "one", "one more try is made")
        host.wait(lambda s: s["state"] == "contended", "it was changed meanwhile")
        back_off_ends(host)
        host.start()
        host.wait(lambda s: s["state"] == "ok", "nobody touched it")
        path.write_text("much later\n")
        host.until(lambda: path.read_text() == "one", "it is put right as ever")

        def told():
            return [(e["class"], e["action"]) for e in host.ask("drift")["events"] if e["action"] != "correcting"]

        host.until(lambda: told()[8:], "all of it is told")
        assert told() == 5 * [("corrective", "corrected")] + [("contended", "backed-off"), ("corrective", "corrected"),
                                                              ("contended", "resolved"), ("corrective", "corrected")]
        reader.wait(lambda m: m.topic.endswith("/alarm") and m.body["alarm"] == "contended")
        host.wait(lambda s: s["mqtt"]["waiting"] == 0)
        time.sleep(0.5)
        # What a stop kept the broker from confirming is sent again, with the number that it had.
        assert len({(m.body["boot"], m.body["n"]) for m in reader.messages if m.topic.endswith("/alarm") and m.body["alarm"] == "contended"}) == 1
