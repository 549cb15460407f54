"""The agent's story on a scratch host: release, drift, repair, change, failure, rollback, pause; read by mosquitto_sub."""
import os
import re
import time

import pytest

from agent import PATIENCE, AgentHost, numbers, once, tree
from broker import Broker

ONE = """
- hosts: all
  gather_facts: false
  vars: {{ greeting: one }}
  tasks:
    - name: greeting
      copy: {{ content: "hello {{{{ greeting }}}}\\n", dest: {t}/greeting, mode: "0640" }}
    - name: settings
      template: {{ src: settings.j2, dest: {t}/settings }}
      notify: reread
    - name: folder
      file: {{ path: {t}/folder, state: directory, mode: "0750" }}
    - name: watched only
      copy: {{ content: "kept by a person\\n", dest: {t}/watched }}
      vars: {{ holdfast_policy: report }}
    - name: counted
      shell: echo ran >> {t}/../ran
  handlers:
    - name: reread
      shell: echo reread >> {t}/../handled
"""


def release(host, name, text=ONE, gates=None, **more):
    return host.push(name, {"site.yml": text.format(t=host.target), "templates/settings.j2": "port=80\n", **more}, gates)


@pytest.fixture(scope="module")
def broker():
    with Broker() as one:
        yield one


@pytest.fixture
def host(tmp_path, holdfast, holdfastd, broker):
    return AgentHost(tmp_path, holdfast, holdfastd, broker=broker, host=f"h{os.getpid()}-{tmp_path.name[-12:]}")


def topic(host, leaf):
    return lambda m: m.topic == f"hf/1/dev/default/{host.name}/{leaf}"


def test_release_is_applied_and_reported(host, broker):
    with broker.reader(f"hf/1/dev/default/{host.name}/#") as reader:
        host.promote(release(host, "one"))
        with host:
            host.installed("one")
            assert (host.target / "greeting").read_text() == "hello one\n"
            assert (host.target / "greeting").stat().st_mode & 0o777 == 0o640
            assert (host.folder / "handled").read_text() == "reread\n"
            run = reader.wait(topic(host, "run")).body
            assert (run["cause"], run["status"], run["failed"]) == ("release", "ok", 0)
            state = reader.wait(lambda m: topic(host, "state")(m) and m.body["state"] == "ok").body
            took = state["ready_in"]
            phases = [took[k] for k in ("fetch_ms", "verify_ms", "apply_ms", "gates_ms")]
            assert min(phases) >= 0 and 0 < sum(phases) <= took["total_ms"]
            assert (run["fetch_ms"], run["verify_ms"]) == (took["fetch_ms"], took["verify_ms"])
            assert f"ready in   {took['total_ms'] / 1000:.1f} s" in host.run("status").stdout
            assert reader.wait(topic(host, "link")).body["s"] == "on"
        reader.wait(lambda m: topic(host, "link")(m) and m.body["s"] == "bye")


def test_a_killed_agent_is_off_by_its_will(host, broker):
    with broker.reader(f"hf/1/dev/default/{host.name}/#") as reader:
        with host:
            reader.wait(lambda m: topic(host, "link")(m) and m.body["s"] == "on")
            host.kill()
        reader.wait(lambda m: topic(host, "link")(m) and m.body["s"] == "off")


def test_drift_is_seen_repaired_and_named(host, broker):
    host.promote(release(host, "one"))
    with broker.reader(f"hf/1/dev/default/{host.name}/#") as reader, host:
        host.installed("one")
        (host.target / "greeting").write_text("edited\n")
        event = reader.wait(lambda m: topic(host, "drift")(m) and m.body["action"] != "correcting").body
        assert (event["title"], event["class"], event["action"]) == ("greeting", "corrective", "corrected")
        assert f"pid {os.getpid()} " in event["actor"]
        assert "edited" in str(event["diff"]) and "hello one" in str(event["diff"])
        host.until(lambda: (host.target / "greeting").read_text() == "hello one\n", "the file is put right")


@pytest.mark.parametrize("title, mutate, right", [
    ("renamed over", lambda t: ((t / "new").write_text("x"), (t / "new").rename(t / "greeting")),
     lambda t: (t / "greeting").read_text() == "hello one\n"),
    ("deleted", lambda t: (t / "greeting").unlink(), lambda t: (t / "greeting").exists()),
    ("mode", lambda t: (t / "greeting").chmod(0o777), lambda t: (t / "greeting").stat().st_mode & 0o777 == 0o640),
    ("folder removed", lambda t: (t / "folder").rmdir(), lambda t: (t / "folder").is_dir()),
    ("parent moved away", lambda t: (t.rename(t.parent / "away"), t.mkdir()),
     lambda t: (t / "greeting").exists() and (t / "folder").is_dir()),
    ("hard link elsewhere", lambda t: (os.link(t / "greeting", t.parent / "other"), (t.parent / "other").write_text("x")),
     lambda t: (t / "greeting").read_text() == "hello one\n"),
], ids=lambda v: v if isinstance(v, str) else "")
def test_every_kind_of_change_to_a_file_is_repaired(tmp_path, holdfast, holdfastd, title, mutate, right):
    host = AgentHost(tmp_path, holdfast, holdfastd)
    host.promote(release(host, "one"))
    with host:
        host.installed("one")
        mutate(host.target)
        host.until(lambda: right(host.target), title)


