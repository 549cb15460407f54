"""A running agent whose store belongs to somebody hostile, and what must hold then: refused by name, an alarm at the broker,
nothing on the host changed, and work goes on once the store is honest again.

Roles: root alice; release carol; deploy to dev and prod two of alice, bob, dave. mallory is nobody.
"""
import atexit
import ctypes
import functools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import forge
from test_release import Team

WAIT = int(os.environ.get("HF_ATTACK_WAIT", "240"))
SIGNERS = ["--key", "alice.pem", "--key", "bob.pem"]


class Attacked(Team):
    number = 0

    def __init__(self, holdfast, holdfastd, path, broker=None, **config):
        super().__init__(holdfast, path)
        self.holdfastd, self.process, self.broker, self.reader = holdfastd, None, broker, None
        self.environment, self.config, self.store = {}, config, self.url
        self.accepted = False
        Attacked.number += 1
        self.name = f"a{os.getpid()}-{Attacked.number}"
        self.etc = path / "host"
        self.etc.mkdir()
        self.ok("key", "generate", "dave.pem")
        add = [w for e in ("dev", "prod") for n in ("alice", "bob", "dave") for w in ("--add", f"deploy:{e}={n}.pub")]
        self.ok("release", "init", "--add", "root=alice.pub", "--add", "release=carol.pub", *add, "--threshold", "deploy:dev=2",
                "--threshold", "deploy:prod=2", *config.pop("init", []))
        self.texts = 0
        shutil.copy(self.folder / "root/1.json", path / "root.json")
        self.one = self.release()

    def keys(self, *names):
        return [forge.Key(self.path / f"{n}.pem") for n in names]

    # --- what honest managers do -------------------------------------------------------------------------------------
    def make(self, text=None, gates=None):
        """A release whose playbook writes files named and filled after text; its hash."""
        self.texts += 1
        text = text or f"text{self.texts}"
        self.write("site.yml", "- hosts: all\n  gather_facts: false\n  tasks:\n"
                   f"    - copy: {{src: files/app.conf, dest: {self.etc}/app.conf}}\n"
                   f"    - copy: {{content: '{text}', dest: {self.etc}/{text}}}\n")
        self.write("files/app.conf", f"text = {text}\n")
        more = []
        if gates is not None:
            (self.path / "gates.yml").write_text(json.dumps(gates))
            more = ["--gates", "gates.yml"]
        return self.push(text, key="carol") if not more else self.ok(
            "release", "push", "tree", "--name", text, *more, key="carol")["release"]

    def promote(self, release, env="dev", fleet="web", more=()):
        self.accepted = self.accepted or (env, fleet) == ("dev", "web")
        return self.ok("release", "promote", release, "-E", env, "-f", fleet, *SIGNERS, *more)

    def release(self, **kw):
        made = self.make(**kw)
        self.promote(made)
        return made

    def next_pointer(self, release, *more):
        """Signed as it should be, and not in the store."""
        self.ok("release", "promote", release, "-E", "dev", "-f", "web", *SIGNERS, *more, "--out", "next.json")
        return (self.path / "next.json").read_bytes()

    def put_raw(self, name, data):
        """At once: an agent that looks just now finds what was there before, or all of what is new."""
        place = self.folder / name
        new = place.with_name(f".{place.name}.new")
        new.write_bytes(data)
        new.rename(place)

    def channel(self):
        return self.raw("channels/dev/web.json")

    def serve(self, pointer):
        self.put_raw("channels/dev/web.json", pointer)

    def object_of(self, release, path):
        f = next(f for f in self.ok("release", "show", release)["files"] if f["path"] == path)
        return f"objects/{f['sha256'][:2]}/{f['sha256']}"

    # --- the host ------------------------------------------------------------------------------------------------------
    def start_agent(self, wait=True):
        config = {"environment": "dev", "fleet": "web", "store": self.store, "trust": str(self.path / "root.json"), "host": self.name,
                  "state_dir": str(self.path / "state"), "run_dir": str(self.path / "run"), "user": "nobody", "poll": "1s", "splay": "0s",
                  **self.config}
        if self.broker is not None:
            config["mqtt"] = {"host": "127.0.0.1", "port": self.broker.port, "keepalive": "60s", **self.broker.client(self.name)}
            if self.reader is None:
                self.reader = self.broker.reader(f"hf/1/dev/web/{self.name}/#")
        (self.path / "agent.yaml").write_text(json.dumps(config))
        with open(self.path / "agent.log", "ab") as log:
            self.process = subprocess.Popen([self.holdfastd, "--config", self.path / "agent.yaml"], stdout=log, stderr=log,
                                            env={**os.environ, **self.environment})
        if wait:
            self.until(lambda s: s, "it answers")
        return self

    def stop_agent(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(240)
        self.process = None

    def close(self):
        self.stop_agent()
        if self.reader is not None:
            self.reader.close()

    def log(self):
        return (self.path / "agent.log").read_text(errors="replace")

    def look_now(self):
        """SIGHUP: ask the store at once."""
        self.process.send_signal(signal.SIGHUP)

    def status(self):
        done = subprocess.run([self.holdfast, "status", "--socket", str(self.path / "run/ctl.sock"), "--json"], capture_output=True,
                              text=True)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def until(self, test, what, seconds=WAIT):
        deadline = time.monotonic() + seconds
        while not self._holds(test, self.status()):
            assert self.process.poll() is None, self.log()[-3000:]
            assert time.monotonic() < deadline, f"{what}: {self.status()}\n{self.log()[-3000:]}"
            time.sleep(0.05)

    @staticmethod
    def _holds(test, status):
        """Nothing holds of an agent that does not answer, nor of a file that is not there yet."""
        try:
            return bool(status) and test(status)
        except FileNotFoundError:
            return False

    def has(self, release):
        self.look_now()
        self.until(lambda s: (s.get("installed") or {}).get("release") == release and s.get("state") == "ok" and not s.get("store_trouble"),
                   f"release {release[:12]} is installed")

    def snapshot(self):
        return {p.name: (p.read_bytes(), p.stat().st_mode, p.stat().st_mtime_ns) for p in sorted(self.etc.rglob("*"))}

    def mark(self):
        """From here on the host must stay as it is, and alarms count."""
        self.before, self.seen = self.snapshot(), len(self.reader.messages) if self.reader else 0

    def alarm(self, word, seconds=WAIT):
        message = self.reader.wait(lambda m: m.topic.endswith("/alarm") and m.body["alarm"] == word, seconds, after=self.seen)
        return message.body["message"]

    def refuses(self, word, polls=2):
        """Told by status and by an alarm; still so after another look; nothing on the host changed."""
        for _ in range(polls):
            self.look_now()
            self.until(lambda s: f"{word}: " in (s.get("store_trouble") or ""), word)
        if self.reader is not None:
            self.alarm(word)
        assert self.snapshot() == self.before

    def goes_on(self):
        """The next honest release arrives. A manager's tool counts on from the pointer it sees; where that was replaced by
        an older one, hosts know a higher number."""
        made = self.make()
        known = (self.status().get("wanted") or {}).get("seq", 0)
        while self.promote(made)["seq"] <= known:
            pass
        self.has(made)
        assert (self.etc / f"text{self.texts}").exists()


@functools.cache
def build_shim():
    """tests/system/shim.c as a library to preload into programs; made once for all tests of a process."""
    folder = tempfile.mkdtemp(prefix="hf-shim-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    source = pathlib.Path(__file__).with_name("shim.c")
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", f"{folder}/shim.so", str(source), "-ldl"], check=True)
    return f"{folder}/shim.so"


class Shim:
    """Numbers shared with preloaded programs: how far their clock is off, and after how many writes they die."""

    def __init__(self, folder):
        self.library, self.path = build_shim(), folder / "shim.numbers"
        self.path.write_bytes(bytes(ctypes.sizeof(ctypes.c_int64) * 4))

    def environment(self):
        return {"LD_PRELOAD": self.library, "HF_SHIM": str(self.path)}

    def _put(self, index, value):
        with open(self.path, "r+b") as f:
            f.seek(index * 8)
            f.write(int(value).to_bytes(8, "little", signed=True))

    def _get(self, index):
        return int.from_bytes(self.path.read_bytes()[index * 8:index * 8 + 8], "little", signed=True)

    def clock(self, seconds):
        self._put(0, seconds)

    def die_after(self, writes):
        """0: never. The agent's supervisor is killed instead of its writes-th flush or write to disk."""
        self._put(2, 0)
        self._put(1, writes)

    def writes(self):
        return self._get(2)
