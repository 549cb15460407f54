"""Addresses that exist only inside a host's network, answered from this side.

    with Doors(host) as doors:
        doors.relay(("127.0.0.1", 7070), ("127.0.0.1", s3.port))        # bytes through, both ways
        doors.serve(("169.254.169.254", 80), Handler)                   # an http.server handler
        doors.mirror(("127.0.0.1", 8000), "http://deb.debian.org/debian/")

A listening socket is made by a thread that has entered the host's network; whoever accepts stays on this side.
"""
import collections
import ctypes
import fcntl
import http.client
import http.server
import os
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import host_build

CLONE_NEWNET = 0x40000000
BLOCK = 65536
MIRROR_TRIES = 5


class Doors:
    def __init__(self, host):
        self.host, self._open = host, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for listener in self._open:
            listener.close()

    def listen(self, address):
        found = {}

        def enter():
            try:
                with open(f"/proc/{self.host.leader}/ns/net") as space:
                    if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), "setns")
                listener = socket.socket()
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(address)
                listener.listen(64)
                found["listener"] = listener
            except OSError as error:
                found["error"] = error

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        if "error" in found:
            raise found["error"]
        self._open.append(found["listener"])
        return found["listener"]

    def _accept(self, listener, use):
        def loop():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return  # closed: the test is over
                threading.Thread(target=use, args=(connection,), daemon=True).start()

        threading.Thread(target=loop, daemon=True).start()

    def relay(self, address, target):
        def pump(source, sink):
            try:
                while data := source.recv(BLOCK):
                    sink.sendall(data)
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # one side has gone; the other sees it

        def use(connection):
            try:
                other = socket.create_connection(target, 120)
            except OSError:
                connection.close()
                return
            other.settimeout(None)
            back = threading.Thread(target=pump, args=(other, connection), daemon=True)
            back.start()
            pump(connection, other)
            back.join()
            connection.close()
            other.close()

        self._accept(self.listen(address), use)

    def serve(self, address, handler):
        listener = self.listen(address)
        server = http.server.ThreadingHTTPServer(address, handler, bind_and_activate=False)
        server.socket.close()
        server.socket = listener
        server.server_name, server.server_port = address
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def mirror(self, address, source):
        """The archive this machine installs from, for apt inside."""

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                """What the network loses is asked for again, from where it was lost."""
                self.sent = -1  # nothing yet, not even the head
                for tried in range(MIRROR_TRIES):
                    time.sleep(tried)
                    try:
                        self.pass_on()
                        return
                    except urllib.error.HTTPError as error:
                        if self.sent < 0 and error.code < 500:
                            self.send_error(error.code)
                            return
                    except (OSError, http.client.HTTPException):
                        pass
                self.close_connection = True

            def pass_on(self):
                more = {"Range": f"bytes={self.sent}-"} if self.sent > 0 else {}
                request = urllib.request.Request(source.rstrip("/") + self.path, headers=more)
                with urllib.request.urlopen(request, timeout=60) as answer:
                    if self.sent < 0:
                        self.head(answer.headers)
                    elif answer.status != 206:
                        answer.read(self.sent)
                    while data := answer.read(BLOCK):
                        self.wfile.write(data)
                        self.sent += len(data)
                if self.sent < self.length:
                    raise http.client.IncompleteRead(b"", self.length - self.sent)

            def head(self, headers):
                self.send_response(200)
                for name in ("Content-Length", "Last-Modified", "Content-Type"):
                    if headers.get(name):
                        self.send_header(name, headers[name])
                self.send_header("Connection", "close")
                self.end_headers()
                self.sent, self.length = 0, int(headers.get("Content-Length") or 0)

            def log_message(self, *_):
                pass

        return self.serve(address, Handler)


def imds(instance="i-0123456789abcdef0", role="training", access="", secret="", session="session-of-the-role", down=()):
    """A handler that answers as IMDSv2 does; state is in the class: `broken` names what does not answer, `more` has what else is
    there, `asked` counts."""

    class Handler(http.server.BaseHTTPRequestHandler):
        broken = set(down)
        more = {}
        asked = collections.Counter()
        token = "AQAEAtestToken=="

        def answer(self, status, text):
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_PUT(self):
            if self.path != "/latest/api/token" or not self.headers.get("X-aws-ec2-metadata-token-ttl-seconds"):
                return self.answer(400, "")
            return self.answer(403, "") if "token" in self.broken else self.answer(200, self.token)

        def do_GET(self):
            if self.headers.get("X-aws-ec2-metadata-token") != self.token:
                return self.answer(401, "")
            prefix = "/latest/meta-data/"
            rows = {"instance-id": instance, "placement/region": "us-east-1", "iam/security-credentials/": role,
                    f"iam/security-credentials/{role}":
                        '{\n  "Code" : "Success",\n  "Type" : "AWS-HMAC",\n'
                        f'  "AccessKeyId" : "{access}",\n  "SecretAccessKey" : "{secret}",\n  "Token" : "{session}",\n'
                        '  "Expiration" : "2099-01-01T00:00:00Z",\n  "LastUpdated" : "2026-01-01T00:00:00Z"\n}'}
            rows.update(self.more)
            self.asked[self.path] += 1
            name = self.path[len(prefix):] if self.path.startswith(prefix) else None
            if name not in rows or any(name.startswith(b) for b in self.broken):
                return self.answer(404, "")
            return self.answer(200, rows[name])

        def log_message(self, *_):
            pass

    return Handler


def address_add(host, address):
    """An address of the host's loopback."""
    subprocess.run(["nsenter", "-t", str(host.leader), "-n", "ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)


def deb(build_script):
    """The .deb of this tree with the hosts' programs: made once, and anew when either has changed. HF_DEB names another one."""
    if os.environ.get("HF_DEB"):
        return os.environ["HF_DEB"]
    folder = host_build.programs() / "packages"
    folder.mkdir(parents=True, exist_ok=True)
    tree = build_script.parent.parent.parent
    sources = [p for part in ("packaging", "playbooks", "docs") for p in (tree / part).rglob("*") if p.is_file()]
    newest = max(map(os.path.getmtime, [*sources, folder.parent / "holdfast", folder.parent / "holdfastd"]))
    commit = subprocess.run(["git", "-C", str(tree), "log", "-1", "--format=%H"], capture_output=True, text=True, check=True).stdout
    with open(folder / "commit", "a+") as lock:  # test files run side by side: one builds, the others wait
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = sorted(folder.glob("holdfast_*.deb"), key=os.path.getmtime)
        lock.seek(0)
        if made and os.path.getmtime(made[-1]) > newest and lock.read() == commit:
            return str(made[-1])
        done = host_build.run([build_script, folder], capture_output=True, text=True, env={"HF_PACKAGE_FROM": str(folder.parent)})
        if done.returncode != 0:
            raise RuntimeError(f"the .deb cannot be built:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        lock.truncate(0)
        lock.write(commit)
        return str(max(folder.glob("holdfast_*.deb"), key=os.path.getmtime))
