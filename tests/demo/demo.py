#!/usr/bin/env python3
"""The main job of holdfast, shown on this machine: `./run demo [--s3] [--tree]`.

Keys, a store, a broker with TLS and a scratch host are made on the spot and thrown away at the end. The host is a Debian
with its own systemd in a container where this machine allows it (root, systemd-nspawn, debootstrap), else a scratch folder.
"""
import argparse
import difflib
import json
import os
import pathlib
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
from scene import ENVIRONMENT, FLEET, HOST, Scene  # noqa: E402

BOLD, DIM, GREEN, RESET = ("\033[1m", "\033[2m", "\033[32m", "\033[0m") if sys.stdout.isatty() else ("", "", "", "")
START = time.monotonic()
STEPS = 0


def step(text):
    global STEPS
    STEPS += 1
    print(f"\n{BOLD}{STEPS}. {text}{RESET}  {DIM}[{time.monotonic() - START:.1f} s]{RESET}", flush=True)


def note(text):
    for line in str(text).rstrip("\n").splitlines():
        print(f"   {line}", flush=True)


def good(text):
    print(f"   {GREEN}✓{RESET} {text}", flush=True)


def expect(condition, text, otherwise):
    if not condition:
        print(f"   FAILED: {text}\n{otherwise}", flush=True)
        raise SystemExit(1)
    good(text)


def show_diff(diff):
    for change in diff if isinstance(diff, list) else [diff]:
        before, after = change.get("before") or "", change.get("after") or ""
        if not isinstance(before, str):
            before, after = (json.dumps(side, indent=1) for side in (before, after))
        for line in list(difflib.unified_diff(before.splitlines(), after.splitlines(), "found", "declared", n=1))[:12]:
            note(line.rstrip())


