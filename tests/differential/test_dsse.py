"""What `holdfast release` signs and names, read again by Python's own hashlib, json and cryptography.

No code of holdfast checks anything here: envelopes are split by json, PAE is built from its definition, signatures are
checked and made by the cryptography package, keys are read by it and by the openssl program.
"""
import base64
import hashlib
import json
import os
import pathlib
import subprocess

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

TYPES = {kind: f"application/vnd.holdfast.{kind}.v1+json" for kind in ("root", "release", "pointer", "log")}


def pae(kind, payload):
    name = TYPES[kind].encode()
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(payload), payload)


def raw_public(key):
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def key_id(key):
    return hashlib.sha256(raw_public(key)).hexdigest()


def verify(key, message, signature):
    if isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature, message)
    else:
        key.verify(signature, message, ec.ECDSA(hashes.SHA256()))


def sign(key, message):
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    return key.sign(message, ec.ECDSA(hashes.SHA256()))


def envelope(kind, payload, *keys):
    rows = ",".join(
        '{"keyid":"%s","sig":"%s"}' % (key_id(k.public_key()), base64.b64encode(sign(k, pae(kind, payload))).decode())
        for k in keys
    )
    text = base64.b64encode(payload).decode()
    return f'{{"payloadType":"{TYPES[kind]}","payload":"{text}","signatures":[{rows}]}}\n'.encode()


