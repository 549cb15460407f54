"""Objects and stores in S3, against a server that checks signatures, and against a scripted one for what it never does."""
import json
import os
import pathlib
import re
import subprocess
import time

import pytest

from places import BUILD
from faulty import Faulty, Raw, reply
from s3server import S3Server

KEYS = ["plain", "a/b/c", "with space", "plus+plus", "ä/漢字", "per%cent", "q?mark&x=y#z", "tilde~-._", "'quote\"", "a=b,c;d:e@f!g*h(i)", "$dollar[1]"]


@pytest.fixture(scope="module")
def server():
    with S3Server() as s:
        s.make_bucket("releases")
        yield s


def run(program, *args, env):
    done = subprocess.run(
        [str(BUILD / "tests/system" / program), *args], capture_output=True, text=True, timeout=600,
        env={"PATH": os.environ["PATH"], **env},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def s3(server, *args, **env):
    return run("net_door", "s3", *args, env={**server.env(), **env})


def store(server, *args, url="s3://releases/some/prefix"):
    return run("store_door", url, *args, env=server.env())


@pytest.mark.parametrize("key", KEYS)
def test_keys(server, key):
    assert "error" not in s3(server, "put", "releases", key, f"body={key}")
    assert s3(server, "get", "releases", key)["body"] == key
    assert s3(server, "head", "releases", key)["size"] == len(key.encode())
    assert key in s3(server, "list", "releases", key[:1])["keys"]
    assert "error" not in s3(server, "delete", "releases", key)
    assert s3(server, "get", "releases", key)["code"] == "not-found"


def test_conditional_get(server):
    etag = s3(server, "put", "releases", "cond", "body=1")["etag"]
    assert s3(server, "get", "releases", "cond", f"etag={etag}")["not_modified"] is True
    s3(server, "put", "releases", "cond", "body=2")
    got = s3(server, "get", "releases", "cond", f"etag={etag}")
    assert got["not_modified"] is False and got["body"] == "2"


def test_conditional_put(server):
    first = s3(server, "put", "releases", "lock", "body=1", "create=1")
    assert s3(server, "put", "releases", "lock", "body=2", "create=1")["code"] == "conflict"
    second = s3(server, "put", "releases", "lock", "body=2", f"etag={first['etag']}")
    assert "error" not in second
    assert s3(server, "put", "releases", "lock", "body=3", f"etag={first['etag']}")["code"] == "conflict"
    assert s3(server, "get", "releases", "lock")["body"] == "2"


def test_files(server, tmp_path):
    source = tmp_path / "in"
    source.write_bytes(os.urandom(3_000_000))
    assert "error" not in s3(server, "put", "releases", "file", f"from={source}")
    assert "error" not in s3(server, "get", "releases", "file", f"to={tmp_path}/out", "max=3000000")
    assert (tmp_path / "out").read_bytes() == source.read_bytes()
    assert s3(server, "get", "releases", "file", "max=2999999")["code"] == "limit"


@pytest.mark.parametrize("change,code,text", [
    ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "denied", "403 SignatureDoesNotMatch"),
    ({"AWS_ACCESS_KEY_ID": "nobody"}, "denied", "403 InvalidAccessKeyId"),
])
def test_refused(server, change, code, text):
    got = s3(server, "get", "releases", "x", **change)
    assert got["code"] == code and text in got["error"] and f"127.0.0.1:{server.port}/releases/x" in got["error"]


def test_no_bucket_is_a_wrong_address_not_a_missing_key(server):
    got = s3(server, "get", "nosuchbucket", "x")
    assert got["code"] == "argument" and "NoSuchBucket" in got["error"]


@pytest.mark.parametrize("skew", [3600, 90000])
def test_wrong_clock_is_corrected(server, skew):
    """The server refuses our time; its own Date is taken and the call succeeds."""
    got = s3(server, "put", "releases", "clock", "body=1", f"skew={skew}")
    assert "error" not in got and abs(got["skew"]) < 120


def test_store_semantics(server):
    first = store(server, "put", "channels/dev/gpu.json", "one", "create")
    assert store(server, "put", "channels/dev/gpu.json", "x", "create")["code"] == "conflict"
    assert store(server, "get", "channels/dev/gpu.json")["text"] == "one"
    again = store(server, "get", "channels/dev/gpu.json", first["etag"])
    assert again["not_modified"] and again["text"] == "" and again["etag"] == first["etag"]
    second = store(server, "put", "channels/dev/gpu.json", "two", "match=" + first["etag"])
    assert "error" not in second
    assert store(server, "put", "channels/dev/gpu.json", "three", "match=" + first["etag"])["code"] == "conflict"
    assert store(server, "head", "channels/dev/gpu.json", "nothing")["sizes"] == [3, -1]
    assert store(server, "list", "channels/d")["keys"] == ["channels/dev/gpu.json"]
    assert "error" not in store(server, "remove", "channels/dev/gpu.json")
    assert "error" not in store(server, "remove", "channels/dev/gpu.json")
    assert store(server, "get", "channels/dev/gpu.json")["code"] == "not-found"


