"""Signatures against AWS's own vectors and against botocore."""
import datetime
import hashlib
import json
import pathlib
import random
import string
import subprocess
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from places import BUILD, SHARED

VECTORS = SHARED / "sigv4"
ROUNDS = 1000


class Door:
    """The check program that signs what it is told."""

    def __init__(self):
        self.process = subprocess.Popen(
            [str(BUILD / "tests/differential/sigv4_door")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, **request):
        self.process.stdin.write(json.dumps({k: v for k, v in request.items() if v is not None}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def door():
    d = Door()
    yield d
    d.process.stdin.close()
    assert d.process.wait(5) == 0


def read_request(text):
    """(method, path, query, headers, body) of a request as the vectors write it: values may go on in the next line."""
    head, _, body = text.partition("\n\n")
    lines = head.split("\n")
    method, rest = lines[0].split(" ", 1)
    target = rest.rsplit(" ", 1)[0]
    path, question, query = target.partition("?")
    headers = []
    for line in lines[1:]:
        if line[:1] in " \t":
            headers[-1][1] += "\n" + line
        elif line:
            name, _, value = line.partition(":")
            headers.append([name, value])
    return method, path, query if question else None, headers, body


def vector_rows():
    folders = sorted(p.name for p in VECTORS.glob("*") if p.is_dir())
    return [(f, form) for f in folders for form in ("header", "query") if (VECTORS / f / f"{form}-signature.txt").exists()]


@pytest.mark.shared
@pytest.mark.parametrize("folder,form", vector_rows())
def test_vector(door, folder, form):
    base = VECTORS / folder
    context = json.loads((base / "context.json").read_text())
    method, path, query, headers, body = read_request((base / "request.txt").read_text())
    when = datetime.datetime.fromisoformat(context["timestamp"].replace("Z", "+00:00"))
    got = door.ask(
        method=method, path=path, query=query, headers=headers,
        hash=hashlib.sha256(body.encode()).hexdigest(),
        region=context["region"], service=context["service"], time=int(when.timestamp()),
        access=context["credentials"]["access_key_id"], secret=context["credentials"]["secret_access_key"],
        token=context["credentials"].get("token"), keep_path=not context["normalize"],
        hash_header=context["sign_body"], token_unsigned=context.get("omit_session_token", False),
        expires=context["expiration_in_seconds"] if form == "query" else None,
    )
    for part in ("canonical-request", "string-to-sign", "signature"):
        key = {"canonical-request": "canonical"}.get(part, part.replace("-", "_"))
        assert got[key] == (base / f"{form}-{part}.txt").read_text(), part


@pytest.mark.shared
def test_vectors_are_all_there():
    assert len({folder for folder, _ in vector_rows()}) == 38


TEXT = string.ascii_letters + string.digits + "-._~/ +=&%:,;@!*'()[]?#$äß漢"


def words(rng, most):
    return "".join(rng.choice(TEXT) for _ in range(rng.randrange(1, most)))


def random_request(rng):
    service = rng.choice(["s3", "s3", "ec2", "eks", "iam", "sagemaker", "execute-api"])
    parts = [words(rng, 12) for _ in range(rng.randrange(0, 4))]
    if service == "s3":
        parts = [p for p in parts if p not in (".", "..")]
    # No client writes a slash of an S3 key as %2F; in other services an ARN in the path is written so.
    safe = "~/" if service == "s3" else "~" + rng.choice(["", "/"])
    path = "/" + "/".join(urllib.parse.quote(p, safe=safe) for p in parts)
    pairs = [(words(rng, 8), rng.choice(["", words(rng, 16)])) for _ in range(rng.randrange(0, 6))]
    query = "&".join(f"{urllib.parse.quote(k, safe='~')}={urllib.parse.quote(v, safe='~')}" for k, v in pairs)
    headers = [["host", rng.choice(["example.amazonaws.com", "127.0.0.1:7070"])]]
    for name in rng.sample(["X-Amz-Target", "X-Amz-Meta-A", "X-Amz-Meta-A-B", "Range", "Content-Type", "If-Match"], rng.randrange(0, 5)):
        headers.append([name, "  " + " ".join(words(rng, 10).encode("ascii", "ignore").decode() or "v" for _ in range(3))])
    return service, rng.choice(["GET", "PUT", "POST", "DELETE", "HEAD"]), path, query, headers, rng.randbytes(rng.randrange(0, 200))


def test_botocore(door):
    """A thousand random requests, always the same: the same canonical request and signature as botocore."""
    rng = random.Random(20261121)
    for number in range(ROUNDS):
        service, method, path, query, headers, body = random_request(rng)
        token = rng.choice([None, "token/" + words(rng, 30).encode("ascii", "ignore").decode().strip()])
        when = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(seconds=rng.randrange(31536000))
        credentials = botocore.credentials.Credentials("AKID", "secret" + words(rng, 9), token)
        kind = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
        signer = kind(credentials, service, "eu-central-1")
        host = headers[0][1]
        request = botocore.awsrequest.AWSRequest(
            method=method, url=f"http://{host}{path}" + (f"?{query}" if query else ""), data=body, headers=dict(headers)
        )
        request.context["timestamp"] = when.strftime("%Y%m%dT%H%M%SZ")
        request.headers["X-Amz-Date"] = request.context["timestamp"]
        if token:
            request.headers["X-Amz-Security-Token"] = token
        digest = hashlib.sha256(body).hexdigest()
        if service == "s3":
            request.headers["X-Amz-Content-SHA256"] = digest
            request.context["payload_signing_enabled"] = True
            request.context["client_config"] = None
        canonical = signer.canonical_request(request)
        text = signer.string_to_sign(request, canonical)
        got = door.ask(
            method=method, path=path, query=query or None, headers=headers, hash=digest, region="eu-central-1",
            service=service, time=int(when.timestamp()), access="AKID", secret=credentials.secret_key, token=token,
            s3=service == "s3", hash_header=service == "s3",
        )
        assert got["canonical"] == canonical, number
        assert got["string_to_sign"] == text, number
        assert got["signature"] == signer.signature(text, request), number