def test_report_policy_reports_once_and_notices_the_way_back(host, broker):
    host.promote(release(host, "one"))
    with broker.reader(f"hf/1/dev/default/{host.name}/drift") as reader, host:
        host.installed("one")
        (host.target / "watched").write_text("by me\n")
        event = reader.wait(topic(host, "drift")).body
        assert (event["class"], event["action"]) == ("external", "reported")
        host.wait(lambda s: s["state"] == "drifted")
        assert (host.target / "watched").read_text() == "by me\n"
        assert host.run("diff", check=False).returncode == 2
        (host.target / "watched").write_text("kept by a person\n")
        reader.wait(lambda m: m.body["action"] == "resolved")
        host.wait(lambda s: s["state"] == "ok")
        time.sleep(0.5)
        assert [m.body["action"] for m in once(reader.messages)] == ["reported", "resolved"]


def test_own_work_is_no_drift(host, broker):
    with broker.reader(f"hf/1/dev/default/{host.name}/drift") as reader:
        host.promote(release(host, "one"))
        with host:
            host.installed("one")
            host.promote(release(host, "two", ONE.replace("greeting: one", "greeting: two")))
            host.installed("two")
            time.sleep(1)
        assert reader.messages == []


def test_idle_memory_is_given_back(tmp_path, holdfast, holdfastd):
    """Code that was needed for a while is not kept for the idle hours, and the agent goes on as before."""
    host = AgentHost(tmp_path, holdfast, holdfastd, poll="1h")

    def code():
        text = open(f"/proc/{host.process.pid}/status").read()
        return int(re.search(r"^RssFile:\s+(\d+) kB", text, re.M)[1])

    host.promote(release(host, "one"))
    with host:
        host.installed("one")
        for _ in range(2):
            most = 0
            for _ in range(10):
                host.ask("history")
                most = max(most, code())
            host.until(lambda: code() < most - 512, f"less than {most} KB")
            (host.target / "greeting").write_text("drift\n")
            host.until(lambda: (host.target / "greeting").read_text() == "hello one\n", "it is repaired")


def test_only_what_changed_is_run_again(host):
    host.promote(release(host, "one"))
    with host:
        host.installed("one")
        host.promote(release(host, "two", ONE.replace("greeting: one", "greeting: two")))
        status = host.installed("two")
        assert (host.target / "greeting").read_text() == "hello two\n"
        assert (host.folder / "ran").read_text() == "ran\n", "the command was run again"
        assert (host.folder / "handled").read_text() == "reread\n", "a handler ran without cause"
        assert (status["last_run"]["changed"], status["last_run"]["recalled"]) == (1, 4)


def test_rollback_puts_the_host_back_byte_for_byte(host, broker):
    one = release(host, "one")
    host.promote(one)
    with broker.reader(f"hf/1/dev/default/{host.name}/#") as reader, host:
        host.installed("one")
        before = tree(host.target)
        text = ONE.replace("greeting: one", "greeting: two") + "" .join(
            f"\n    - name: more\n      shell: echo {n}" for n in ())
        text = text.replace("    - name: counted", '    - name: only two\n'
                            '      copy: {{ content: "2\\n", dest: {t}/only-two }}\n    - name: counted')
        host.promote(release(host, "two", text))
        host.installed("two")
        assert (host.target / "only-two").exists()
        host.rollback(one)
        status = host.wait(lambda s: s.get("installed", {}).get("name") == "one" and s["state"].startswith("rolled_back"))
        assert tree(host.target) == before
        assert status["last_run"]["cause"] == "rollback"
        reader.wait(lambda m: topic(host, "run")(m) and m.body["cause"] == "rollback")


