"""What prod demands of a promotion: passed and soaked in test, signed into test's log; or more signatures, for ever in prod's."""
import base64
import json

import pytest

from attacked import Shim
from s3server import S3Server
from test_release import Team

KEYS = ["alice", "bob", "carol"]
SOAK = 600  # longer than any test takes, shorter than what S3 forgives a clock


class Timed(Team):
    """Managers whose clock the test moves."""

    def __init__(self, holdfast, path, s3):
        self.shim = Shim(path)
        super().__init__(holdfast, path, s3)

    def env(self, *args, **more):
        return super().env(*args, **self.shim.environment(), **more)

    def soak(self):
        self.shim.clock(SOAK + 1)


def signers(*names):
    return [w for n in names for w in ("--key", f"{n}.pem")]


@pytest.fixture(scope="module")
def s3():
    with S3Server() as server:
        server.make_bucket("releases")
        yield server


@pytest.fixture(params=["file", "s3"])
def team(request, holdfast, tmp_path):
    t = Timed(holdfast, tmp_path, request.getfixturevalue("s3") if request.param == "s3" else None)
    add = [w for e in ("test", "prod") for n in KEYS for w in ("--add", f"deploy:{e}={n}.pub")]
    t.ok("release", "init", *add, "--threshold", "deploy:prod=2", "--promotion", f"prod=after=test,soak={SOAK}s,override=3")
    t.one = t.push("one")
    return t


def to_prod(team, *more, keys=("alice", "bob")):
    return ["release", "promote", team.one, "-E", "prod", "-f", "web", *signers(*keys), *more]


def attest(team, result="pass", **kw):
    return team.ok("release", "attest", team.one, "-E", "test", "-f", "web", "--result", result, **kw)


def test_promotion_needs_evidence(team):
    assert "nobody attested" in team.refused("no-evidence", *to_prod(team))
    assert team.run("release", "attest", team.one, "-E", "test", "-f", "web", "--result", "pass").returncode == 8  # not there yet
    team.promote(team.one, env="test")
    attest(team)
    assert f"{SOAK} s are demanded" in team.refused("no-evidence", *to_prod(team))
    team.soak()
    (team.path / "gates.yml").write_text("gates: [{name: api, ok: true}]\nhosts: 40\n")
    made = team.ok("release", "attest", "test/web", "-E", "test", "-f", "web", "--result", "pass", "--details", "gates.yml")
    assert (made["n"], made["details"]["hosts"]) == (3, 40)
    moved = team.ok(*to_prod(team))
    assert (moved["evidence"]["environment"], moved["evidence"]["n"]) == ("test", 3)
    entry = team.ok("release", "log", "prod")[-1]
    assert entry["what"] == "promote" and entry["details"]["evidence"]["n"] == 3
    team.ok("release", "verify")


def test_the_last_word_counts(team):
    team.promote(team.one, env="test")
    team.soak()
    attest(team)
    attest(team, "fail")
    assert "attested as failed" in team.refused("no-evidence", *to_prod(team))
    attest(team)
    team.ok(*to_prod(team))


def test_soaking_is_interrupted_by_another_release(team):
    team.promote(team.one, env="test")
    team.soak()
    team.write("site.yml", "- hosts: all\n")
    team.promote(team.push("two"), env="test")
    team.promote(team.one, env="test")
    attest(team)
    team.refused("no-evidence", *to_prod(team))


def test_override_needs_more_signers_and_shows_for_ever(team):
    team.refused("no-evidence", *to_prod(team, "--override", "the site is down"))
    moved = team.ok(*to_prod(team, "--override", "the site is down", keys=KEYS))
    assert moved["reason"] == "override: the site is down" and "evidence" not in moved
    entry = team.ok("release", "log", "prod")[-1]
    assert (entry["what"], entry["details"]["reason"]) == ("override", "override: the site is down")


def test_override_signed_in_steps(team):
    team.ok(*to_prod(team, "--override", "down", "--out", "p.json", keys=["alice"]))
    team.ok("release", "sign", "p.json", key="bob")
    team.refused("no-evidence", "release", "publish", "p.json", key="bob")
    team.ok("release", "sign", "p.json", key="carol")
    team.ok("release", "publish", "p.json", key="carol")
    assert team.ok("release", "log", "prod")[-1]["what"] == "override"


def test_rollback_and_halt_need_no_evidence(team):
    team.ok(*to_prod(team, "--override", "first", keys=KEYS))
    team.write("site.yml", "- hosts: all\n")
    one, team.one = team.one, team.push("two")
    team.ok(*to_prod(team, "--override", "second", keys=KEYS))
    back = team.ok("release", "rollback", "-E", "prod", "-f", "web", "--reason", "bad", *signers("alice", "bob"))
    assert back["release"] == one
    team.ok("release", "halt", "-E", "prod", "-f", "web", "--reason", "bad", *signers("alice", "bob"))


def test_evidence_is_signed_by_who_may_deploy_there(team):
    team.promote(team.one, env="test")
    team.refused("unknown-key", "release", "attest", team.one, "-E", "test", "-f", "web", "--result", "pass", key="mallory")


def test_forged_log_is_no_evidence(team):
    """Somebody who owns the bucket turns fail into pass, or cuts an entry out."""
    team.promote(team.one, env="test")
    team.soak()
    attest(team, "fail")
    entry = json.loads(team.raw("log/test/2.json"))
    forged = base64.b64encode(base64.b64decode(entry["payload"]).replace(b'"result":"fail"', b'"result":"pass"')).decode()
    team.put_raw("log/test/2.json", json.dumps({**entry, "payload": forged}, separators=(",", ":")).encode() + b"\n")
    team.refused("bad-signature", *to_prod(team))
    attest_again = team.run("release", "attest", team.one, "-E", "test", "-f", "web", "--result", "pass")
    assert attest_again.returncode == 7  # nobody builds on a broken log
    (team.folder / "log/test/2.json").unlink()
    team.refused("no-evidence", *to_prod(team))


def test_rules_change_only_with_the_root(team):
    team.refused("no-evidence", *to_prod(team))
    for bad in ("prod=after=test,soak=1s,override=2", "prod=after=prod,override=3", "prod=after=nowhere,override=3", "prod=override=3",
                "prod=after=test,soak=soon,override=3"):  # fmt: skip
        assert team.run("release", "root", "--promotion", bad).returncode != 0
    team.ok("release", "root", "--promotion", "prod=none")
    assert team.ok("release", "root")["promotion"] == {}
    team.ok(*to_prod(team))
