"""Promotion from end to end on an S3 server that checks signatures: two environments, two of three signers, sixteen at once."""
import base64
import json
import os
import random
import subprocess
import threading

import pytest

from front import Front
from s3server import S3Server, program, version
from test_release import Team

LONG = bool(os.environ.get("HF_LONG"))
ROUNDS, RACERS = (50, 16) if LONG else (3, 16)
SIGNERS = ["alice", "bob", "carol"]


class Door:
    """The server's environment, with the door's port."""

    def __init__(self, server, front):
        self.server, self.front, self.directory = server, front, server.directory

    def env(self):
        return {**self.server.env(), "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{self.front.port}"}


@pytest.fixture(scope="module")
def door():
    atomic = os.environ.get("HF_S3_ATOMIC") or program()
    with S3Server(use=atomic) as server, Front(server.port, one_by_one=version(atomic) < (1, 8)) as front:
        server.make_bucket("releases")
        yield Door(server, front)


@pytest.fixture
def team(holdfast, tmp_path, door):
    t = Team(holdfast, tmp_path, door)
    add = [w for e in ("test", "prod") for n in SIGNERS for w in ("--add", f"deploy:{e}={n}.pub")]
    t.ok("release", "init", *add, "--threshold", "deploy:test=2", "--threshold", "deploy:prod=2")
    return t


def signed(team, release, env, first, second, name="move.json"):
    team.ok("release", "promote", release, "-E", env, "-f", "web", "--out", name, key=first)
    team.ok("release", "sign", name, key=second)
    return name


def test_two_environments_two_of_three(team):
    one = team.push("one")
    team.refused("below-threshold", "release", "promote", one, "-E", "test", "-f", "web")
    team.ok("release", "publish", signed(team, one, "test", "alice", "bob"), key="bob")
    # The pointer of test, put where prod's is expected.
    (team.folder / "channels/prod").mkdir()
    team.put_raw("channels/prod/web.json", team.raw("channels/test/web.json"))
    assert [c.get("refusal") for c in team.ok("release", "list")["channels"]] == ["wrong-environment", None]
    (team.folder / "channels/prod/web.json").unlink()
    team.ok("release", "publish", signed(team, "test/web", "prod", "carol", "bob"), key="carol")
    assert {(c["environment"], c["release"]) for c in team.ok("release", "list")["channels"]} == {("test", one), ("prod", one)}
    pointer = json.loads(base64.b64decode(json.loads(team.raw("channels/prod/web.json"))["payload"]))
    assert (pointer["environment"], pointer["seq"], pointer["release"]) == ("prod", 1, one)
    assert [e["who"].split()[0] for e in team.ok("release", "log", "prod")] == ["carol"]
    team.ok("release", "verify", "--deep")


def race(team, calls):
    results = [None] * len(calls)
    barrier = threading.Barrier(len(calls))

    def go(i):
        barrier.wait()
        results[i] = team.run(*calls[i], key=random.choice(SIGNERS))

    threads = [threading.Thread(target=go, args=(i,)) for i in range(len(calls))]
    [t.start() for t in threads]
    [t.join() for t in threads]
    return results


def test_sixteen_managers_at_once_one_winner_a_round(team):
    releases = []
    for i in range(RACERS):
        team.write("site.yml", f"- hosts: all # {i}\n")
        releases.append(team.push(f"r{i}"))
    both = ["--key", "alice.pem", "--key", "bob.pem"]
    team.ok("release", "promote", releases[0], "-E", "prod", "-f", "web", *both)
    for n in range(ROUNDS):
        prepared = race(team, [["release", "promote", r, "-E", "prod", "-f", "web", *both, "--out", f"p{i}.json"] for i, r in enumerate(releases)])
        assert all(r.returncode == 0 for r in prepared)
        results = race(team, [["release", "publish", f"p{i}.json", "--key", "alice.pem"] for i in range(RACERS)])
        winners = [i for i, r in enumerate(results) if r.returncode == 0]
        assert len(winners) == 1, [r.stderr for r in results]
        now = team.ok("release", "list")["channels"][0]
        assert (now["release"], now["seq"]) == (releases[winners[0]], n + 2)
        for i, r in enumerate(results):  # the others are told, by the store or before they wrote
            assert i in winners or r.returncode in (6, 7), r.stderr
            assert i in winners or json.loads(r.stdout)["error"].get("refusal", "") in ("", "equivocation")
        conflicts = [r for r in results if r.returncode == 6]
        assert all(releases[winners[0]][:12] in r.stderr for r in conflicts)
    log = team.ok("release", "log", "prod")
    assert [e["details"]["seq"] for e in log] == list(range(1, ROUNDS + 2))
    team.ok("release", "verify")


def test_second_push_sends_the_file_the_manifest_and_the_pointer(team, door):
    """Counted on the wire, bodies of every request: one changed file of two hundred."""
    both = ["--key", "alice.pem", "--key", "bob.pem"]
    for i in range(200):
        team.write(f"roles/r{i}/files/f", f"{i}\n" * 200)
    team.ok("release", "promote", team.push("one"), "-E", "test", "-f", "web", *both)
    changed = "changed\n" * 150
    team.write("roles/r7/files/f", changed)
    door.front.reset()
    two = team.push("two")
    manifest = len(team.raw(f"releases/{two}.json"))
    assert door.front.sent <= len(changed) + manifest
    team.ok("release", "promote", two, "-E", "test", "-f", "web", *both)
    pointer, log = len(team.raw("channels/test/web.json")), len(team.raw("log/test/2.json"))
    assert door.front.sent <= len(changed) + manifest + pointer + log
    assert sorted(size for _, size in door.front.puts) == sorted([len(changed), manifest, pointer, log])
