"""What a person sees when servers are slow, endless, overloaded or lie: lib/net/http through net_door."""
import itertools
import json
import subprocess
import time

import pytest

import ports
from places import BUILD
from faulty import Faulty, Raw, reply

LOOPS = pytest.mark.parametrize("loop", [(), ("loop=1",)], ids=["blocking", "loop"])


def door(*args, env=None):
    done = subprocess.run(
        [str(BUILD / "tests/system/net_door"), *args], capture_output=True, text=True, timeout=600,
        env={"PATH": "/usr/bin:/bin", "AWS_EC2_METADATA_DISABLED": "true", **(env or {})},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def get(server, *args, path="/x"):
    return door("http", "GET", server.url + path, *args)


@LOOPS
def test_answer(loop):
    with Faulty(lambda r, n: reply(200, b"hello", {"X-Thing": "  spaced "})) as s:
        got = get(s, *loop)
    assert (got["status"], got["body"], got["attempts"], got["headers"]["X-Thing"]) == (200, "hello", 1, "spaced")
    assert s.requests[0].headers["User-Agent"].startswith("holdfast/")
    assert "Content-Type" not in s.requests[0].headers


@pytest.mark.alone
@LOOPS
def test_many_in_parallel(loop):
    """Forty answers that take 50 ms each, eight at a time: well under two seconds, each its own."""
    took = []
    with Faulty(lambda r, n: (time.sleep(0.05), reply(200, r.path.encode()))[1]) as s:
        while not took or (min(took) >= 1.5 and len(took) < 8):  # the least: what other programs take is not its own
            start = time.monotonic()
            got = door("http", "GET", s.url + "/{n}", "many=40", "parallel=8", *loop)
            took.append(time.monotonic() - start)
            assert sorted(a["body"] for a in got) == sorted(f"/{n}" for n in range(40))
    assert min(took) < 1.5, took


@LOOPS
@pytest.mark.parametrize("status", [500, 502, 504, 408])
def test_tries_again(loop, status):
    with Faulty(lambda r, n: reply(status, b"broken") if n < 3 else reply(200, b"ok")) as s:
        got = get(s, *loop)
    assert (got["body"], got["attempts"]) == ("ok", 3)


@LOOPS
def test_retry_after(loop):
    with Faulty(lambda r, n: reply(503, headers={"Retry-After": "2"}) if n == 1 else reply(200, b"ok")) as s:
        got = get(s, *loop)
        waited = s.times[1] - s.times[0]
    assert got["attempts"] == 2 and 2.0 <= waited < 30


def test_retry_after_beyond_the_deadline_gives_up_at_once():
    with Faulty(lambda r, n: reply(503, headers={"Retry-After": "600"})) as s:
        got = get(s, "deadline=60000")
    assert got["status"] == 503 and got["attempts"] == 1 and got["ms"] < 30000
    assert got["code"] == "busy" and got["error"].endswith("/x: 503")


@pytest.mark.parametrize("status,code", [(400, "argument"), (403, "denied"), (404, "not-found"), (412, "conflict"), (418, "net")])
def test_final_statuses(status, code):
    with Faulty(lambda r, n: reply(status, b"no")) as s:
        got = get(s)
    assert (got["status"], got["attempts"], got["code"]) == (status, 1, code)


def test_gives_up_and_says_how_often():
    with Faulty(lambda r, n: reply(500)) as s:
        got = get(s, "attempts=3")
    assert len(s.requests) == 3
    assert got["error"] == f"after 3 attempts: GET {s.url[7:]}/x: 500"


def test_query_is_not_told():
    with Faulty(lambda r, n: reply(404)) as s:
        got = get(s, path="/x?token=secret")
    assert "secret" not in got["error"]


@LOOPS
def test_slow_answer_ends_at_the_deadline(loop):
    drip = Raw(b"HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n", *[b"x"] * 600, pause=0.2)
    with Faulty(lambda r, n: drip) as s:
        got = get(s, "deadline=1000", "attempts=1", *loop)
    assert got["code"] == "timeout" and got["ms"] < 60000, "the server would go on for two minutes"


@LOOPS
def test_silent_server_ends_at_the_deadline(loop):
    with Faulty(lambda r, n: Raw(b"", b"", pause=120)) as s:
        got = get(s, "deadline=1000", *loop)
    assert got["code"] == "timeout" and got["ms"] < 60000, "the server would be silent for four minutes"


@LOOPS
@pytest.mark.parametrize("announced", [True, False])
def test_endless_answer(loop, announced, tmp_path):
    head = b"HTTP/1.1 200 X\r\n" + (b"Content-Length: 99999999999\r\n" if announced else b"") + b"\r\n"
    with Faulty(lambda r, n: Raw(head, *itertools.repeat(b"y" * 65536, 2000))) as s:
        kept = get(s, "max=100000", *loop)
        filed = get(s, "max=100000", f"to={tmp_path}/out", *loop)
    assert kept["code"] == filed["code"] == "limit"
    assert "larger than 100000 bytes" in kept["error"] and kept["attempts"] == 1
    assert (tmp_path / "out").stat().st_size <= 100000


def test_endless_headers():
    with Faulty(lambda r, n: Raw(b"HTTP/1.1 200 X\r\n", *[b"X-%d: y\r\n" % i for i in range(5000)])) as s:
        got = get(s)
    assert got["code"] in ("limit", "net") and got["status"] in (0, 200)


@LOOPS
def test_truncated_body_is_fetched_again_into_the_same_file(loop, tmp_path):
    def script(request, number):
        return reply(200, b"half", length=8) if number == 1 else reply(200, b"complete")

    with Faulty(script) as s:
        got = get(s, f"to={tmp_path}/out", *loop)
    assert got["attempts"] == 2 and (tmp_path / "out").read_bytes() == b"complete"


def test_truncated_body_for_ever():
    with Faulty(lambda r, n: reply(200, b"half", length=8)) as s:
        got = get(s, "attempts=2")
    assert got["code"] == "net" and len(s.requests) == 2


def test_error_document_does_not_reach_the_file(tmp_path):
    with Faulty(lambda r, n: reply(404, b"<html>")) as s:
        got = get(s, f"to={tmp_path}/out")
    assert (tmp_path / "out").read_bytes() == b"" and got["body"] == "<html>"


def test_redirects_are_off():
    with Faulty(lambda r, n: reply(302, headers={"Location": "/elsewhere"})) as s:
        got = get(s)
    assert got["status"] == 302 and len(s.requests) == 1


def test_redirects_when_asked():
    with Faulty(lambda r, n: reply(302, headers={"Location": "/end"}) if r.path == "/x" else reply(200, b"there")) as s:
        got = get(s, "follow=1")
    assert got["body"] == "there" and got["url"].endswith("/end")


def test_redirect_circle():
    with Faulty(lambda r, n: reply(302, headers={"Location": "/x"})) as s:
        got = get(s, "follow=1")
    assert got["code"] == "net" and len(s.requests) <= 11


@pytest.mark.parametrize("mode,sent", [((), 5), (("unsent=1",), 1), (("once=1",), 1)])
def test_what_may_be_sent_twice(mode, sent):
    """A connection that ends without an answer: the server may have acted, so only repeatable requests go again."""
    with Faulty(lambda r, n: Raw(b"")) as s:
        got = door("http", "POST", s.url + "/x", "body=make", *mode)
    assert got["code"] == "net" and len(s.requests) == sent
    assert all(r.body == b"make" for r in s.requests)


def test_nobody_listens():
    got = door("http", "GET", f"http://127.0.0.1:{ports.free()}/", "attempts=2")
    assert got["code"] == "net" and "127.0.0.1" in got["error"] and got["attempts"] == 2


def test_unknown_host_and_scheme():
    assert door("http", "GET", "http://no-such-host.invalid/", "attempts=1")["code"] == "net"
    assert door("http", "GET", "ftp://127.0.0.1/")["code"] == "argument"
    assert door("http", "GET", "file:///etc/passwd")["code"] == "argument"


def test_proxy_only_from_the_environment():
    with Faulty(lambda r, n: reply(200, b"proxied " + r.path.encode())) as s:
        got = door("http", "GET", "http://example.invalid/y", env={"http_proxy": s.url})
    assert got["body"] == "proxied http://example.invalid/y"
