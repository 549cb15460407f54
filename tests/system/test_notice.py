"""What the cloud says will happen to an instance: a spot interruption, a recommendation to leave; the drain hook; and the one
word for schedulers, ready, degraded or drain, in a file and in the state."""
import http.server
import os
import threading
import time

import pytest

from agent import AgentHost
from broker import Broker
from inside import imds

PLAY = "- hosts: all\n  gather_facts: false\n  tasks:\n    - copy: {{ content: one, dest: {t}/one }}\n      vars: {{ holdfast_policy: report }}\n"
ACTION = '{"action": "terminate", "time": "2026-11-21T20:00:00Z"}'
REBALANCE = '{"noticeTime": "2026-11-21T19:50:00Z"}'


class Cloud:
    """An instance metadata service whose answers change."""

    def __init__(self, life="spot"):
        self.handler = imds()
        self.handler.more = {"instance-life-cycle": life}
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.env = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{self.server.server_port}"}

    def say(self, action=None, rebalance=None):
        self.handler.more = {k: v for k, v in (("instance-life-cycle", self.handler.more["instance-life-cycle"]),
                                               ("spot/instance-action", action),
                                               ("events/recommendations/rebalance", rebalance)) if v is not None}

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def broker():
    with Broker() as one:
        yield one


@pytest.fixture
def cloud():
    one = Cloud()
    yield one
    one.close()


@pytest.fixture
def make(tmp_path, holdfast, holdfastd, broker, cloud):
    def host(promoted=True, **drain):
        h = AgentHost(tmp_path, holdfast, holdfastd, broker=broker, host=f"n{os.getpid()}-{tmp_path.name[-9:]}", env=cloud.env,
                      drain={"every": "1s", **drain})
        h.first = h.push("one", {"site.yml": PLAY.format(t=h.target)})
        if promoted:
            h.promote(h.first)
        return h

    return host


def word(host):
    path = host.folder / "run/ready"
    return path.read_text().strip() if path.exists() else None


def until_ready_is(host, wanted):
    host.wait(lambda s: s.get("readiness") == wanted and word(host) == wanted, f"readiness {wanted}")


def test_an_interruption_drains_once(make, cloud, broker):
    host = make(command="echo $HOLDFAST_NOTICE $HOLDFAST_ACTION $HOLDFAST_TIME >>{}".format("$HOOKED"))
    host.env["HOOKED"] = str(host.folder / "hooked")
    with broker.reader(f"hf/1/dev/default/{host.name}/#") as reader, host:
        host.installed("one")
        until_ready_is(host, "ready")
        assert "for jobs   ready" in host.run("status").stdout
        cloud.say(rebalance=REBALANCE)
        until_ready_is(host, "degraded")
        reader.wait(lambda m: m.topic.endswith("/alarm") and m.body["alarm"] == "rebalance-recommended")
        assert not (host.folder / "hooked").exists(), "a recommendation alone does not drain"
        cloud.say(action=ACTION, rebalance=REBALANCE)
        status = host.wait(lambda s: s.get("notice", {}).get("drain") == "done" and s["readiness"] == "drain" == word(host), "drained")
        assert (status["readiness"], status["notice"]["kind"], status["notice"]["time"]) == (
            "drain", "interruption", "2026-11-21T20:00:00Z")
        assert "notice     interruption terminate" in host.run("status").stdout
        reader.wait(lambda m: m.topic.endswith("/state") and m.body.get("readiness") == "drain")
        reader.wait(lambda m: m.topic.endswith("/alarm") and m.body["alarm"] == "spot-interruption")
        host.stop()
        host.start()  # what was obeyed is not obeyed again
        until_ready_is(host, "drain")
        assert (host.folder / "hooked").read_text() == "interruption terminate 2026-11-21T20:00:00Z\n"
        cloud.say()
        until_ready_is(host, "ready")


def test_a_hook_that_does_not_end_is_ended(make, cloud, broker):
    host = make(command="echo $$ >$HOOKED; trap '' TERM; while :; do sleep 1; done", deadline="6s", rebalance="drain")
    host.env["HOOKED"] = str(host.folder / "hooked")
    with broker.reader(f"hf/1/dev/default/{host.name}/#") as reader, host:
        host.installed("one")
        cloud.say(rebalance=REBALANCE)
        host.wait(lambda s: s.get("notice", {}).get("drain") == "timed-out", "the hook is ended")
        reader.wait(lambda m: m.topic.endswith("/alarm") and m.body["alarm"] == "drain-failed")
        until_ready_is(host, "drain")
        pid = int((host.folder / "hooked").read_text())
        host.until(lambda: not os.path.exists(f"/proc/{pid}"), "the hook's process is gone")


def test_a_hook_that_a_kill_interrupted_runs_again(make, cloud):
    host = make(command="echo began >>$HOOKED; [ $(wc -l <$HOOKED) = 2 ] || sleep 600", deadline="500s")
    host.env["HOOKED"] = str(host.folder / "hooked")
    hooked = host.folder / "hooked"
    with host:
        host.installed("one")
        cloud.say(action=ACTION)
        host.wait(lambda s: s.get("notice", {}).get("drain") == "running" and hooked.exists() and hooked.read_text() == "began\n", "the hook runs")
        host.kill()
    with host:
        host.wait(lambda s: s.get("notice", {}).get("drain") == "done", "drained after the kill")
    assert hooked.read_text() == "began\nbegan\n"


def test_an_instance_that_is_no_spot_instance_is_not_asked_again(make, cloud):
    cloud.handler.more = {"instance-life-cycle": "on-demand"}
    cloud.handler.asked.clear()
    host = make()
    with host:
        host.installed("one")
        host.until(lambda: cloud.handler.asked["/latest/meta-data/instance-life-cycle"] == 1, "the life cycle was asked for")
        time.sleep(2.5)
        assert cloud.handler.asked["/latest/meta-data/spot/instance-action"] == 0


def test_the_worst_word_counts(make):
    host = make(promoted=False)
    with host:
        assert word(host) is None, "no word before a release is on"
        host.promote(host.first)
        host.installed("one")
        until_ready_is(host, "ready")
        (host.folder / "run/ready.d/gpu").write_text("drain\n")
        until_ready_is(host, "drain")
        host.wait(lambda s: s["readiness_because"] == "ready.d/gpu")
        (host.folder / "run/ready.d/gpu").write_text("nonsense\n")
        until_ready_is(host, "degraded")
        (host.folder / "run/ready.d/gpu").unlink()
        until_ready_is(host, "ready")
        for n in range(65):  # more than are read: one of the others may say otherwise
            (host.folder / f"run/ready.d/{n}").write_text("ready\n")
        until_ready_is(host, "degraded")
        host.wait(lambda s: s["readiness_because"] == "ready.d")
        (host.folder / "run/ready.d/0").unlink()
        until_ready_is(host, "ready")
        (host.target / "one").write_text("two")  # its policy leaves it so
        until_ready_is(host, "degraded")
        host.wait(lambda s: s["readiness_because"] == "drifted")
