"""A hostile store against a real agent, one row an attack. Each row: refused by its word, the alarm at the broker, nothing on
the host changed, and the agent goes on working once the store is honest again."""
import base64
import datetime
import hashlib
import json
import os
import random

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import forge
from attacked import SIGNERS, Attacked
from broker import Broker


@pytest.fixture(scope="module")
def shared(holdfast, holdfastd, tmp_path_factory):
    with Broker() as broker:
        h = Attacked(holdfast, holdfastd, tmp_path_factory.mktemp("attacks"), broker)
        h.start_agent()
        h.has(h.one)
        yield h
        h.close()


def resigned(document, change):
    """The document with its payload changed and its signatures kept."""
    e = json.loads(document)
    return document.replace(e["payload"].encode(), base64.b64encode(change(base64.b64decode(e["payload"]))))


def stamp(days=0):
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


# --- signatures -----------------------------------------------------------------------------------------------------------


def pointer(h, keys, change=None, **kw):
    """The next pointer to a new release, with payload changed by a function and signed anew by these keys."""
    p = forge.payload(h.next_pointer(h.make()))
    h.serve(forge.envelope("pointer", change(p) if change else p, keys, **kw))


def unsigned(h):
    pointer(h, [])


def stripped_signature(h):
    pointer(h, h.keys("alice"))


def wrong_key(h):
    pointer(h, h.keys("mallory"))


def one_key_counted_twice(h):
    pointer(h, h.keys("alice", "alice"))


def one_key_and_a_stranger(h):
    pointer(h, h.keys("alice", "mallory"))


def signature_of_another_role(h):
    pointer(h, h.keys("carol"))


def signature_for_another_kind(h):
    pointer(h, h.keys("alice", "bob"), signed_as="release")


def other_algorithm(h):
    pointer(h, [forge.OtherAlgorithm(h.path / "alice.pem"), *h.keys("bob", "dave")])


def malformed_signature(h):
    pointer(h, [forge.Malformed(h.path / "alice.pem"), *h.keys("bob", "dave")])


def no_envelope(h):
    h.serve(forge.payload_bytes(forge.payload(h.next_pointer(h.make()))))


def changed_payload(h):
    h.serve(resigned(h.next_pointer(h.make()), lambda p: p.replace(b'"kind":"forward"', b'"kind":"forwarD"')))


# --- pointers -------------------------------------------------------------------------------------------------------------


def replayed_pointer(h):
    old = h.channel()
    h.has(h.release())
    h.mark()
    h.serve(old)


def equal_seq_other_bytes(h):
    two, three = h.make(), h.make()
    for name in (two, three):
        h.ok("release", "promote", name, "-E", "dev", "-f", "web", *SIGNERS, "--out", f"{name}.json")
    h.ok("release", "publish", f"{two}.json", key="alice")
    h.accepted = True
    h.has(two)
    h.mark()
    h.serve((h.path / f"{three}.json").read_bytes())


def other_environment(h):
    h.promote(h.make(), env="prod")
    h.serve(h.raw("channels/prod/web.json"))


def other_fleet(h):
    h.promote(h.make(), fleet="db")
    h.serve(h.raw("channels/dev/db.json"))


def pointer_of_a_key_epoch_to_come(h):
    pointer(h, h.keys("alice", "bob"), lambda p: {**p, "key_epoch": p["key_epoch"] + 1, "seq": 1})


def born_expired(h):
    pointer(h, h.keys("alice", "bob"), lambda p: {**p, "issued": stamp(-3), "expires": stamp(-1)})


def duplicate_keys(h):
    pointer(h, h.keys("alice", "bob"), lambda p: forge.payload_bytes(p).replace(b'"seq":', b'"seq":1,"seq":'))


def deep_nesting(h):
    pointer(h, h.keys("alice", "bob"), lambda p: forge.payload_bytes(p).replace(b'"rollout":{}', b'"rollout":{"a":' + b"[" * 1500 + b"]" * 1500 + b"}"))


