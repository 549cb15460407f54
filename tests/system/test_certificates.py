"""The host's client certificate is renewed on disk: the agent that runs goes on with the new one, and the old one may be revoked."""
import pathlib
import shutil
import signal

import pytest

from agent import AgentHost
from broker import Broker

RELEASE = "- hosts: all\n  gather_facts: false\n  tasks:\n    - {{ name: one, copy: {{ content: one, dest: {t}/one }} }}\n"


@pytest.fixture
def broker():
    with Broker() as one:
        yield one


@pytest.fixture
def host(tmp_path, holdfast, holdfastd, broker):
    host = AgentHost(tmp_path, holdfast, holdfastd, broker=broker, host="renewed")
    host.promote(host.push("one", {"site.yml": RELEASE.format(t=host.target)}))
    return host


def connected(host, is_so=True):
    return host.wait(lambda s: s["mqtt"]["connected"] is is_so, "connected" if is_so else "not connected")


def renew(broker, host):
    """Another certificate in the place of the one that is there; gives a copy of the old one."""
    cert = pathlib.Path(broker.client(host.name)["cert"])
    old = shutil.copy(cert, cert.with_suffix(".old"))
    broker.authority.issue(host.name)
    assert cert.read_bytes() != pathlib.Path(old).read_bytes()
    return old


def heard(broker, host):
    """What the host tells now arrives."""
    with broker.reader(f"hf/1/dev/default/{host.name}/#") as reader:
        reader.wait(lambda m: m.topic.endswith("/link") and m.body["s"] == "on")
        (host.target / "one").write_text("by hand")
        reader.wait(lambda m: m.topic.endswith("/drift") and m.body["action"] == "corrected")


def test_a_renewed_certificate_is_used_before_the_old_one_is_revoked(host, broker):
    with host:
        host.installed("one")
        before = connected(host)
        broker.revoke(renew(broker, host))
        host.process.send_signal(signal.SIGHUP)
        host.until(lambda: "certificates were renewed" in host.log(), "the new one is noticed")
        connected(host)
        broker.stop()
        connected(host, False)
        broker.start()  # the old one is revoked from here on
        after = connected(host)
        heard(broker, host)
        assert (after["pid"], after["mqtt"]["pid"]) == (before["pid"], before["mqtt"]["pid"]), "nothing was started anew"


def test_a_revoked_certificate_is_replaced_as_soon_as_there_is_another(host, broker):
    with host:
        host.installed("one")
        before = connected(host)
        old = shutil.copy(broker.client(host.name)["cert"], host.folder / "old.crt")
        broker.stop()
        broker.revoke(old)
        broker.start()
        host.until(lambda: "certificate verify failed" in (broker.folder / "log").read_text(), "the old one is refused")
        connected(host, False)
        renew(broker, host)  # and nobody tells the agent
        after = connected(host)
        heard(broker, host)
        assert (after["pid"], after["mqtt"]["pid"]) == (before["pid"], before["mqtt"]["pid"]), "nothing was started anew"
        host.wait(lambda s: s["mqtt"]["waiting"] == 0, "what waited has arrived")