class Demo:
    def __init__(self, scene):
        self.scene, self.seen = scene, 0

    def mark(self):
        """Only messages from here on count."""
        self.seen = len(self.scene.reader.messages)

    def wait(self, kind, wanted=lambda body: True, seconds=30):
        return self.scene.reader.wait(
            lambda m: m.topic.endswith(f"/{kind}") and m.text and wanted(m.body), seconds, self.seen)

    def finished(self, release, seconds=40):
        """The report of the run that brought the host to the release."""
        return self.wait("run", lambda b: b.get("release") == release and b.get("status") not in (None, "running"), seconds)

    def show_run(self, message):
        b = message.body
        counts = ", ".join(f"{k} {b[k]}" for k in ("ok", "changed", "failed", "skipped", "recalled") if k in b)
        note(f"run report over MQTT: {b.get('status')} ({counts})")

    # --- the story --------------------------------------------------------------------------------------------------
    def first_release(self):
        step("A release manager builds, signs and pushes release 1, and promotes it to dev")
        self.folder = self.scene.release_folder("release-1")
        self.first = self.scene.push(self.folder, "release 1")
        note(f"release {self.first[:16]}… pushed to {self.scene.operator_store}")
        self.scene.promote(self.first, "first release")
        good(f"promoted to {ENVIRONMENT}/{FLEET}")

    def converge(self):
        step("The agent starts on a host that knows only the root key; nobody logs in")
        self.mark()
        self.scene.start_agent()
        report = self.finished(self.first)
        self.show_run(report)
        conf = self.scene.run(f"cat {self.scene.managed('/etc/trainer/trainer.conf')}").out
        expect("epochs = 10" in conf, "the host is at release 1", conf + self.scene.log())
        if self.scene.host is not None:
            active = self.scene.run("systemctl is-active trainer").out.strip()
            expect(active == "active", "its service runs under systemd", active)
        note(self.scene.ask("status").out)
        self.after_first = self.scene.fingerprint()

    def drift(self):
        step("Somebody edits a managed file by hand")
        path = self.scene.managed("/etc/trainer/trainer.conf")
        self.mark()
        start = time.monotonic()
        self.scene.run(f"sed -i 's/epochs = 10/epochs = 99/' {path}")
        event = self.wait("drift", lambda b: "trainer.conf" in str(b.get("diff")))
        note(f"drift event over MQTT {1000 * (event.at - start):.0f} ms after the edit began:")
        show_diff(event.body.get("diff"))
        note(f"by {event.body.get('actor')}, policy {event.body.get('policy')}, {event.body.get('action')}")
        end = time.monotonic() + 10
        while "epochs = 10" not in self.scene.run(f"cat {path}").out and time.monotonic() < end:
            time.sleep(0.02)
        expect(self.scene.fingerprint() == self.after_first, "repaired: every managed file is as it was", self.scene.log())

    def second_release(self):
        step("Release 2 changes one value; only the task it touches runs")
        second = self.scene.push(self.scene.release_folder("release-2", epochs="20"), "release 2")
        self.mark()
        self.scene.promote(second, "longer training")
        self.scene.hint()
        report = self.finished(second)
        self.show_run(report)
        changed = report.body.get("changed")
        conf = self.scene.run(f"cat {self.scene.managed('/etc/trainer/trainer.conf')}").out
        expect("epochs = 20" in conf, f"the host is at release 2, {changed} changed", conf + self.scene.log())

    def roll_back(self):
        step("Release 2 was wrong: a signed rollback, and the host is put back")
        self.mark()
        self.scene.rollback("loss diverges")
        self.scene.hint()
        self.show_run(self.finished(self.first))
        end = time.monotonic() + 10
        while self.scene.fingerprint() != self.after_first and time.monotonic() < end:
            time.sleep(0.05)
        expect(self.scene.fingerprint() == self.after_first, "byte for byte as after release 1", self.scene.log())

    def tamper(self):
        step("Somebody with access to the store changes one byte of a release's file")
        third = self.scene.push(self.scene.release_folder("release-3", epochs="30"), "release 3")
        manifest = self.scene.holdfast("release", "show", third, *self.scene.signed()[:2], "--json")

        files = json.loads(manifest)["files"]
        digest = next(f["sha256"] for f in files if f["path"].endswith("group_vars/all.yml"))
        key = f"objects/{digest[:2]}/{digest}"
        data = bytearray(self.scene.store_bytes(key))
        data[-2] ^= 1
        self.scene.store_replace(key, bytes(data))
        self.mark()
        self.scene.promote(third, "tampered")
        self.scene.hint()
        alarm = self.wait("alarm", lambda b: "hash-mismatch" in str(b))
        note(f"alarm over MQTT: {alarm.text[:200]}")
        expect(self.scene.fingerprint() == self.after_first, "refused by name; the host did not change", self.scene.log())

    def end(self):
        step("What the host remembers")
        note(self.scene.ask("history").out)
        note(self.scene.ask("drift").out)


def choose_where(tree):
    if tree:
        return "tree", "asked for"
    if os.geteuid() != 0:
        return "tree", "a container needs root"
    for program in ("debootstrap", "systemd-nspawn"):
        if shutil.which(program) is None:
            return "tree", f"{program} is not installed"
    return "host", "systemd-nspawn with its own Debian"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--s3", action="store_true", help="keep releases in a local S3 server that checks signatures")
    parser.add_argument("--tree", action="store_true", help="use a scratch folder even where a container could be had")
    args = parser.parse_args()
    where, why = choose_where(args.tree)
    step("Keys, a store, a broker with TLS and client certificates, a host")
    note(f"host: {'a Debian with real systemd in a container' if where == 'host' else 'a scratch folder'} ({why})")
    try:
        scene = Scene(where, args.s3)
        scene.__enter__()
    except Exception as error:
        if where != "host" or args.s3:
            raise
        note(f"the container cannot be had here ({str(error).splitlines()[0]}): a scratch folder instead")
        scene = Scene("tree", args.s3)
        scene.__enter__()
    try:
        note(f"store {scene.operator_store}, broker on port {scene.broker.port}, host {HOST}")
        demo = Demo(scene)
        demo.first_release()
        demo.converge()
        demo.drift()
        demo.second_release()
        demo.roll_back()
        demo.tamper()
        demo.end()
    finally:
        scene.close()
    print(f"\n{BOLD}Done in {time.monotonic() - START:.0f} s: pulled, applied, drifted, repaired, changed, rolled back, refused.{RESET}")


if __name__ == "__main__":
    main()