def huge_number(h):
    pointer(h, h.keys("alice", "bob"), lambda p: {**p, "seq": 2**53 + 1})


def endless_number(h):
    pointer(h, h.keys("alice", "bob"), lambda p: forge.payload_bytes(p).replace(b'"seq":', b'"seq":' + b"9" * 4000))


def nul(h):
    pointer(h, h.keys("alice", "bob"), lambda p: {**p, "fleet": "web\0"})


def nul_bytes(h):
    h.serve(h.next_pointer(h.make()).replace(b'","signatures"', b'\0","signatures"'))


def too_large(h):
    pointer(h, h.keys("alice", "bob"), lambda p: {**p, "reason": "x" * 100_000})


# --- releases and files -----------------------------------------------------------------------------------------------------


def tampered_object(h):
    two = h.make()
    path = h.object_of(two, "files/app.conf")
    h.put_raw(path, bytes(reversed(h.raw(path))))
    h.promote(two)


def endless_object(h):
    two = h.make()
    h.put_raw(h.object_of(two, "files/app.conf"), b"x" * 5_000_000)
    h.promote(two)


def cut_object(h):
    two = h.make()
    h.put_raw(h.object_of(two, "files/app.conf"), b"tex")
    h.promote(two)


def file_withheld(h):
    two = h.make()
    (h.folder / h.object_of(two, "files/app.conf")).unlink()
    h.promote(two)


def mix_of_two_documents(h):
    two = h.make()
    p = h.next_pointer(two)
    h.put_raw(f"releases/{two}.json", h.raw(f"releases/{h.one}.json"))
    h.serve(p)
    h.accepted = True


def mix_of_two_releases_files(h):
    two = h.make("textA1")
    other = h.make("textB1")
    h.put_raw(h.object_of(two, "files/app.conf"), h.raw(h.object_of(other, "files/app.conf")))
    h.promote(two)


def altered_manifest(h, change, keys=("carol",), under=None):
    """A release that a holder of the release key made by hand; promoted properly, or put where another is expected."""
    two = h.make()
    p = forge.payload(h.next_pointer(two))
    payload = change(forge.payload(h.raw(f"releases/{two}.json")))
    body = forge.payload_bytes(payload)
    name = two if under else hashlib.sha256(body).hexdigest()
    h.put_raw(f"releases/{name}.json", forge.envelope("release", body, h.keys(*keys)))
    h.serve(forge.envelope("pointer", {**p, "release": name}, h.keys("alice", "bob")))
    h.accepted = True


def first_file(**fields):
    def change(m):
        m["files"][0] = {**m["files"][0], **fields}
        return m
    return change


def file_added(h):
    def change(m):
        m["files"].append({**m["files"][-1], "path": "zzz"})
        return m
    altered_manifest(h, change, under="the promised name")


def release_by_a_stranger(h):
    altered_manifest(h, lambda m: m, keys=("mallory",))


def path_traversal(h):
    altered_manifest(h, first_file(path="../../../../etc/cron.d/x"))


def absolute_path(h):
    altered_manifest(h, first_file(path="/etc/cron.d/x"))


def symlink(h):
    altered_manifest(h, lambda m: {**m, "files": [{"path": "a", "link": "/etc/shadow"}, *m["files"]]})


def hardlink(h):
    altered_manifest(h, first_file(hardlink="/etc/shadow"))


def device(h):
    altered_manifest(h, first_file(device="1:3"))


def setuid(h):
    altered_manifest(h, first_file(mode="4755"))


def one_path_twice(h):
    altered_manifest(h, lambda m: {**m, "files": [m["files"][0], *m["files"]]})


def min_agent(h):
    altered_manifest(h, lambda m: {**m, "min_agent": "999"})


def rollback_to_a_revoked_release(h):
    old = forge.payload(h.channel())["release"]
    h.has(h.release())
    h.ok("release", "revoke", old, "--reason", "leaks")
    h.mark()
    p = forge.payload(h.next_pointer(h.make()))
    h.serve(forge.envelope("pointer", {**p, "release": old, "kind": "rollback", "reason": "back"}, h.keys("alice", "bob")))