def test_store_batches_and_pages(server):
    """More than one page of a listing, in one batch each way."""
    assert "error" not in store(server, "fill", "1200", "500")
    got = store(server, "drain", "1200", "500")
    assert got["wrong"] == 0 and got["untried"] == 0 and got["progress"] > 1
    assert store(server, "list", "bulk/")["keys"] == [f"bulk/{n:06}" for n in range(1200)]
    short = store(server, "drain", "1300", "500")
    assert short["code"] == "not-found" and "bulk/0012" in short["error"]  # whichever answers first


@pytest.mark.parametrize("url", ["s3://", "s3:///x", "s3://releases/../x", "s3://releases/a//b", "s3://a_very bad/x"])
def test_store_urls_refused(server, url):
    assert store(server, "get", "x", url=url)["code"] == "argument"


# --- what only a scripted server does -----------------------------------------------------------------------------

ERROR = '<?xml version="1.0"?><Error><Code>%s</Code><Message>%s</Message></Error>'


class Scripted(Faulty):
    def env(self):
        return {
            "AWS_ENDPOINT_URL_S3": self.url, "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
        }


def error(status, code, message="why", **headers):
    return reply(status, (ERROR % (code, message)).encode(), headers)


def test_slow_down_is_obeyed():
    with Scripted(lambda r, n: error(503, "SlowDown") if n == 1 else reply(200, b"ok")) as s:
        got = s3(s, "get", "bucket", "key")
    assert got["body"] == "ok" and len(s.requests) == 2


def test_conflict_of_writers_is_tried_again():
    with Scripted(lambda r, n: error(409, "ConditionalRequestConflict") if n < 3 else reply(200, headers={"ETag": '"e"'})) as s:
        got = s3(s, "put", "bucket", "key", "body=1", "create=1")
    assert got["etag"] == '"e"' and len(s.requests) == 3


def test_region_is_followed():
    def script(request, number):
        if "/eu-west-1/" in request.headers["Authorization"]:
            return reply(200, b"here")
        return error(301, "PermanentRedirect", **{"x-amz-bucket-region": "eu-west-1"})

    with Scripted(script) as s:
        got = s3(s, "get", "bucket", "key")
    assert got["body"] == "here" and len(s.requests) == 2


def test_region_in_the_error_document():
    def script(request, number):
        if "/eu-west-1/" in request.headers["Authorization"]:
            return reply(200, b"here")
        return reply(400, b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>")

    with Scripted(script) as s:
        assert s3(s, "get", "bucket", "key")["body"] == "here"


def test_region_circle_ends():
    with Scripted(lambda r, n: error(301, "PermanentRedirect", **{"x-amz-bucket-region": f"eu-west-{n}"})) as s:
        assert s3(s, "get", "bucket", "key")["code"] == "net"
    assert len(s.requests) == 2


def test_every_try_is_signed_anew():
    with Scripted(lambda r, n: reply(500) if n == 1 else reply(200, b"ok")) as s:
        assert s3(s, "get", "bucket", "key")["body"] == "ok"
    assert all(re.search(r"Signature=[0-9a-f]{64}$", r.headers["Authorization"]) for r in s.requests)
    assert all(len(r.headers.get_all("Authorization")) == 1 for r in s.requests)


def test_lost_answer_of_a_conditional_write_is_recognised():
    """The first write worked but its answer was lost; the second is refused by the first one's success."""
    def script(request, number):
        if request.method == "GET":
            return reply(200, b"mine", {"ETag": '"mine"'})
        return Raw(b"") if number == 1 else error(412, "PreconditionFailed")

    with Scripted(script) as s:
        assert store(s, "put", "channels/dev/gpu.json", "mine", "create")["etag"] == '"mine"'
        s.requests.clear()
        got = store(s, "put", "channels/dev/gpu.json", "other", "create")
    assert got["code"] == "conflict"


def test_hostile_listing():
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><ListBucketResult>&a;</ListBucketResult>'
    deep = b"<a>" * 5000
    endless = b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"
    for body, code in ((bomb, "parse"), (deep, "limit"), (endless, "parse"), (b"not xml", "parse")):
        with Scripted(lambda r, n: reply(200, body)) as s:
            assert s3(s, "list", "bucket", "")["code"] == code


def test_listing_is_bounded():
    page = b"<L><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>" + b"<Contents><Key>k</Key><Size>1</Size></Contents>" * 1000 + b"</L>"
    with Scripted(lambda r, n: reply(200, page)) as s:
        got = s3(s, "list", "bucket", "", "max=2500")
    assert got["code"] == "limit" and len(s.requests) == 3
