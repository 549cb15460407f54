"""A scratch host for tests: its own store, keys, state folder and agent process; nothing outside its folder is touched.

    host = AgentHost(tmp_path, holdfast, holdfastd, broker=broker)
    one = host.push("one", {"site.yml": PLAYBOOK})
    host.promote(one)
    with host:                                    # the agent runs
        host.wait(lambda s: s["state"] == "ok")
"""
import json
import os
import pathlib
import signal
import subprocess
import time

PATIENCE = 240


class AgentHost:
    """store, env: a store that is not a folder, and what its clients need in their environment."""

    def __init__(self, folder, holdfast, holdfastd, broker=None, host="h1", store=None, env=None, **config):
        self.folder, self.holdfast, self.holdfastd = pathlib.Path(folder), holdfast, holdfastd
        self.name, self.process, self._log = host, None, None
        self.store = store or f"file://{self.folder}/store"
        self.env = {**os.environ, **(env or {}), "HOLDFAST_SOCKET": f"{self.folder}/run/ctl.sock"}
        self.target = self.folder / "target"
        self.state = self.folder / "state"
        self.target.mkdir(parents=True, exist_ok=True)
        for key in ("root", "release", "deploy"):
            self.run("key", "generate", f"{self.folder}/{key}.key")
        self.run("release", "init", "-s", self.store, "-k", f"{self.folder}/root.key",
                 "-a", f"release={self.folder}/release.key.pub", "-a", f"deploy:dev={self.folder}/deploy.key.pub",
                 "--out", f"{self.folder}/root.json")
        self.run("release", "publish", "-s", self.store, f"{self.folder}/root.json")
        self._configure(broker, config)

    def _configure(self, broker, config):
        values = {"environment": "dev", "fleet": "default", "host": self.name, "store": self.store,
                  "trust": f"{self.folder}/root.json", "state_dir": str(self.state), "run_dir": f"{self.folder}/run",
                  "user": "nobody", "poll": "1s", "splay": "0s", "gate_deadline": "3s", "log_level": "debug"}
        values.update(config)
        if broker is not None:
            files = broker.client(self.name)
            values["mqtt"] = {"host": "127.0.0.1", "port": broker.port, "keepalive": "60s", **files}
        (self.folder / "holdfast.yaml").write_text(json.dumps(values))  # JSON is YAML

    def run(self, *words, check=True):
        done = subprocess.run([self.holdfast, *map(str, words)], capture_output=True, text=True, env=self.env)
        assert not check or done.returncode == 0, f"holdfast {' '.join(map(str, words))}: {done.stderr or done.stdout}"
        return done

    def push(self, name, files, gates=None):
        folder = self.folder / "releases" / name
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        more = []
        if gates is not None:
            (self.folder / f"{name}.gates").write_text(json.dumps(gates))
            more = ["--gates", f"{self.folder}/{name}.gates"]
        out = self.run("release", "push", "-s", self.store, "-k", f"{self.folder}/release.key", "-n", name, *more, folder)
        return out.stdout.split()[1]

    def promote(self, release):
        self.run("release", "promote", "-s", self.store, "-k", f"{self.folder}/deploy.key", "-E", "dev", release)

    def rollback(self, release, reason="it is bad"):
        self.run("release", "rollback", "-s", self.store, "-k", f"{self.folder}/deploy.key", "-E", "dev", "-r", reason,
                 "--to", release)

    def start(self):
        self._log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen([self.holdfastd, "--config", f"{self.folder}/holdfast.yaml"], stderr=self._log,
                                        stdout=self._log, env=self.env)
        try:
            self.until(lambda: self.run("status", check=False).returncode == 0, "the agent answers")
        except BaseException:
            self.kill()
            raise

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self._log.close()

    def kill(self):
        """kill -9 of the supervisor; its children go with it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)
        self._log.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def ask(self, *words):
        return json.loads(self.run(*words, "--json").stdout)

    def until(self, holds, what, seconds=PATIENCE):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if holds():
                    return
            except FileNotFoundError:
                pass  # it may come yet
            time.sleep(0.05)
        log = (self.folder / "log").read_text(errors="replace") if (self.folder / "log").exists() else ""
        raise AssertionError(f"not within {seconds} s: {what}\n{log[-4000:]}")

    def wait(self, holds, what="a state", seconds=PATIENCE):
        """Until holds(status); gives the status."""
        found = {}

        def look():
            done = self.run("status", "--json", check=False)
            found.update(status=json.loads(done.stdout) if done.returncode == 0 else None, said=done.stderr)
            return found["status"] is not None and holds(found["status"])

        try:
            self.until(look, f"{what}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{found.get('status') or found.get('said')}\n{error}") from None
        return found["status"]

    def installed(self, name):
        return self.wait(lambda s: s.get("installed", {}).get("name") == name and s.get("last_run", {}).get("status") !=
                         "running" and s["state"] not in ("converging", "gated"), f"release {name} is installed")


def tree(folder):
    """Everything below a folder that a person could compare: path → (mode, content)."""
    return {str(p.relative_to(folder)): (oct(p.lstat().st_mode), p.read_bytes() if p.is_file() else None)
            for p in sorted(pathlib.Path(folder).rglob("*"))}


def once(messages):
    """Each numbered report once: at least once is what is promised, and what a broker took may come again."""
    return list({(m.body["boot"], m.body["n"]): m for m in messages if m.text and "n" in m.body}.values())


def numbers(messages):
    """{boot: set of n} of every numbered report."""
    seen = {}
    for message in messages:
        if message.text and "n" in message.body:
            seen.setdefault(message.body["boot"], set()).add(message.body["n"])
    return seen