def revoked_while_installed(h):
    h.ok("release", "revoke", forge.payload(h.channel())["release"], "--reason", "leaks")


# --- roots ------------------------------------------------------------------------------------------------------------------


def newest_root(h):
    return max(int(p.stem) for p in (h.folder / "root").iterdir())


def next_root(h, keys, change=lambda r: r, step=1):
    """A root by hand, in the place of the next one."""
    n = newest_root(h)
    r = forge.payload(h.raw(f"root/{n}.json"))
    h.put_raw(f"root/{n + 1}.json", forge.envelope("root", change({**r, "version": n + step}), h.keys(*keys)))
    h.forged = h.folder / f"root/{n + 1}.json"


def with_root_key(h, name):
    """The root role goes to one new key."""
    def change(r):
        key = h.keys(name)[0]
        public = key.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        r["keys"][key.id] = {"algorithm": "ed25519", "public": base64.b64encode(public).decode(), "name": name}
        r["roles"]["root"] = {"keys": [key.id], "threshold": 1}
        return r
    return change


def root_by_a_stranger(h):
    next_root(h, ["mallory"])


def root_signed_only_by_new_keys(h):
    next_root(h, ["mallory"], with_root_key(h, "mallory"))


def root_signed_only_by_old_keys(h):
    next_root(h, ["alice"], with_root_key(h, "mallory"))


def root_skipped(h):
    next_root(h, ["alice"], step=2)


def root_again(h):
    next_root(h, ["alice"], step=0)


def root_that_forgets_a_revocation(h):
    if not any(r["release"] == h.one for r in h.ok("release", "root")["revoked"]):
        h.ok("release", "revoke", h.one, "--reason", "leaks")
    next_root(h, ["alice"], lambda r: {**r, "floor": {"revoked": []}})


def root_of_an_older_key_epoch(h):
    if h.ok("release", "root")["key_epoch"] == 1:
        h.ok("release", "root", "--new-epoch")
        h.promote(forge.payload(h.channel())["release"])
        h.has(forge.payload(h.channel())["release"])
        h.mark()
    next_root(h, ["alice"], lambda r: {**r, "key_epoch": 1})
    h.accepted = True


ATTACKS = [
    (unsigned, "unsigned"), (stripped_signature, "below-threshold"), (wrong_key, "unknown-key"),
    (one_key_counted_twice, "duplicate-signature"), (one_key_and_a_stranger, "below-threshold"),
    (signature_of_another_role, "unknown-key"), (signature_for_another_kind, "bad-signature"), (other_algorithm, "bad-signature"),
    (malformed_signature, "bad-signature"), (no_envelope, "bad-envelope"), (changed_payload, "bad-signature"),
    (replayed_pointer, "replayed-pointer"), (equal_seq_other_bytes, "equivocation"), (other_environment, "wrong-environment"),
    (other_fleet, "wrong-fleet"), (pointer_of_a_key_epoch_to_come, "wrong-epoch"), (born_expired, "expired-pointer"),
    (duplicate_keys, "bad-document"), (deep_nesting, "bad-document"), (huge_number, "bad-document"), (endless_number, "bad-document"),
    (nul, "bad-document"), (nul_bytes, "bad-envelope"), (too_large, "too-large"),
    (tampered_object, "hash-mismatch"), (endless_object, "size-mismatch"), (cut_object, "size-mismatch"),
    (file_withheld, "missing-object"), (mix_of_two_documents, "hash-mismatch"), (mix_of_two_releases_files, "hash-mismatch"),
    (file_added, "hash-mismatch"), (release_by_a_stranger, "unknown-key"), (path_traversal, "unsafe-path"),
    (absolute_path, "unsafe-path"), (symlink, "bad-document"), (hardlink, "bad-document"), (device, "bad-document"),
    (setuid, "unsafe-mode"), (one_path_twice, "bad-document"), (min_agent, "agent-too-old"),
    (rollback_to_a_revoked_release, "revoked"), (revoked_while_installed, "revoked"),
    (root_by_a_stranger, "unknown-key"), (root_signed_only_by_new_keys, "unknown-key"), (root_signed_only_by_old_keys, "unknown-key"),
    (root_skipped, "root-gap"), (root_again, "root-rollback"), (root_that_forgets_a_revocation, "floor-lowered"),
    (root_of_an_older_key_epoch, "root-rollback"),
]  # fmt: skip


