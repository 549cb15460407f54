"""What a host answers to those who ask it on the spot: drift as it comes, how it differs, what ran, what would; for people, and as JSON. And
what it does about names, brokers and secrets on the way out, and about changes that nothing tells of."""
import json
import mmap
import os
import shlex
import socket
import subprocess
import sys
import time

import pytest

from agent import AgentHost
from broker import Broker

PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - {{ name: kept, copy: {{ content: "right\\n", dest: {t}/kept }} }}
    - {{ name: told, copy: {{ content: "right\\n", dest: {t}/told }}, vars: {{ holdfast_policy: report }} }}
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory, holdfast, holdfastd):
    host = AgentHost(tmp_path_factory.mktemp("ask"), holdfast, holdfastd)
    host.promote(host.push("one", {"site.yml": PLAY.format(t=host.target)}))
    with host:
        host.installed("one")
        yield host


class Watch:
    """holdfast drift --watch in the background."""

    def __init__(self, host, *words):
        self.host, self.path = host, host.folder / f"watch{len(words)}"
        with open(self.path, "wb") as out:
            self.process = subprocess.Popen([host.holdfast, "drift", "--watch", *words], stdout=out, stderr=subprocess.STDOUT, env=host.env)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def text(self):
        return self.path.read_text()

    def events(self):
        return [json.loads(line) for line in self.text().split("\n")[:-1]]


def settle(host):
    (host.target / "told").write_text("right\n")
    host.wait(lambda s: s["drifted"] == 0 and s["state"] == "ok", "all is well")


def test_drift_is_printed_as_it_comes(host):
    with Watch(host) as people, Watch(host, "--json") as lines:
        host.until(lambda: people.text(), "there is something to read at once")
        for word in ("one", "two"):
            (host.target / "kept").write_text(f"by hand {word}\n")
            host.until(lambda w=word: [f"by hand {w}" in json.dumps(e) for e in lines.events() if e["action"] == "corrected"][-1:] == [True],
                       f"{word}: one object a line, with its diff")
            host.until(lambda w=word: f"- by hand {w}" in people.text(), f"{word}: people see the same")
        (host.target / "told").write_text("by hand\n")
        host.until(lambda: ("told", "reported", "external") in [(e["title"], e["action"], e["class"]) for e in lines.events()], "the other as well")
        ids = [e["id"] for e in lines.events()]
        assert ids == sorted(set(ids)), "each once, in order"
        assert people.process.poll() is None and lines.process.poll() is None, "they go on"
    settle(host)


def test_every_question_has_an_answer_for_programs(host):
    assert host.run("diff", "--json").stdout.strip() == "[]"
    (host.target / "told").write_text("by hand\n")
    host.wait(lambda s: s["drifted"] == 1)
    done = host.run("diff", "--json", check=False)
    [row] = json.loads(done.stdout)
    assert (row["title"], row["state"], done.returncode) == ("told", "drifted", 2) and "by hand" in json.dumps(row["diff"])
    drift = host.ask("drift")
    assert drift["events"][-1]["title"] == "told" and [r["title"] for r in drift["now"]] == ["told"]
    assert host.ask("history")["runs"][-1]["status"] == "ok"
    assert host.ask("explain", "told")[0]["state"] == "drifted"
    assert {t["task"]: t["plan"] for t in host.ask("plan")["tasks"]}["told"] == "change", "what a run would put right"
    settle(host)


# A name server that hears and never answers, and a resolver that is very patient with it.
SILENT = """
import os, pathlib, socket, sys
agent = os.getppid()
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 53))
s.settimeout(1)
while os.getppid() == agent:
    try:
        s.recv(4096)
        pathlib.Path(sys.argv[1]).touch()
    except TimeoutError:
        pass
"""
WRAPPER = """#!/bin/sh
exec unshare --mount --net sh -c '
ip link set lo up
mount --make-rprivate /
mount --bind {folder}/resolv.conf "$(realpath /etc/resolv.conf)"
{python} {folder}/silent.py {folder}/asked &
exec {holdfastd} "$@"' sh "$@"
"""


