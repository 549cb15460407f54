"""A real S3 server for tests: versitygw on loopback, which verifies signatures, hashes and conditional writes.

    with S3Server() as s3:
        s3.make_bucket("releases")
        subprocess.run([...], env={**os.environ, **s3.env()})

As a script it serves until it is interrupted and prints the environment a client needs:

    python3 tests/system/s3server.py --port 7070 --bucket releases --directory /tmp/s3

The program is looked for in HF_S3_SERVER, then in PATH, then in the cache folder; where it is absent it is built
there once with `go install` (a few minutes).
"""
import argparse
import datetime
import fcntl
import hashlib
import hmac
import http.client
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import ports

VERSION = "v1.7.0"  # 1.8 refuses the session tokens of instance roles
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "holdfast-tools" / VERSION
START_SECONDS = 120
STOP_SECONDS = 60
ANSWER_SECONDS = 120


def program():
    """Path of versitygw; builds it into the cache folder where it is missing."""
    named = os.environ.get("HF_S3_SERVER")
    if named:
        return named
    found = shutil.which("versitygw") or shutil.which("versitygw", path=str(CACHE))
    if found:
        return found
    if not shutil.which("go"):
        raise RuntimeError("versitygw is not installed and there is no go to build it; set HF_S3_SERVER")
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w") as lock:  # others may build it just now
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (CACHE / "versitygw").exists():
            subprocess.run(
                ["go", "install", f"github.com/versity/versitygw/cmd/versitygw@{VERSION}"],
                check=True,
                env={**os.environ, "GOBIN": str(CACHE)},
            )
    return str(CACHE / "versitygw")


def version(path):
    """What Go wrote into the program about itself, as numbers."""
    found = re.search(rb"github.com/versity/versitygw\tv(\d+)\.(\d+)", pathlib.Path(path).read_bytes())
    return tuple(map(int, found.groups())) if found else (0, 0)


class S3Server:
    """One server process with its own folder; `access_key` and `secret_key` are the administrator's."""

    def __init__(self, port=0, directory=None, region="us-east-1", access_key="HOLDFASTTEST", secret_key="hold-fast-secret", use=None):
        self.use = use  # another program than the usual one
        self.port = port or ports.free()
        self.region = region
        self.access_key = access_key
        self.secret_key = secret_key
        self.directory = pathlib.Path(directory) if directory else None
        self.process = None
        self._temporary = None

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def env(self):
        """What a client needs in its environment."""
        return {
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def start(self):
        if self.directory is None:
            self._temporary = tempfile.mkdtemp(prefix="hf-s3-")
            self.directory = pathlib.Path(self._temporary)
        data, versions, users = (self.directory / name for name in ("data", "versions", "users"))
        for folder in (data, versions, users):
            folder.mkdir(parents=True, exist_ok=True)
        log = open(self.directory / "server.log", "ab")
        self.process = subprocess.Popen(
            [
                self.use or program(), "--port", f"127.0.0.1:{self.port}", "--region", self.region, "--iam-dir", str(users),
                "posix", "--versioning-dir", str(versions), str(data),
            ],
            env={
                "PATH": os.environ.get("PATH", ""),
                "ROOT_ACCESS_KEY": self.access_key,
                "ROOT_SECRET_KEY": self.secret_key,
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        log.close()
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self.process.poll() is not None:
                raise RuntimeError("versitygw ended: " + (self.directory / "server.log").read_text()[-2000:])
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                if time.monotonic() > deadline:
                    self.stop()
                    raise RuntimeError(f"versitygw does not listen after {START_SECONDS} s")
                time.sleep(0.05)

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None
            self.directory = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def make_bucket(self, name):
        status, body = self.request("PUT", f"/{name}")
        if status not in (200, 409):
            raise RuntimeError(f"bucket {name}: {status} {body[:300]!r}")

    def request(self, method, path, body=b"", headers=None):
        """A signed request with nothing but the standard library; returns (status, body). path has no query."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        signed = {"host": f"127.0.0.1:{self.port}", "x-amz-content-sha256": digest, "x-amz-date": now}
        names = ";".join(sorted(signed))
        canonical = "\n".join(
            [method, path, "", *(f"{k}:{signed[k]}" for k in sorted(signed)), "", names, digest]
        )
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + self.secret_key).encode()
        for part in (now[:8], self.region, "s3", "aws4_request", text):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        authorization = (
            f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
        )
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)
        try:
            connection.request(method, path, body, {**(headers or {}), **signed, "authorization": authorization})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def main():
    parser = argparse.ArgumentParser(description="serve S3 on loopback until interrupted")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--directory", help="where objects live; a temporary folder otherwise")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--bucket", action="append", default=[], help="make this bucket (repeatable)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with S3Server(options.port, options.directory, options.region) as server:
        for bucket in options.bucket:
            server.make_bucket(bucket)
        for name, value in server.env().items():
            print(f"export {name}={value}")
        sys.stdout.flush()
        try:
            server.process.wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