@pytest.mark.parametrize("attack,word", ATTACKS, ids=[a.__name__ for a, _ in ATTACKS])
def test_refused_by_name_and_the_host_goes_on(shared, attack, word):
    h = shared
    h.forged, h.accepted, honest = None, False, h.channel()
    h.mark()
    attack(h)
    h.refuses(word)
    if h.forged:
        h.forged.unlink()
    if not h.accepted:  # else the pointer itself was believed: managers go on from it
        h.serve(honest)
    h.goes_on()


def test_every_word_is_documented():
    """What the attacks are refused with, and what alarms are called, stands in the manual."""
    import pathlib
    import re
    here = pathlib.Path(__file__).resolve()
    pages = "".join(p.read_text() for p in (here.parents[2] / "docs").glob("holdfast*.md"))
    words = {w for _, w in ATTACKS}
    for name in ("test_attacks_host.py", "test_attacks_bucket.py", "test_identity.py"):
        words |= set(re.findall(r'(?:refuses|alarm|UNREACHABLE =)\(? ?"([a-z-]+)"', here.with_name(name).read_text()))
    assert len(words) > 30 and not {w for w in words if f"`{w}`" not in pages}


def flips(document, count):
    """(position, bit) all over a document."""
    chosen = random.Random(len(document))
    return [(chosen.randrange(len(document)), chosen.randrange(8)) for _ in range(count)]


@pytest.mark.parametrize("kind", ["pointer", "release", "object"])
def test_one_bit_flipped_is_refused_by_the_agent(shared, kind):
    """A sample of positions by the whole agent; every bit of every byte goes through the same functions in the unit tests
    of acceptance, and every byte of a small store through `release verify` below."""
    h = shared
    two = h.make()
    good = h.next_pointer(two)
    place = {"pointer": "channels/dev/web.json", "release": f"releases/{two}.json", "object": h.object_of(two, "files/app.conf")}[kind]
    document = good if kind == "pointer" else h.raw(place)
    h.mark()
    for at, bit in flips(document, 5):
        h.put_raw(place, document[:at] + bytes([document[at] ^ 1 << bit]) + document[at + 1:])
        h.serve(good) if kind != "pointer" else None
        h.look_now()
        h.until(lambda s: (s.get("store_trouble") or "") != "", f"{kind} byte {at} bit {bit}")
        assert h.snapshot() == h.before
        if kind == "pointer":
            h.put_raw(place, document)
            h.has(two)
            two = h.make()
            good = document = h.next_pointer(two)
            h.mark()
    h.put_raw(place, document)
    h.goes_on()


def test_one_bit_flipped_anywhere_in_a_store(holdfast, holdfastd, tmp_path):
    """Every document and object of a small store; all positions in the long form, a spread of them in the short one."""
    h = Attacked(holdfast, holdfastd, tmp_path)
    files = [p for p in h.folder.rglob("*") if p.is_file() and p.name != ".lock" and p.stat().st_size]
    assert {p.relative_to(h.folder).parts[0] for p in files} == {"root", "releases", "objects", "channels", "log"}
    step = 1 if os.environ.get("HF_LONG") else 29
    good = {p: p.read_bytes() for p in files}
    for p, content in good.items():
        for at in range(len(content) % step, len(content), step):
            p.write_bytes(content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1:])
            done = h.run("release", "verify", "--deep", HOLDFAST_ROOT=str(tmp_path / "root.json"))
            assert done.returncode == 7, (p.relative_to(h.folder), at, done.stdout, done.stderr)
        p.write_bytes(content)
    assert h.run("release", "verify", "--deep", HOLDFAST_ROOT=str(tmp_path / "root.json")).returncode == 0
