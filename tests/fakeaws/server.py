"""The server: signatures, the journal, the script (refusals, throttling, kills), and the world behind it."""
import datetime
import hashlib
import hmac
import http.server
import itertools
import os
import random
import re
import signal
import threading
import time
import traceback
import urllib.parse

from . import wire
from .wire import Refusal
from .world import World

ACCESS, SECRET = "AKIDFAKE", "fake/secret"
SKEW_SECONDS = 300
LATE_SECONDS = 0.3


def hashed(data):
    return hashlib.sha256(data).hexdigest()


def canonical_query(raw):
    pairs = [p.partition("=") for p in raw.split("&") if p]
    decoded = [(urllib.parse.unquote_plus(k), urllib.parse.unquote_plus(v)) for k, _, v in pairs]
    quoted = [(urllib.parse.quote(k, safe="-_.~"), urllib.parse.quote(v, safe="-_.~")) for k, v in decoded]
    return "&".join(f"{k}={v}" for k, v in sorted(quoted))


def signature_check(method, path, query, headers, body):
    """headers: lower-case names."""
    try:
        algorithm, _, rest = headers.get("authorization", "").partition(" ")
        parts = dict(p.strip().split("=", 1) for p in rest.split(","))
        access, day, region, service, end = parts["Credential"].split("/")
        signed, stamp = parts["SignedHeaders"].split(";"), headers["x-amz-date"]
    except (KeyError, ValueError):
        raise Refusal("MissingAuthenticationToken", "the request is not signed", 403) from None
    if algorithm != "AWS4-HMAC-SHA256" or end != "aws4_request" or access != ACCESS:
        raise Refusal("InvalidClientTokenId", "no such access key", 403)
    sent = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    if abs(time.time() - sent.timestamp()) > SKEW_SECONDS or not stamp.startswith(day):
        raise Refusal("RequestTimeTooSkewed", "the request's time is too far from ours", 403)
    must = {"host", "x-amz-date"} | {h for h in headers if h in ("x-amz-target", "x-amz-security-token", "x-amz-content-sha256")}
    if must - set(signed) or sorted(signed) != signed:
        raise Refusal("SignatureDoesNotMatch", f"not signed: {sorted(must - set(signed))}", 403)
    given = headers.get("x-amz-content-sha256", hashed(body))
    if given != hashed(body) and given != "UNSIGNED-PAYLOAD":
        raise Refusal("XAmzContentSHA256Mismatch", "the body is not what was signed")
    if service == "s3" and "x-amz-content-sha256" not in headers:
        raise Refusal("InvalidRequest", "x-amz-content-sha256 is missing")
    place = urllib.parse.quote(urllib.parse.unquote(path) if service == "s3" else path, safe="/-_.~")
    canonical = "\n".join([
        method, place, canonical_query(query), "".join(f"{h}:{' '.join(headers[h].split())}\n" for h in signed), ";".join(signed), given,
    ])
    text = "\n".join([algorithm, stamp, f"{day}/{region}/{service}/aws4_request", hashed(canonical.encode())])
    key = b"AWS4" + SECRET.encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(hmac.new(key, text.encode(), hashlib.sha256).hexdigest(), parts["Signature"]):
        raise Refusal("SignatureDoesNotMatch", f"we signed {canonical!r}", 403)


def claimed(headers):
    """The service a request says it is for; None when it does not."""
    found = re.search(r"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/", headers.get("authorization", ""))
    return wire.SERVICES.get(found[1], found[1]) if found else None


class Call:
    """A row of the journal. answer: "ok" or the code of the refusal; None while it is under way or was never carried out."""

    def __init__(self, number, service, operation, arguments):
        self.number, self.service, self.operation, self.arguments, self.answer = number, service, operation, arguments, None
        self.mutates = not operation.startswith(("Describe", "Get", "List", "Head"))

    def __repr__(self):
        return f"{self.number} {self.service}.{self.operation} {self.answer}"


class Kill:
    """Kills the client at the call number `at` of those `which` chooses.
    moment: "before" (the call never happens), "late" (it happens after the client is dead), "after" (it happened, the answer
    is lost)."""

    def __init__(self, moment, at=1, which=lambda call: call.mutates and call.service != "s3"):
        self.moment, self.left, self.which, self.hit, self.lock = moment, at, which, None, threading.Lock()

    def meets(self, call):
        with self.lock:
            if self.hit is not None or not self.which(call):
                return False
            self.left -= 1
            if self.left == 0:
                self.hit = call
            return self.left == 0


