"""The demo's story as assertions: a signed release reaches a host with real systemd, is applied, drift is seen, reported and
repaired, a second release runs only what changed, a rollback puts the host back, a tampered object is refused.

The reader of every report is mosquitto_sub; the S3 server checks signatures.
"""
import json
import time

import pytest

from scene import ENVIRONMENT, FLEET, HOST, Scene

CONF, MOTD = "/etc/trainer/trainer.conf", "/etc/motd"


class Story:
    """A scene with a host at release 1."""

    def __init__(self, scene):
        self.scene, self.seen = scene, 0
        self.first = scene.push(scene.release_folder("release-1"), "release 1")
        scene.promote(self.first)
        self.mark()
        scene.start_agent()
        self.report = self.run_of(self.first)

    def mark(self):
        self.seen = len(self.scene.reader.messages)

    def wait(self, kind, wanted=lambda body: True, seconds=180):
        return self.scene.reader.wait(
            lambda m: m.topic.endswith(f"/{kind}") and m.text and wanted(m.body), seconds, self.seen).body

    def run_of(self, release, seconds=240):
        return self.wait("run", lambda b: b["release"] == release, seconds)

    def read(self, path):
        return self.scene.run(f"cat {self.scene.managed(path)}").out

    def settles(self, wanted, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if wanted():
                return True
            time.sleep(0.05)
        return False


@pytest.fixture(scope="module", params=["file", "s3"])
def story(request):
    with Scene("host", s3=request.param == "s3") as scene:
        yield Story(scene)


def test_first_release_is_applied_and_reported(story):
    assert story.report["status"] == "ok" and story.report["failed"] == 0, story.scene.log()
    assert "epochs = 10" in story.read(CONF)
    assert story.scene.run("systemctl is-active trainer").out.strip() == "active"

    def installed():
        status = json.loads(story.scene.ask("status", "--json").out)
        return status["state"] == "ok" and status["installed"]["release"] == story.first

    assert story.settles(installed), story.scene.ask("status").out


def test_host_has_no_python(story):
    assert story.scene.run("command -v python3 python").rc != 0


def test_topics_are_the_documented_ones(story):
    base = f"hf/1/{ENVIRONMENT}/{FLEET}/{HOST}/"

    def kinds():
        return {m.topic.removeprefix(base) for m in story.scene.reader.messages}

    assert story.settles(lambda: {"link", "state", "run"} <= kinds()) and kinds() <= {"link", "state", "run", "drift", "alarm"}


def test_net_role_has_no_rights(story):
    pid = story.scene.run("pgrep -u holdfast holdfastd").out.split()[0]
    status = story.scene.run(f"cat /proc/{pid}/status").out
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert int(fields["CapEff"], 16) == 0 and fields["NoNewPrivs"] == "1" and fields["Seccomp"] == "2"


@pytest.mark.parametrize("change", [
    ("edited", f"sed -i 's/epochs = 10/epochs = 99/' {CONF}", "trainer.conf"),
    ("renamed over", f"cp {MOTD} /etc/motd.new && echo x >>/etc/motd.new && mv /etc/motd.new {MOTD}", "motd"),
    ("mode changed", f"chmod 0666 {CONF}", "trainer.conf"),
    ("deleted", f"rm {MOTD}", "motd"),
], ids=lambda c: c[0])
def test_drift_is_reported_with_a_diff_and_repaired(story, change):
    _, command, name = change
    before = story.scene.fingerprint()
    story.mark()
    story.scene.run(command)
    event = story.wait("drift", lambda b: b["action"] != "correcting" and name in json.dumps(b.get("diff")))
    assert event["action"] == "corrected" and event["diff"]
    assert story.settles(lambda: story.scene.fingerprint() == before), story.scene.log()


def test_second_release_runs_only_what_changed_and_rollback_puts_back(story):
    before = story.scene.fingerprint()
    second = story.scene.push(story.scene.release_folder("release-2", epochs="20"), "release 2")
    story.mark()
    story.scene.promote(second)
    story.scene.hint()
    report = story.run_of(second)
    assert report["status"] == "ok" and report["recalled"] >= 5 and 1 <= report["changed"] <= 2, report
    assert "epochs = 20" in story.read(CONF)
    story.mark()
    story.scene.rollback("loss diverges")
    story.scene.hint()
    report = story.run_of(story.first)
    assert report["status"] == "rolled_back", report
    assert story.settles(lambda: story.scene.fingerprint() == before), story.scene.log()


def test_tampered_object_is_refused_by_name(story):
    before = story.scene.fingerprint()
    third = story.scene.push(story.scene.release_folder("release-3", epochs="30"), "release 3")
    shown = json.loads(story.scene.holdfast("release", "show", third, *story.scene.signed()[:2], "--json"))
    digest = next(f["sha256"] for f in shown["files"] if f["path"].endswith("group_vars/all.yml"))
    key = f"objects/{digest[:2]}/{digest}"
    data = bytearray(story.scene.store_bytes(key))
    data[-2] ^= 1
    story.scene.store_replace(key, bytes(data))
    story.mark()
    story.scene.promote(third)
    story.scene.hint()
    assert story.wait("alarm", lambda b: b["alarm"] == "hash-mismatch")
    assert story.scene.fingerprint() == before
    status = json.loads(story.scene.ask("status", "--json").out)
    assert status["installed"]["release"] == story.first


def test_reports_have_no_gaps(story):
    def gaps():
        numbers = {}
        for m in story.scene.reader.messages[:]:
            if m.text and "n" in m.body:
                numbers.setdefault(m.body["boot"], set()).add(m.body["n"])
        return {boot: missing for boot, seen in numbers.items() if (missing := set(range(min(seen), max(seen) + 1)) - seen)}

    time.sleep(1)
    assert story.settles(lambda: not gaps()), gaps()
