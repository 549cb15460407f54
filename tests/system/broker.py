"""A real mosquitto for tests, with TLS and client certificates made on the spot, and a reader that is not ours.

    with Broker() as broker:                      # or Broker(host=host): inside that host's network
        broker.client("gpu-1")                    # {"ca": …, "cert": …, "key": …}: paths of its files
        with broker.reader("hf/1/#") as reader:   # mosquitto_sub
            message = reader.wait(lambda m: m.topic.endswith("/state"))
        broker.kill(); broker.start()             # away and back on the same port
"""
import collections
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time

import ports

START_SECONDS = 120
PATIENCE = 240
READY = "hf-test/ready"  # retained: who gets it is subscribed
Message = collections.namedtuple("Message", "topic text at")
Message.body = property(lambda m: json.loads(m.text) if m.text else {})


def _openssl(*words, cwd):
    subprocess.run(["openssl", *words], cwd=cwd, check=True, capture_output=True)


class Authority:
    """A certificate authority in a folder, and the certificates it signs."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                 "-subj", "/CN=holdfast test authority", "-keyout", "ca.key", "-out", "ca.crt", cwd=self.folder)

    def issue(self, name, days=30, alternative=""):
        """Makes NAME.crt and NAME.key; alternative: subjectAltName."""
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                 f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr", cwd=self.folder)
        extensions = []
        if alternative:
            (self.folder / f"{name}.ext").write_text(f"subjectAltName={alternative}\n")
            extensions = ["-extfile", f"{name}.ext"]
        _openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days",
                 str(days), "-out", f"{name}.crt", *extensions, cwd=self.folder)
        for suffix in (".crt", ".key"):
            (self.folder / f"{name}{suffix}").chmod(0o644)
        return {"ca": str(self.folder / "ca.crt"), "cert": str(self.folder / f"{name}.crt"),
                "key": str(self.folder / f"{name}.key")}

    def revoke(self, cert):
        """A list of all that was revoked, with this certificate on it."""
        config, ca = self.folder / "ca.cnf", ["-cert", "ca.crt", "-keyfile", "ca.key"]
        if not config.exists():
            config.write_text("[ca]\ndefault_ca = d\n[d]\ndatabase = index.txt\ndefault_md = sha256\ndefault_crl_days = 30\n")
            (self.folder / "index.txt").touch()
        _openssl("ca", "-config", "ca.cnf", "-revoke", str(cert), *ca, cwd=self.folder)
        _openssl("ca", "-config", "ca.cnf", "-gencrl", "-out", "revoked.pem", *ca, cwd=self.folder)
        return self.folder / "revoked.pem"


class Reader:
    """mosquitto_sub in the background; what it got is in messages. Whoever has one misses nothing from then on."""

    def __init__(self, argv):
        self.messages, self._news = [], threading.Condition()
        self._said, self._subscribed = collections.deque(maxlen=20), False
        self._process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self._await_subscription()

    def _await_subscription(self):
        end = time.monotonic() + START_SECONDS
        with self._news:
            while not self._subscribed and time.monotonic() < end and self._process.poll() is None:
                self._news.wait(0.2)
        if not self._subscribed:
            self.close()
            raise RuntimeError(f"mosquitto_sub is not subscribed: {''.join(self._said)}")

    def _read(self):
        for line in self._process.stdout:
            with self._news:
                if not line.startswith("{"):
                    self._said.append(line)
                    continue
                row = json.loads(line)
                if row["topic"] == READY:
                    self._subscribed = True
                else:
                    self.messages.append(Message(row["topic"], row["payload"], time.monotonic()))
                self._news.notify_all()

    def wait(self, wanted, seconds=PATIENCE, after=0):
        """The first message from number `after` on for which wanted(message) holds; AssertionError when none comes."""
        end = time.monotonic() + seconds
        with self._news:
            while True:
                for message in self.messages[after:]:
                    if wanted(message):
                        return message
                left = end - time.monotonic()
                if left <= 0:
                    seen = "\n".join(f"  {m.topic} {m.text[:300]}" for m in self.messages[after:][-20:])
                    raise AssertionError(f"no such message within {seconds} s; the last ones:\n{seen or '  none'}")
                self._news.wait(left)

    def close(self):
        self._process.terminate()
        self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Broker:
    """host: a tests/system/host.py Host in whose network it listens on loopback; None: this machine's loopback."""

    def __init__(self, folder=None, host=None, port=None):
        self._own = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="hf-broker-"))
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o755)
        self.host, self.port = host, port or ports.free()
        self.authority = Authority(self.folder / "tls")
        self._server = self.authority.issue("localhost", alternative="DNS:localhost,IP:127.0.0.1")
        self._process = None
        (self.folder / "data").mkdir(exist_ok=True)
        self._write_config()

    def revoke(self, cert):
        """Takes certificates no more that are like this one; for connections from its next start on."""
        self._write_config(f"crlfile {self.authority.revoke(cert)}\n")

    def _write_config(self, more=""):
        text = f"""listener {self.port} 127.0.0.1
cafile {self._server['ca']}
certfile {self._server['cert']}
keyfile {self._server['key']}
require_certificate true
use_identity_as_username true
tls_version tlsv1.2
allow_anonymous false
persistence true
persistence_location {self.folder / 'data'}/
autosave_on_changes true
autosave_interval 1
max_queued_messages 100000
user root
"""
        (self.folder / "mosquitto.conf").write_text(text + more)

    def _inside(self, argv):
        """In the host's network, with this machine's files."""
        return argv if self.host is None else ["nsenter", "-t", str(self.host.leader), "-n", "--", *argv]

    def start(self):
        """Where it runs already, nothing."""
        if self._process is not None and self._process.poll() is None:
            return self
        log = open(self.folder / "log", "ab")
        program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
        if program is None:
            raise RuntimeError("mosquitto is not installed")
        self._process = subprocess.Popen(self._inside([program, "-c", str(self.folder / "mosquitto.conf")]),
                                         stdout=log, stderr=log)
        log.close()
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise RuntimeError(f"mosquitto did not start:\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.02)
        self.publish(READY, "{}", "-r")
        return self

    def _answers(self):
        probe = ["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{self.port}"]
        return subprocess.run(self._inside(probe), capture_output=True).returncode == 0

    def stop(self):
        """In order: what it took is on disk."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def kill(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def client(self, name):
        """Certificate files of a client; made once."""
        if not (self.authority.folder / f"{name}.crt").exists():
            self.authority.issue(name)
        return {"ca": str(self.authority.folder / "ca.crt"), "cert": str(self.authority.folder / f"{name}.crt"),
                "key": str(self.authority.folder / f"{name}.key")}

    def _tls(self, name):
        c = self.client(name)
        return ["-h", "127.0.0.1", "-p", str(self.port), "--cafile", c["ca"], "--cert", c["cert"], "--key", c["key"]]

    def reader(self, *topics, name="reader", durable=False):
        """durable: gets what came while the broker was away and was told before this reader was back."""
        argv = ["mosquitto_sub", *self._tls(name), "-V", "mqttv5", "-q", "1", "-F", "%j"]
        if durable:
            argv += ["-c", "-x", "3600", "-i", f"{name}-{time.monotonic_ns()}"]
        for topic in (*(topics or ("hf/1/#",)), READY):
            argv += ["-t", topic]
        return Reader(self._inside(argv))

    def publish(self, topic, text, *more, name="operator"):
        subprocess.run(self._inside(["mosquitto_pub", *self._tls(name), "-q", "1", *more, "-t", topic, "-m", text]), check=True)

    def close(self):
        self.stop()
        if self._own:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()
