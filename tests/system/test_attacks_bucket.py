"""A wholly hostile bucket behind S3's protocol: whatever it answers, nothing on the host changes, somebody is told, no answer
lasts for ever, and an honest bucket is believed again."""
import gzip
import hashlib
import os
import time
import urllib.parse

import pytest

from attacked import Attacked
from broker import Broker
from faulty import Faulty, Raw, reply

PREFIX = "/bucket/holdfast/"


class Bucket:
    """Serves a folder as S3 would, until lie is set: a function of the request that answers, or None to be honest."""

    def __init__(self, folder):
        self.folder, self.lie = folder, None

    def __call__(self, request, number):
        path = urllib.parse.unquote(request.path.split("?")[0])
        lied = self.lie(path) if self.lie else None
        if lied is not None:
            return lied
        file = self.folder / path.removeprefix(PREFIX)
        if not path.startswith(PREFIX) or not file.is_file():
            return reply(404, b"<Error><Code>NoSuchKey</Code></Error>")
        content = file.read_bytes()
        etag = f'"{hashlib.md5(content).hexdigest()}"'
        if request.headers.get("If-None-Match") == etag:
            return reply(304, headers={"ETag": etag})
        return reply(200, content, {"ETag": etag})


@pytest.fixture(scope="module")
def scene(holdfast, holdfastd, tmp_path_factory):
    with Broker() as broker:
        h = Attacked(holdfast, holdfastd, tmp_path_factory.mktemp("bucket"), broker, store_timeout="2s")
        h.bucket = Bucket(h.folder)
        with Faulty(h.bucket) as server:
            h.store = "s3://bucket/holdfast"
            h.environment = {"AWS_ENDPOINT_URL_S3": server.url, "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s",
                             "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
            h.start_agent()
            h.has(h.one)
            yield h
            h.close()


def pointer_only(answer):
    return lambda path: answer() if "/channels/" in path else None


def everything(answer):
    return lambda path: answer()


def endless():
    head = b"HTTP/1.1 200 X\r\nConnection: close\r\nContent-Length: 99999999999\r\n\r\n"
    return Raw(head, *[b"x" * 65536] * 4000)


BOMB = gzip.compress(b"0" * 50_000_000)


def bomb():
    return reply(200, BOMB, {"Content-Encoding": "gzip"})


def drip():
    """Fast enough not to be called silent, too slow to end."""
    return Raw(b"HTTP/1.1 200 X\r\nConnection: close\r\nContent-Length: 60000\r\n\r\n", *[b"{" * 100] * 600, pause=0.1)


def half():
    return reply(200, b'{"payloadType":"application/vnd.holdfast.pointer', length=4000)


UNREACHABLE = "store-unreachable"
LIES = {
    "403": (everything(lambda: reply(403, b"<Error><Code>AccessDenied</Code></Error>")), UNREACHABLE),
    "500": (everything(lambda: reply(500, b"oops")), UNREACHABLE),
    "html": (pointer_only(lambda: reply(200, b"<html>welcome to our portal</html>")), "bad-envelope"),
    "html-everywhere": (everything(lambda: reply(200, b"<html>welcome to our portal</html>")), "bad-envelope"),
    "empty": (pointer_only(lambda: reply(200, b"")), "bad-envelope"),
    "random": (pointer_only(lambda: reply(200, os.urandom(4096))), "bad-envelope"),
    "random-everywhere": (everything(lambda: reply(200, os.urandom(4096))), "bad-envelope"),
    "truncated": (everything(half), UNREACHABLE),
    "endless": (pointer_only(endless), UNREACHABLE),
    "compression-bomb": (pointer_only(bomb), "bad-envelope"),
    "slow": (pointer_only(drip), UNREACHABLE),
    "not-http": (everything(lambda: Raw(b"SSH-2.0-OpenSSH_9.2\r\n")), UNREACHABLE),
    "redirect": (everything(lambda: reply(302, b"", {"Location": "http://127.0.0.1:1/else"})), UNREACHABLE),
    "headers-without-end": (everything(lambda: Raw(b"HTTP/1.1 200 X\r\n", *[b"X-A: " + b"b" * 60000 + b"\r\n"] * 200)), UNREACHABLE),
    "304-without-asking": (pointer_only(lambda: reply(304)), None),
}


@pytest.mark.parametrize("lie,word", LIES.values(), ids=LIES)
def test_hostile_bucket(scene, lie, word):
    h = scene
    made = h.make()
    h.mark()
    h.bucket.lie = lie
    h.promote(made)
    if word == UNREACHABLE:
        for _ in range(3):
            h.look_now()
        h.until(lambda s: s.get("state") == "stale-store" and s.get("store_trouble"), "the store is called stale")
        h.alarm(word)
    elif word is not None:
        h.refuses(word)
    else:  # the newest pointer is withheld: what is installed stays, until that pointer expires
        h.look_now()
        time.sleep(0.5)
    assert h.snapshot() == h.before
    h.bucket.lie = None
    if word == UNREACHABLE:  # the look under way may still be in the liar's hands
        h.until(lambda s: not s.get("store_trouble"), "an honest answer")
    h.has(made)


def test_object_that_drips_is_given_up(scene):
    """Not only documents: a release whose object never ends is not installed, and the next one is."""
    h = scene
    made = h.make()
    h.mark()
    slow = Raw(b"HTTP/1.1 200 X\r\nConnection: close\r\nContent-Length: 14\r\n\r\n", *[b"t"] * 14, pause=0.5)
    h.bucket.lie = lambda path: slow if "/objects/" in path else None
    h.promote(made)
    h.look_now()
    h.until(lambda s: "timed out" in (s.get("store_trouble") or ""), "given up in time")
    assert h.snapshot() == h.before
    h.bucket.lie = None
    h.has(made)
