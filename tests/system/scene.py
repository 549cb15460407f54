"""Everything the main job needs, made on the spot: keys, a store, a broker, a host with the agent on it.

    with Scene() as scene:
        scene.push(folder)                      # build, sign, push: the release's hash
        scene.promote(release)
        scene.start_agent()
        scene.reader.wait(lambda m: m.topic.endswith("/run"), seconds=30)

where: "host" is a Debian host with its own systemd (tests/system/host.py); "tree" is a scratch folder of this machine, in
which the playbook's variable `root` points. s3: the store is a local S3 server that checks signatures.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from broker import Broker  # noqa: E402

TREE = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("HF_BUILD", TREE / "build"))
DEMO_RELEASE = TREE / "tests" / "demo" / "release"
ENVIRONMENT, FLEET, HOST = "dev", "demo", "gpu-1"


class SceneError(Exception):
    """A step of the scene failed; the text is what the program said."""


class Scene:
    def __init__(self, where="host", s3=False, config=None):
        self.where, self.s3 = where, s3
        self.extra_config = dict(config or {})
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hf-scene-"))
        self.folder.chmod(0o755)
        self.tree = self.folder / "tree"
        self.key = self.folder / "operator.key"
        self.broker = self.reader = self.host = self.server = self.agent = None
        self.units_there = False
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "HOLDFAST_"))}

    # --- making it ------------------------------------------------------------------------------------------------
    def __enter__(self):
        try:
            self._make()
        except BaseException:
            self.close()
            raise
        return self

    def _make(self):
        self._make_store()
        self.broker = Broker(self.folder / "broker").start()
        self.reader = self.broker.reader(f"hf/1/{ENVIRONMENT}/#")
        self.holdfast("key", "generate", str(self.key))
        self.holdfast("release", "init", *self.signed(), "--environment", ENVIRONMENT)
        if self.where == "host":
            from host import Host
            binds = {} if self.s3 else {"/store": self.folder / "store"}
            self.host = Host(network="host", binds=binds).boot()
            self.host.install(BUILD / "holdfast", "/usr/bin/holdfast")
            self.host.install(BUILD / "holdfastd", "/usr/sbin/holdfastd")
        else:
            for name in ("etc/sysctl.d", "etc/systemd/system", "usr/local/bin"):
                (self.tree / name).mkdir(parents=True)
        self._write_configuration()

    def _make_store(self):
        if not self.s3:
            (self.folder / "store").mkdir()
            self.operator_store = f"file://{self.folder / 'store'}"
            self.agent_store = "file:///store" if self.where == "host" else self.operator_store
            return
        from s3server import S3Server
        self.server = S3Server()
        self.server.start()
        self.server.make_bucket("holdfast")
        self.environment.update(self.server.env())
        self.operator_store = self.agent_store = "s3://holdfast/releases"

    def signed(self):
        return ["--store", self.operator_store, "--key", str(self.key)]

    def path(self, name):
        """Where the agent's own files lie, as the agent names them."""
        return name if self.where == "host" else str(self.folder / "agent" / name.lstrip("/"))

    def _put(self, path, data):
        data = data if isinstance(data, bytes) else data.encode()
        if self.host is not None:
            self.host.put(path, data)
        else:
            pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
            pathlib.Path(path).write_bytes(data)

    def _write_configuration(self):
        tls = self.broker.client(HOST)
        for name, source in tls.items():
            self._put(self.path(f"/etc/holdfast/tls/{name}.pem"), pathlib.Path(source).read_bytes())
        self._put(self.path("/etc/holdfast/root.json"), self.store_bytes("root/1.json"))
        rows = {"environment": ENVIRONMENT, "fleet": FLEET, "host": HOST, "store": self.agent_store, "poll": "2s",
                "splay": "0s", "policy": "correct"}
        if self.where != "host":
            rows.update(trust=self.path("/etc/holdfast/root.json"), state_dir=self.path("/var/lib/holdfast"),
                        run_dir=self.path("/run/holdfast"), user="nobody")
            for name in ("/var/lib/holdfast", "/run/holdfast"):
                os.makedirs(self.path(name), exist_ok=True)
        rows.update(self.extra_config)
        text = "".join(f"{k}: {v}\n" for k, v in rows.items())
        text += f"mqtt:\n  host: 127.0.0.1\n  port: {self.broker.port}\n"
        text += "".join(f"  {k}: {self.path(f'/etc/holdfast/tls/{k}.pem')}\n" for k in ("ca", "cert", "key"))
        self._put(self.path("/etc/holdfast/holdfast.yaml"), text)

    # --- what an operator does --------------------------------------------------------------------------------------
    def holdfast(self, *words, status=0):
        """The command on the operator's side; its standard output."""
        done = subprocess.run([str(BUILD / "holdfast"), *words], env=self.environment, capture_output=True, text=True)
        if done.returncode != status:
            raise SceneError(f"holdfast {' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def release_folder(self, name="release", **variables):
        """A copy of the demo's release; variables replace lines `  NAME: …` of its group_vars."""
        folder = self.folder / name
        shutil.copytree(DEMO_RELEASE, folder)
        path = folder / "group_vars" / "all.yml"
        lines = path.read_text().splitlines()
        if self.where != "host":
            lines.append(f"root: {self.tree}")
        for variable, value in variables.items():
            lines = [f"{line[:len(line) - len(line.lstrip())]}{variable}: {value}"
                     if line.lstrip().startswith(f"{variable}:") else line for line in lines]
        path.write_text("\n".join(lines) + "\n")
        return folder

    def push(self, folder, name="release"):
        done = self.holdfast("release", "push", str(folder), *self.signed(), "--name", name, "--json")
        return json.loads(done)["release"]

    def promote(self, release, reason="demo"):
        self.holdfast("release", "promote", release, *self.signed(), "-E", ENVIRONMENT, "-f", FLEET, "--reason", reason)

    def rollback(self, reason):
        self.holdfast("release", "rollback", *self.signed(), "-E", ENVIRONMENT, "-f", FLEET, "--reason", reason)

    def hint(self):
        """Tell the fleet to look now instead of at its next poll."""
        self.broker.publish(f"hf/1/{ENVIRONMENT}/{FLEET}/all/hint", '{"seq":0}')

    def store_bytes(self, key):
        if self.s3:
            return self.server.request("GET", f"/holdfast/releases/{key}")[1]
        return (self.folder / "store" / key).read_bytes()

    def store_replace(self, key, data):
        """What an attacker who can write to the store does."""
        if self.s3:
            self.server.request("PUT", f"/holdfast/releases/{key}", data)
        else:
            path = self.folder / "store" / key
            path.unlink()
            path.write_bytes(data)

    # --- the host -----------------------------------------------------------------------------------------------------
    def install_units(self):
        """What the package would put there; once is enough."""
        if self.units_there or self.host is None:
            return
        for unit in (TREE / "packaging" / "systemd").iterdir():
            self.host.put(f"/etc/systemd/system/{unit.name}", unit.read_text())
        if self.s3:
            self.host.put("/etc/systemd/system/holdfastd.service.d/store.conf",
                          "[Service]\n" + "".join(f"Environment={k}={v}\n" for k, v in self.server.env().items()))
        self.host.run("getent passwd holdfast || useradd --system --no-create-home holdfast; systemctl daemon-reload", check=True)
        self.units_there = True

    def start_agent(self):
        if self.host is not None:
            self.install_units()
            self.host.run("systemctl start holdfastd", check=True)
        else:
            log = open(self.folder / "agent.log", "ab")
            self.agent = subprocess.Popen([str(BUILD / "holdfastd"), "--config", self.path("/etc/holdfast/holdfast.yaml")],
                                          env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop_agent(self):
        if self.host is not None:
            self.host.run("systemctl stop holdfastd", check=True)
        elif self.agent is not None:
            self.agent.terminate()
            self.agent.wait(timeout=240)
            self.agent = None

    def run(self, command):
        """A shell command where the agent is."""
        if self.host is not None:
            return self.host.run(command)
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=self.environment)
        done.rc, done.out, done.err = done.returncode, done.stdout, done.stderr
        return done

    def ask(self, *words):
        """holdfast status, drift, history … against the agent."""
        socket_option = [] if self.host is not None else ["--socket", self.path("/run/holdfast/ctl.sock")]
        program = "holdfast" if self.host is not None else str(BUILD / "holdfast")
        return self.run(" ".join([program, *words, *socket_option]))

    def managed(self, path):
        """Where a path of the playbook really is, for commands run by run()."""
        return path if self.host is not None else str(self.tree / path.lstrip("/"))

    def log(self):
        if self.host is not None:
            return self.host.run("journalctl -u holdfastd --no-pager -o cat").out
        return (self.folder / "agent.log").read_text()

    def fingerprint(self):
        """Every managed file: path, kind, mode, owner and content."""
        places = " ".join(self.managed(p) for p in ("/etc/motd", "/etc/trainer", "/usr/local/bin/trainer",
                                                    "/etc/systemd/system/trainer.service", "/etc/sysctl.d/90-trainer.conf"))
        return self.run(f"find {places} -printf '%p %y %m %u %g\\n' 2>/dev/null | sort; "
                        f"find {places} -type f -exec sha256sum {{}} + 2>/dev/null | sort").out

    # --- the end ------------------------------------------------------------------------------------------------------
    def close(self):
        for end in (self.stop_agent if self.host is None else None, self.host and self.host.close,
                    self.reader and self.reader.close, self.broker and self.broker.close,
                    self.server and self.server.stop):
            if end:
                try:
                    end()
                except (OSError, subprocess.SubprocessError) as error:
                    print(f"scene: {error}", file=sys.stderr)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __exit__(self, *_):
        self.close()