class Fake:
    def __init__(self):
        self.world, self.lock = World(), threading.RLock()
        self.journal, self.numbers = [], itertools.count(1)
        self.kill, self.victim = None, None
        self.clients = []  # what the test started: nothing of it outlives the fake
        self.busy, self.idle = 0, threading.Condition()
        self.throttled, self.random = 0.0, random.Random(8)
        self.errors = []
        self.refusals = []  # [function of a call that returns a Refusal or None]
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version, wbufsize = "HTTP/1.1", -1

            def do(self):
                fake.answer(self)

            do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_PATCH = do

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass  # a killed client resets its connections

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        for client in self.clients:
            if client.poll() is None:
                client.kill()
                client.wait()
        self.server.shutdown()
        self.server.server_close()

    def arrived(self):
        """Waits until no request is under way any more, also none of a client that is dead."""
        with self.idle:
            assert self.idle.wait_for(lambda: self.busy == 0, 120)

    # --- one request ---

    def answer(self, h):
        with self.idle:
            self.busy += 1
        try:
            self.answer_one(h)
        finally:
            with self.idle:
                self.busy -= 1
                self.idle.notify_all()

    def answer_one(self, h):
        body = h.rfile.read(int(h.headers.get("Content-Length") or 0))
        headers = {k.lower(): v.strip() for k, v in h.headers.items()}
        path, _, query = h.path.partition("?")
        number, service, call = next(self.numbers), None, None
        try:
            service = claimed(headers)
            signature_check(h.command, path, query, headers, body)
            pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
            operation, arguments = wire.request_read(service, h.command, path, pairs, headers, body)
            shape = wire.model(service).operation_model(operation).input_shape
            if shape is not None:
                wire.required_check(shape, arguments, operation)
            call = Call(number, service, operation, arguments)
            with self.lock:
                self.journal.append(call)
            reply = self.carry_out(call)
        except Refusal as r:
            if call is not None:
                call.answer = r.code
            reply = wire.refusal_write(service, r, f"req-{number}")
        except Exception:  # a mistake of the fake's own: tests look here
            self.errors.append(traceback.format_exc())
            reply = wire.refusal_write(service, Refusal("InternalFailure", "the fake failed", 500), f"req-{number}")
        if reply is None:
            h.close_connection = True
            return
        status, extra, body = reply
        try:
            h.send_response(status)
            for name, value in extra.items():
                h.send_header(name, value)
            h.send_header("Content-Length", str(len(body)))
            h.end_headers()
            if h.command != "HEAD":
                h.wfile.write(body)
        except OSError:
            h.close_connection = True

    def carry_out(self, call):
        """The answer; None when the client is dead."""
        kill = self.kill
        mine = kill is not None and kill.meets(call)
        if mine and kill.moment != "after":
            self.slay()
            if kill.moment == "before":
                return None
            time.sleep(LATE_SECONDS)
        if self.throttled and not mine and self.random.random() < self.throttled:
            raise {"ec2": Refusal("RequestLimitExceeded", "Request limit exceeded.", 503), "s3": Refusal("SlowDown", "Please reduce your request rate.", 503)
                   }.get(call.service, Refusal("ThrottlingException" if "json" in wire.protocol(call.service) else "Throttling", "Rate exceeded"))
        for rule in self.refusals:
            refusal = rule(call)
            if refusal is not None:
                raise refusal
        try:
            with self.lock:
                result = self.world.call(call.service, call.operation, call.arguments)
            call.answer = "ok"
            reply = wire.answer_write(call.service, call.operation, result, f"req-{call.number}")
        except Refusal as r:
            call.answer = r.code
            reply = wire.refusal_write(call.service, r, f"req-{call.number}")
        if mine:
            if kill.moment == "after":
                self.slay()
            return None
        return reply

    def slay(self):
        while (victim := self.victim) is None:  # its first call may be here before who started it knows
            time.sleep(0.002)
        victim.send_signal(signal.SIGKILL)
        victim.wait()

    # --- for tests ---

    def calls(self, *operations):
        return [c for c in self.journal if c.operation in operations]