@pytest.mark.parametrize("what, gates, extra", [
    ("a task fails", None, '    - name: bad\n      command: /bin/false\n'),
    ("a gate is missed", [{"name": "never", "file": "/nonexistent/file"}], ""),
], ids=["task", "gate"])
def test_a_failed_release_leaves_the_host_as_it_was(host, broker, what, gates, extra):
    host.promote(release(host, "one"))
    with broker.reader(f"hf/1/dev/default/{host.name}/#") as reader, host:
        host.installed("one")
        before = tree(host.target)
        text = ONE.replace("greeting: one", "greeting: bad").replace("  handlers:", extra + "  handlers:").replace(
            "    - name: counted\n      shell: echo ran >> {t}/../ran\n", "")
        bad = release(host, "bad", text, gates)
        host.promote(bad)
        alarm = reader.wait(topic(host, "alarm")).body
        assert alarm["alarm"] == "release-failed"
        # The command that failed may have done something: that has no way back.
        wanted = {"a task fails": ("rolled_back_partial", "rolled_back_partial"), "a gate is missed": ("quarantined", "rolled_back")}
        host.wait(lambda s: (s["state"], s["last_run"]["status"]) == wanted[what], what)
        assert tree(host.target) == before
        assert host.ask("history")["quarantine"][0]["release"] == bad
        time.sleep(2.5)
        assert sum(1 for r in host.ask("history")["runs"] if r["name"] == "bad") == 1, "it was tried again"


def test_local_rollback_stays_until_the_channel_rises(host):
    host.promote(release(host, "one"))
    with host:
        host.installed("one")
        two = ONE.replace("greeting: one", "greeting: two").replace(
            "    - name: counted\n      shell: echo ran >> {t}/../ran\n", "")
        host.promote(release(host, "two", two))
        host.installed("two")
        host.run("rollback", "--reason", "trial", check=False)
        host.wait(lambda s: s["installed"]["name"] == "one" and s["state"] == "quarantined")
        assert (host.target / "greeting").read_text() == "hello one\n"
        time.sleep(2.5)
        assert host.ask("status")["installed"]["name"] == "one"
        host.promote(release(host, "three", two.replace("greeting: two", "greeting: three")))
        host.installed("three")


def test_a_tampered_object_is_refused_by_name(host, broker):
    host.promote(release(host, "one"))
    with broker.reader(f"hf/1/dev/default/{host.name}/alarm") as reader, host:
        host.installed("one")
        two = release(host, "two", ONE.replace("greeting: one", "greeting: two"))
        for path in (host.folder / "store/objects").rglob("*"):
            if path.is_file() and b"greeting: two" in path.read_bytes():
                path.write_bytes(path.read_bytes().replace(b"greeting: two", b"greeting: TWO"))
        host.promote(two)
        assert reader.wait(topic(host, "alarm")).body["alarm"] == "hash-mismatch"
        assert (host.target / "greeting").read_text() == "hello one\n"


def test_pause_holds_corrections_back(host):
    host.promote(release(host, "one"))
    with host:
        host.installed("one")
        host.run("pause", "--for", "1h", "--reason", "looking at it")
        host.wait(lambda s: s["state"] == "paused", "it is paused")
        (host.target / "greeting").write_text("by hand\n")
        host.wait(lambda s: s["drifted"] == 1)
        assert (host.target / "greeting").read_text() == "by hand\n"
        host.run("resume")
        host.until(lambda: (host.target / "greeting").read_text() == "hello one\n", "the held-back correction")


def test_a_fight_over_a_file_ends_in_one_alarm(host, broker):
    host.promote(release(host, "one"))
    with broker.reader(f"hf/1/dev/default/{host.name}/#") as reader, host:
        host.installed("one")
        after, end = 0, time.monotonic() + PATIENCE
        while after < 15:  # writes that nobody puts right any more
            assert time.monotonic() < end, host.log()[-4000:]
            (host.target / "greeting").write_text(f"mine {after}\n")
            time.sleep(0.1)
            after += host.ask("status")["state"] == "contended"

        def told():
            corrected = [m for m in reader.messages if topic(host, "drift")(m) and m.body["action"] == "corrected"]
            alarms = [m for m in reader.messages if topic(host, "alarm")(m) and m.body["alarm"] == "contended"]
            return len(once(corrected)), len(once(alarms))

        host.until(lambda: told() >= (5, 1), "five corrections and the alarm")
        time.sleep(0.5)
        assert told() == (5, 1)
        assert host.ask("status")["state"] == "contended"


def test_reports_have_no_gaps(host, broker):
    with broker.reader(f"hf/1/dev/default/{host.name}/#") as reader:
        host.promote(release(host, "one"))
        with host:
            host.installed("one")
            for n in range(5):
                (host.target / "greeting").write_text(f"{n}\n")
                host.until(lambda: (host.target / "greeting").read_text() == "hello one\n", "a repair")
                time.sleep(0.1)
            host.wait(lambda s: s["mqtt"]["waiting"] == 0, "the spool is empty")
            last = host.ask("status")["mqtt"]["last"]
            host.until(lambda: set(range(1, last + 1)) <= set().union(*numbers(reader.messages).values()), f"every number to {last}")
        assert len(numbers(reader.messages)) == 1