class World:
    def __init__(self, holdfast, path, algorithm="ed25519"):
        self.holdfast, self.path, self.store = holdfast, path, path / "store"
        self.run("key", "generate", "key.pem", "--algorithm", algorithm)
        self.run("release", "init", "--environment", "dev", "--environment", "prod")
        self.tree = path / "tree"
        for name, text in {"site.yml": "- hosts: all\n", "roles/web/tasks/main.yml": "[]\n", "bin/x": "#!/bin/sh\n"}.items():
            (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
            (self.tree / name).write_text(text)
        (self.tree / "bin/x").chmod(0o755)

    def run(self, *args, check=True, json_out=True):
        env = {**os.environ, "HOLDFAST_STORE": f"file://{self.store}", "HOLDFAST_KEY": str(self.path / "key.pem")}
        done = subprocess.run(
            [self.holdfast, *args, *(["--json"] if json_out else [])], cwd=self.path, env=env, capture_output=True, text=True
        )
        if check:
            assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() and json_out else done

    def private(self):
        return serialization.load_pem_private_key((self.path / "key.pem").read_bytes(), None)

    def public(self):
        return serialization.load_pem_public_key((self.path / "key.pub").read_bytes())

    def document(self, name, kind):
        bytes_ = (self.store / name).read_bytes()
        e = json.loads(bytes_)
        assert e["payloadType"] == TYPES[kind]
        payload = base64.b64decode(e["payload"], validate=True)
        assert len(e["signatures"]) == 1
        s = e["signatures"][0]
        assert s["keyid"] == key_id(self.public())
        verify(self.public(), pae(kind, payload), base64.b64decode(s["sig"], validate=True))
        return payload, json.loads(payload)


@pytest.fixture(params=["ed25519", "ecdsa-p256"])
def world(request, holdfast, tmp_path):
    return World(holdfast, tmp_path, request.param)


def expected_payload(tree, name="", entry="site.yml"):
    files = []
    for path in sorted((p for p in tree.rglob("*") if p.is_file()), key=lambda p: str(p.relative_to(tree)).encode()):
        data = path.read_bytes()
        mode = "0755" if path.stat().st_mode & 0o100 else "0644"
        files.append(
            {"path": str(path.relative_to(tree)), "size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "mode": mode}
        )
    document = {"name": name, "created": "1970-01-01T00:00:00Z", "entry": entry, "files": files, "gates": [], "min_agent": ""}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def test_release_is_named_by_the_manifest_python_makes(world):
    pushed = world.run("release", "push", "tree", "--name", "one")
    want = expected_payload(world.tree, "one")
    assert pushed["release"] == hashlib.sha256(want).hexdigest()
    payload, document = world.document(f"releases/{pushed['release']}.json", "release")
    assert payload == want
    for f in document["files"]:
        data = (world.store / "objects" / f["sha256"][:2] / f["sha256"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == f["sha256"] and len(data) == f["size"]


def test_pointer_and_log_are_signed_and_chained(world):
    release = world.run("release", "push", "tree")["release"]
    for _ in range(3):
        world.run("release", "promote", release, "-E", "dev", "-f", "web", "--reason", "again")
    payload, pointer = world.document("channels/dev/web.json", "pointer")
    assert (pointer["seq"], pointer["release"], pointer["kind"]) == (3, release, "forward")
    before = "0" * 64
    for n in (1, 2, 3):
        payload, entry = world.document(f"log/dev/{n}.json", "log")
        assert (entry["n"], entry["previous"], entry["what"]) == (n, before, "promote")
        assert entry["details"]["seq"] == n
        before = hashlib.sha256(payload).hexdigest()


def test_root_lists_the_key_python_reads(world):
    _, root = world.document("root/1.json", "root")
    mine = key_id(world.public())
    assert list(root["keys"]) == [mine]
    assert base64.b64decode(root["keys"][mine]["public"]) == raw_public(world.public())
    assert root["roles"]["deploy"]["prod"] == {"keys": [mine], "threshold": 1}


def test_pointer_made_by_python_is_published(world):
    release = world.run("release", "push", "tree")["release"]
    pointer = {
        "environment": "dev", "fleet": "web", "key_epoch": 1, "seq": 1, "issued": "2026-01-01T00:00:00Z",
        "expires": "2096-01-01T00:00:00Z", "release": release, "previous": None, "kind": "forward", "reason": "",
        "rollout": {"canary": {"percent": 10}},
    }  # fmt: skip
    (world.path / "p.json").write_bytes(envelope("pointer", json.dumps(pointer).encode(), world.private()))
    assert world.run("release", "publish", "p.json")["rollout"] == {"canary": {"percent": 10}}


@pytest.mark.parametrize("wrong", ["payload", "type", "stranger", "bit"])
def test_pointer_python_signed_wrongly_is_refused(holdfast, tmp_path, wrong):
    world = World(holdfast, tmp_path)
    release = world.run("release", "push", "tree")["release"]
    payload = json.dumps({
        "environment": "dev", "fleet": "web", "key_epoch": 1, "seq": 1, "issued": "2026-01-01T00:00:00Z",
        "expires": "2096-01-01T00:00:00Z", "release": release, "previous": None, "kind": "forward", "reason": "",
        "rollout": {},
    }).encode()  # fmt: skip
    key = world.private()
    bytes_ = envelope("pointer", payload, key if wrong != "stranger" else ed25519.Ed25519PrivateKey.generate())
    want = "bad-signature"
    if wrong == "payload":
        e = json.loads(bytes_)
        other = base64.b64encode(payload.replace(b'"seq": 1', b'"seq": 9')).decode()
        bytes_ = bytes_.replace(e["payload"].encode(), other.encode())
    elif wrong == "type":  # signed as a log entry, sent as a pointer
        bytes_ = envelope("log", payload, key).replace(b"holdfast.log", b"holdfast.pointer")
    elif wrong == "stranger":
        want = "unknown-key"
    else:
        at = bytes_.index(b'"sig":"') + 20
        bytes_ = bytes_[:at] + (b"A" if bytes_[at : at + 1] != b"A" else b"B") + bytes_[at + 1 :]
    (world.path / "p.json").write_bytes(bytes_)
    answer = world.run("release", "publish", "p.json", check=False)
    assert answer["error"]["refusal"] == want
    assert not (world.store / "channels").exists()


def test_hundred_signatures_agree(holdfast, tmp_path):
    """Both directions, over payloads of every length up to 100: holdfast signs, Python checks; Python signs, holdfast checks."""
    world = World(holdfast, tmp_path)
    release = world.run("release", "push", "tree")["release"]
    for i in range(1, 26):
        world.run("release", "promote", release, "-E", "dev", "-f", "web", "--reason", "é" * i)
        world.document("channels/dev/web.json", "pointer")
    payload, _ = world.document("channels/dev/web.json", "pointer")
    for cut in range(0, 100, 10):
        with pytest.raises(InvalidSignature):
            verify(world.public(), pae("pointer", payload[:-1 - cut]), sign(world.private(), pae("pointer", payload)))


def test_openssl_reads_the_keys(holdfast, tmp_path):
    env = {**os.environ, "HOLDFAST_KEY_PASSPHRASE": "open sesame"}
    subprocess.run([holdfast, "key", "generate", "k.pem"], cwd=tmp_path, env=env, check=True, capture_output=True)
    pem = (tmp_path / "k.pem").read_bytes()
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in pem and (tmp_path / "k.pem").stat().st_mode & 0o777 == 0o600
    out = subprocess.run(
        ["openssl", "pkey", "-in", "k.pem", "-passin", "pass:open sesame", "-pubout"], cwd=tmp_path, check=True, capture_output=True
    )
    assert out.stdout == (tmp_path / "k.pub").read_bytes()
    made = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519"], check=True, capture_output=True).stdout
    path = pathlib.Path(tmp_path / "o.pem")
    path.write_bytes(made)
    path.chmod(0o600)
    shown = subprocess.run([holdfast, "key", "show", "o.pem", "--json"], cwd=tmp_path, check=True, capture_output=True)
    assert json.loads(shown.stdout)["id"] == key_id(serialization.load_pem_private_key(made, None).public_key())
