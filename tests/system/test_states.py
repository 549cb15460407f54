"""What the fleet reads about a host: its state topic goes through the words of the manual, each for its reason."""
import pytest

from agent import AgentHost
from broker import Broker

GOOD = "- hosts: all\n  gather_facts: false\n  tasks:\n    - {{ name: one, copy: {{ content: one, dest: {t}/one }} }}\n"
SLOW = GOOD + "    - {{ name: nap, command: sleep 1 }}\n"
BAD = GOOD + "    - {{ name: bad, fail: {{ msg: it is bad }} }}\n"
PARTIAL = GOOD + "    - {{ name: touched, shell: touch {t}/left }}\n    - {{ name: bad, command: /bin/false }}\n"
WATCHED = GOOD + "    - {{ name: two, copy: {{ content: two, dest: {t}/two }}, vars: {{ holdfast_policy: report }} }}\n"
GATE = [{"name": "never", "file": "/nowhere/at/all"}]


@pytest.fixture(scope="module")
def broker():
    with Broker() as one:
        yield one


@pytest.fixture
def make(tmp_path, holdfast, holdfastd, broker):
    def host(playbook, gates=None, **config):
        host = AgentHost(tmp_path, holdfast, holdfastd, broker=broker, host=f"s-{abs(hash(tmp_path))}", **config)
        if playbook:
            host.promote(host.push("one", {"site.yml": playbook.format(t=host.target)}, gates=gates))
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
    ("a gate fails", GOOD, GATE, {"gate_deadline": "2s"}, ["gated", "rolled_back"]),
    ("a task fails", BAD, None, {}, ["converging", "rolled_back"]),
    ("a task fails after one without a way back", PARTIAL, None, {}, ["converging", "rolled_back_partial"]),
    ("a failure is kept", BAD, None, {"on_failure": "keep"}, ["converging", "failed"]),
    ("nothing was promoted yet", None, None, {}, ["starting"]),
    ("the store is not there", None, None, {}, ["starting", "stale-store"]),
]


@pytest.mark.parametrize("what,playbook,gates,config,wanted", ROWS, ids=[r[0] for r in ROWS])
def test_state(make, broker, what, playbook, gates, config, wanted):
    host = make(playbook, gates, **config)
    if "store" in what:
        (host.folder / "store").rename(host.folder / "elsewhere")
    with broker.reader(f"hf/1/dev/default/{host.name}/#") as reader, host:
        host.until(lambda: [s for s in states(reader, host) if s in wanted] == wanted, f"{wanted} come")
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