def test_a_silent_name_server_keeps_nothing_waiting(tmp_path, holdfast, holdfastd):
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:30 attempts:5\n")
    (tmp_path / "silent.py").write_text(SILENT)
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(WRAPPER.format(folder=tmp_path, python=shlex.quote(sys.executable), holdfastd=holdfastd))
    wrapper.chmod(0o755)
    with Broker() as broker:
        host = AgentHost(tmp_path, holdfast, str(wrapper), broker=broker)
        path = tmp_path / "holdfast.yaml"
        config = json.loads(path.read_text())
        config["mqtt"]["host"] = "broker.example"
        path.write_text(json.dumps(config))
        host.promote(host.push("one", {"site.yml": PLAY.format(t=host.target)}))
        with host:
            host.until(lambda: (tmp_path / "asked").exists(), "the name is asked for")
            host.installed("one")
            (host.target / "kept").write_text("by hand\n")
            host.until(lambda: (host.target / "kept").read_text() == "right\n", "drift is put right meanwhile")
            status = host.wait(lambda s: s["state"] == "ok")
            assert not status["mqtt"]["connected"] and status["mqtt"]["waiting"] > 0, "what there is to tell waits"
            assert os.waitpid(host.process.pid, os.WNOHANG) == (0, 0)


@pytest.mark.parametrize("sweep, how", [("sweep", "written and not closed"), ("hash_sweep", "stored into a mapped page")])
def test_what_no_event_tells_is_found_by_the_sweep(tmp_path, holdfast, holdfastd, sweep, how):
    """While a writer keeps the file open the kernel tells nothing; a store into a mapped page changes not even a time."""
    host = AgentHost(tmp_path, holdfast, holdfastd, policy="report", **{"sweep": "1h", "hash_sweep": "1h", sweep: "1s"})
    host.promote(host.push("one", {"site.yml": PLAY.format(t=host.target)}))
    with host:
        host.installed("one")
        with open(host.target / "kept", "r+b", buffering=0) as file:
            if sweep == "sweep":
                file.write(b"wrong")
            else:
                with mmap.mmap(file.fileno(), 0) as page:
                    page[:5] = b"wrong"
                    host.wait(lambda s: s["drifted"] == 1, f"what is {how} is found")
            host.wait(lambda s: s["drifted"] == 1, f"what is {how} is found")
            assert [e["title"] for e in host.ask("drift")["events"]] == ["kept"]


HIDDEN = """
- hosts: all
  gather_facts: false
  tasks:
    - {{ name: hidden, no_log: true, copy: {{ content: "a-deep-secret\\n", dest: {t}/hidden }} }}
    - {{ name: seen, copy: {{ content: "a-plain-text\\n", dest: {t}/seen }} }}
"""


def test_secrets_do_not_leave_with_a_diff(tmp_path, holdfast, holdfastd):
    with Broker() as broker:
        host = AgentHost(tmp_path, holdfast, holdfastd, broker=broker)
        host.promote(host.push("one", {"site.yml": HIDDEN.format(t=host.target)}))
        with broker.reader("hf/1/#") as reader, host:
            host.installed("one")
            for name in ("hidden", "seen"):
                (host.target / name).write_text("by hand\n")
            for name in ("hidden", "seen"):
                reader.wait(lambda m, n=name: m.topic.endswith("/drift") and m.body["title"] == n and m.body["action"] == "corrected", 60)
            everything = "".join(m.text for m in reader.messages) + host.run("drift").stdout + host.run("drift", "--json").stdout
            assert "a-plain-text" in everything and "a-deep-secret" not in everything


def test_a_broker_that_is_not_there_is_asked_ever_more_seldom(tmp_path, holdfast, holdfastd):
    with Broker() as broker, socket.create_server(("127.0.0.1", 0)) as door:
        host = AgentHost(tmp_path, holdfast, holdfastd, broker=broker)
        path = tmp_path / "holdfast.yaml"
        config = json.loads(path.read_text())
        config["mqtt"]["port"] = door.getsockname()[1]
        path.write_text(json.dumps(config))
        door.settimeout(120)
        asked = []
        with host:
            while len(asked) < 6:
                door.accept()[0].close()
                asked.append(time.monotonic())
        # 0.5 s, 1, 2, 4, 8: each between its half and its whole, by chance, so that a fleet does not come all at once.
        assert asked[-1] - asked[0] > 5, asked
