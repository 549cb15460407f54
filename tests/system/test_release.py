"""Release managers at work, whole programs on real stores: a folder, and an S3 server that checks signatures."""
import base64
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import time

import pytest

from s3server import S3Server

ROUNDS = 50 if os.environ.get("HF_LONG") else 4
RACERS = 16 if os.environ.get("HF_LONG") else 6


@pytest.fixture(scope="module")
def s3():
    with S3Server() as server:
        server.make_bucket("releases")
        yield server


class Team:
    """A folder with keys and a tree, and a store."""

    number = 0

    def __init__(self, holdfast, path, s3=None):
        Team.number += 1
        self.holdfast, self.path, self.tree, self.s3 = holdfast, path, path / "tree", s3
        self.folder = path / "store"
        self.prefix = f"team{Team.number}"
        self.url = f"s3://releases/{self.prefix}" if s3 else f"file://{self.folder}"
        if s3:
            self.folder = s3.directory / "data" / "releases" / self.prefix
        self.write("site.yml", "- hosts: all\n  tasks: []\n")
        self.write("roles/web/files/motd", "hello\n")
        for name in ("alice", "bob", "carol", "mallory"):
            self.ok("key", "generate", f"{name}.pem")

    def write(self, name, text, folder=None):
        target = (folder or self.tree) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def env(self, key="alice", **more):
        env = {**os.environ, **(self.s3.env() if self.s3 else {}), "HOLDFAST_STORE": self.url, **more}
        env["HOLDFAST_KEY"] = str(self.path / f"{key}.pem")
        return env

    def run(self, *args, key="alice", **env):
        return subprocess.run(
            [self.holdfast, *args, "--json"], cwd=self.path, env=self.env(key, **env), capture_output=True, text=True, timeout=600
        )

    def ok(self, *args, **kw):
        done = self.run(*args, **kw)
        assert done.returncode == 0, done.stderr
        try:
            return json.loads(done.stdout)
        except ValueError:
            return done.stdout

    def refused(self, word, *args, **kw):
        done = self.run(*args, **kw)
        assert done.returncode == 7, (done.returncode, done.stdout, done.stderr)
        assert json.loads(done.stdout)["error"]["refusal"] == word
        return done.stderr

    def start(self, *environments):
        """Everything is alice's."""
        self.ok("release", "init", *[w for e in environments or ("dev", "prod") for w in ("-E", e)])
        return self

    def push(self, name="", **kw):
        return self.ok("release", "push", "tree", "--name", name, **kw)["release"]

    def promote(self, release, env="dev", fleet="web", **kw):
        return self.ok("release", "promote", release, "-E", env, "-f", fleet, **kw)

    def raw(self, name):
        return (self.folder / name).read_bytes()

    def put_raw(self, name, data):
        (self.folder / name).write_bytes(data)


@pytest.fixture(params=["file", "s3"])
def team(request, holdfast, tmp_path):
    return Team(holdfast, tmp_path, request.getfixturevalue("s3") if request.param == "s3" else None)


@pytest.fixture
def local(holdfast, tmp_path):
    return Team(holdfast, tmp_path)


# --- build ------------------------------------------------------------------------------------------------------


def git(tree, *args):
    env = {**os.environ, "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    subprocess.run(["git", *args], cwd=tree, env={**env, "GIT_CONFIG_GLOBAL": "/dev/null"}, check=True, capture_output=True)


def build(team, *args):
    return team.ok("release", "build", *args)["release"]


def test_same_tree_same_hash(local):
    """Folder, copy with other times and a looser umask, commit, bare clone: one hash. The work tree's own changes do not count for a ref."""
    (local.tree / "roles/web/files/motd").chmod(0o600)
    first = build(local, "tree")
    shutil.copytree(local.tree, local.path / "copy")
    for p in (local.path / "copy").rglob("*"):
        os.utime(p, (1, 1))
    (local.path / "copy/roles/web/files/motd").chmod(0o664)
    assert build(local, "copy") == first
    git(local.tree, "init", "-q")
    git(local.tree, "add", "-A")
    git(local.tree, "commit", "-qm", "one")
    git(local.path, "clone", "-q", "--bare", "tree", "bare")
    assert build(local, "tree") == first
    assert build(local, "tree", "--git", "HEAD") == first
    assert build(local, "bare", "--git", "HEAD") == first
    local.write("site.yml", "- hosts: none\n")
    assert build(local, "tree", "--git", "HEAD") == first
    assert build(local, "tree") != first
    git(local.tree, "diff", "--cached", "--quiet")


def test_mode_and_name_and_content_count(local):
    seen = {build(local, "tree"), build(local, "tree", "--name", "x")}
    (local.tree / "site.yml").chmod(0o755)
    seen.add(build(local, "tree"))
    (local.tree / "roles").rename(local.tree / "rules")
    seen.add(build(local, "tree"))
    assert len(seen) == 4


@pytest.mark.parametrize(
    "pattern,gone",
    [
        ("*.pyc", {"a.pyc", "d/b.pyc"}),
        ("/a.pyc", {"a.pyc"}),
        ("d/", {"d/b.pyc", "d/e/f.txt"}),
        ("d/*", {"d/b.pyc", "d/e/f.txt"}),
        ("**/f.txt", {"d/e/f.txt"}),
        ("d/**", {"d/b.pyc", "d/e/f.txt"}),
        ("*.pyc\n!/a.pyc", {"d/b.pyc"}),
        ("# nothing\n\n", set()),
    ],
)
def test_ignored_files(local, pattern, gone):
    all_files = {"site.yml", "a.pyc", "d/b.pyc", "d/e/f.txt"}
    shutil.rmtree(local.tree)
    for name in all_files:
        local.write(name, "- hosts: all\n" if name == "site.yml" else "x")
    local.write(".holdfastignore", pattern)
    local.start("dev")
    shown = local.ok("release", "show", local.push())
    assert {f["path"] for f in shown["files"]} == all_files - gone


def make_device(tree):
    os.mknod(tree / "null", 0o600 | 0o020000, os.makedev(1, 3))


@pytest.mark.parametrize(
    "make,word",
    [
        (lambda t: (t / "out").symlink_to("/etc/passwd"), "leaves the tree"),
        (lambda t: (t / "out").symlink_to("../../.."), "leaves the tree"),
        (lambda t: (t / "out").symlink_to("nowhere"), "leads nowhere"),
        (lambda t: (t / "circle").symlink_to("."), "levels deep"),
        (lambda t: os.mkfifo(t / "pipe"), "device, socket or pipe"),
        (make_device, "device, socket or pipe"),
        (lambda t: (t / "site.yml").chmod(0o4755), "setuid"),
        (lambda t: (t / "back\\slash").write_text(""), "backslash"),
        (lambda t: (t / "new\nline").write_text(""), "control character"),
        (lambda t: pathlib.Path(os.fsdecode(os.fsencode(t) + b"/\xff")).write_text(""), "UTF-8"),
        (lambda t: (t / "site.yml").unlink(), "no playbook"),
    ],
    ids=["link-absolute", "link-upwards", "link-dangling", "link-circle", "pipe", "device", "setuid", "backslash", "newline", "not-utf8", "no-entry"],
)
def test_trees_that_are_refused(local, make, word):
    make(local.tree)
    done = local.run("release", "build", "tree")
    assert done.returncode != 0 and word in done.stderr


def test_links_inside_the_tree_are_followed(local):
    first = build(local, "tree")
    (local.tree / "also").symlink_to("roles/web")
    (local.tree / "motd").symlink_to("roles/web/files/motd")
    local.start("dev")
    shown = {f["path"]: f for f in local.ok("release", "show", local.push())["files"]}
    assert shown["motd"]["sha256"] == shown["also/files/motd"]["sha256"] == shown["roles/web/files/motd"]["sha256"]
    assert build(local, "tree") != first


# --- push --------------------------------------------------------------------------------------------------------


def test_second_push_sends_only_what_changed(team):
    team.start()
    for i in range(40):
        team.write(f"roles/r{i}/f", f"{i}\n")
    first = team.ok("release", "push", "tree")
    assert first["uploaded"] == first["objects"] == 42
    team.write("roles/r7/f", "changed\n")
    second = team.ok("release", "push", "tree")
    assert (second["uploaded"], second["uploaded_bytes"]) == (1, 8)
    again = team.ok("release", "push", "tree")
    assert again["uploaded"] == 0 and again["existed"]
    team.ok("release", "verify", second["release"], "--deep")


def test_interrupted_push_is_invisible_and_resumes(local):
    """Killed while objects go up: no release; the next push sends the rest."""
    for i in range(3000):
        local.write(f"files/{i}", f"{i}\n" * 50)
    for again in range(5):
        local.folder = local.path / f"store{again}"
        local.url = f"file://{local.folder}"
        local.start("dev")
        process = subprocess.Popen(
            [local.holdfast, "release", "push", "tree"], cwd=local.path, env=local.env(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        objects = local.folder / "objects"
        while process.poll() is None and not (objects.exists() and len(list(objects.iterdir())) > 20):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        if local.ok("release", "list")["releases"] == []:
            break
        local.ok("release", "verify", "--deep")  # it was through before we looked: once more
    assert process.returncode == -signal.SIGKILL and local.ok("release", "list")["releases"] == []
    rest = local.ok("release", "push", "tree")
    assert 0 < rest["uploaded"] < rest["objects"]
    assert not list(local.folder.rglob("*.tmp")) or rest["existed"] is False
    local.ok("release", "verify", rest["release"], "--deep")


def test_progress_on_a_terminal(team):
    """A bar with what is to be sent; nothing of it where nobody looks."""
    team.start("dev")
    for i in range(30):
        team.write(f"files/{i}", f"{i}\n" * 20000)
    keys = ["--key", str(team.path / "alice.pem")]
    ours, theirs = os.openpty()
    pushed = subprocess.Popen([team.holdfast, "release", "push", "tree", *keys], cwd=team.path, env=team.env(), stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other side has closed
            break
        shown += piece
    os.close(ours)
    assert pushed.wait() == 0
    assert re.search(rb"\[#{30}\] 100%  32 of 32 objects, [\d.]+ MB of [\d.]+ MB", shown), shown[-300:]
    assert team.run("release", "push", "tree").stderr == ""


def test_push_by_somebody_without_the_role_uploads_nothing(team):
    team.start()
    team.refused("unknown-key", "release", "push", "tree", "--key", "mallory.pem")
    assert not (team.folder / "objects").exists()


# --- promote, rollback, halt, revoke ---------------------------------------------------------------------------------


def test_one_hash_moves_from_dev_to_prod(team):
    team.start("dev", "test", "prod")
    release = team.push("one")
    team.promote(release)
    assert team.ok("release", "promote", "dev/web", "-E", "test", "-f", "web")["release"] == release
    assert team.ok("release", "promote", "test/web", "-E", "prod", "-f", "web")["release"] == release
    listed = team.ok("release", "list")
    assert [(c["environment"], c["release"]) for c in listed["channels"]] == [(e, release) for e in ("dev", "prod", "test")]


def test_rollback_is_a_new_pointer_to_the_release_before(team):
    team.start("dev")
    one = team.push("one")
    team.write("site.yml", "- hosts: all\n")
    two = team.push("two")
    team.write("site.yml", "- hosts: all # three\n")
    three = team.push("three")
    for r in (one, two, three):
        team.promote(r)
    assert team.run("release", "rollback", "-E", "dev", "-f", "web").returncode == 5  # a reason is required
    back = team.ok("release", "rollback", "-E", "dev", "-f", "web", "--reason", "three broke")
    assert (back["release"], back["previous"], back["seq"], back["kind"]) == (two, three, 4, "rollback")
    # Once more goes further back, not forward again to what was left.
    assert team.ok("release", "rollback", "-E", "dev", "-f", "web", "--reason", "two as well")["release"] == one
    assert team.run("release", "rollback", "-E", "dev", "-f", "web", "--reason", "more").returncode == 8
    log = team.ok("release", "log", "dev")
    assert [e["what"] for e in log] == ["promote"] * 3 + ["rollback"] * 2
    assert log[3]["details"]["reason"] == "three broke"


def test_revoked_release_cannot_come_back(team):
    team.start("dev")
    one = team.push("one")
    team.write("site.yml", "- hosts: all\n")
    two = team.push("two")
    team.promote(one)
    team.promote(two)
    team.ok("release", "revoke", one, "--reason", "leaks a password")
    team.refused("revoked", "release", "promote", one, "-E", "dev", "-f", "web")
    team.refused("revoked", "release", "rollback", "-E", "dev", "-f", "web", "--to", one, "--reason", "x")
    assert team.run("release", "rollback", "-E", "dev", "-f", "web", "--reason", "x").returncode == 8
    assert team.ok("release", "root")["revoked"][0]["reason"] == "leaks a password"


def test_halt_keeps_the_release(team):
    team.start("dev")
    one = team.push("one")
    (team.path / "r.yml").write_text("canary: {percent: 5}\n")
    team.promote(one, fleet="web")
    team.ok("release", "promote", one, "-E", "dev", "-f", "web", "--rollout", "r.yml")
    halted = team.ok("release", "halt", "-E", "dev", "-f", "web", "--reason", "errors rise")
    assert (halted["kind"], halted["release"], halted["seq"], halted["rollout"]) == ("halt", one, 3, {"canary": {"percent": 5}})


def test_two_managers_at_once_one_is_told_so(local):
    """Both look, both sign the same number; the store lets one write. Each round has exactly one winner. (On an
    S3 server: test_promotion.)"""
    team = local
    team.start("dev")
    releases = []
    for i in range(RACERS):
        team.write("site.yml", f"- hosts: all # {i}\n")
        releases.append(team.push(f"r{i}"))
    team.promote(releases[0])
    for _ in range(ROUNDS):
        before = team.ok("release", "list")["channels"][0]["seq"]
        for i, r in enumerate(releases):
            team.ok("release", "promote", r, "-E", "dev", "-f", "web", "--out", f"p{i}.json")
        results = [None] * RACERS

        def publish(i):
            results[i] = team.run("release", "publish", f"p{i}.json")

        threads = [threading.Thread(target=publish, args=(i,)) for i in range(RACERS)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        winners = [i for i, r in enumerate(results) if r.returncode == 0]
        assert len(winners) == 1, [r.stderr for r in results]
        now = team.ok("release", "list")["channels"][0]
        assert (now["release"], now["seq"]) == (releases[winners[0]], before + 1)
        for i, r in enumerate(results):
            if i not in winners:  # told before writing, or by the store
                told = json.loads(r.stdout)["error"]
                assert told["code"] == "conflict" or told["refusal"] == "equivocation"
                assert releases[winners[0]][:12] in told["message"] or told.get("refusal") == "equivocation"
    team.ok("release", "verify")


def holds(pid, name):
    """Whether the process has such a file open; descriptors come and go while we look."""
    for f in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            if os.readlink(f).endswith(name):
                return True
        except FileNotFoundError:
            pass
    return False


def test_conflict_names_who_and_what(local):
    """The loser read the channel before the winner wrote: a store that answers the old pointer once shows it."""
    local.start("dev")
    one = local.push("one")
    local.write("site.yml", "- hosts: all\n")
    two = local.push("two")
    local.promote(one)
    lock = open(local.folder / ".lock", "w")
    import fcntl

    fcntl.flock(lock, fcntl.LOCK_EX)  # the loser has read the channel and waits to write
    loser = subprocess.Popen(
        [local.holdfast, "release", "promote", one, "-E", "dev", "-f", "web"],
        cwd=local.path, env=local.env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 180
    while not holds(loser.pid, "/.lock"):
        assert loser.poll() is None and time.monotonic() < deadline
    store = local.url
    shutil.copytree(local.folder, local.path / "other")
    local.url = f"file://{local.path / 'other'}"
    local.promote(two)
    shutil.copy(local.path / "other/channels/dev/web.json", local.folder / "channels/dev/web.json")
    local.url = store
    fcntl.flock(lock, fcntl.LOCK_UN)
    _, told = loser.communicate(timeout=180)
    assert loser.returncode == 6
    assert "somebody else was first: alice" in told and two[:12] in told


def test_second_of_two_signed_pointers_is_told(team):
    team.start("dev")
    one = team.push("one")
    team.write("site.yml", "- hosts: all\n")
    two = team.push("two")
    team.ok("release", "promote", one, "-E", "dev", "-f", "web", "--out", "1.json")
    team.ok("release", "promote", two, "-E", "dev", "-f", "web", "--out", "2.json")
    team.ok("release", "publish", "2.json")
    team.refused("equivocation", "release", "publish", "1.json")
    assert team.ok("release", "list")["channels"][0]["release"] == two


# --- thresholds and roots -------------------------------------------------------------------------------------------


def test_two_of_three_sign_in_steps(team):
    add = [w for n in ("alice", "bob", "carol") for w in ("--add", f"deploy:prod={n}.pub")]
    team.ok("release", "init", "-E", "dev", *add, "--threshold", "deploy:prod=2")
    release = team.push()
    told = team.refused("below-threshold", "release", "promote", release, "-E", "prod")
    assert "--out FILE" in told
    team.ok("release", "promote", release, "-E", "prod", "--out", "p.json")
    team.refused("below-threshold", "release", "publish", "p.json")
    assert team.run("release", "sign", "p.json").returncode == 6  # alice again
    team.ok("release", "sign", "p.json", key="mallory")
    team.refused("below-threshold", "release", "publish", "p.json")
    team.ok("release", "sign", "p.json", key="carol")
    assert team.ok("release", "publish", "p.json", key="carol")["release"] == release
    assert team.ok("release", "log", "prod")[0]["who"].startswith("carol")


def test_root_rotation_needs_old_and_new(team):
    team.start("dev")
    team.ok("release", "root", "--add", "root=bob.pub", "--threshold", "root=2", "--key", "alice.pem", "--key", "bob.pem")
    team.refused("below-threshold", "release", "root", "--expires", "90d")
    assert team.ok("release", "root", "--expires", "90d", "--key", "alice.pem", "--key", "bob.pem")["version"] == 3
    # Mallory puts herself in: she alone, then she with one of two.
    for keys in (["mallory.pem"], ["mallory.pem", "alice.pem"]):
        done = team.run("release", "root", "--add", "root=mallory.pub", "--threshold", "root=1", *[w for k in keys for w in ("--key", k)])
        assert done.returncode == 7
    assert team.ok("release", "root")["version"] == 3


def test_stolen_deploy_key_is_recovered_from(team):
    """The thief signs the highest number there is; a new epoch with a new key starts at 1."""
    team.ok("release", "init", "--add", "deploy:dev=mallory.pub")
    release = team.push()
    team.promote(release, key="mallory")
    stolen = json.loads(base64.b64decode(json.loads(team.raw("channels/dev/web.json"))["payload"]))
    assert stolen["seq"] == 1
    team.ok("release", "root", "--add", "deploy:dev=bob.pub", "--remove", "deploy:dev=mallory", "--new-epoch")
    listed = team.ok("release", "list")["channels"][0]
    assert listed["refusal"] == "unknown-key"
    team.refused("unknown-key", "release", "promote", release, "-E", "dev", "-f", "web", key="mallory")
    moved = team.promote(release, key="bob")
    assert (moved["key_epoch"], moved["seq"]) == (2, 1)
    team.ok("release", "verify")


def test_pinned_root(team):
    team.start("dev")
    team.push()
    (team.path / "pin.json").write_bytes(team.raw("root/1.json"))
    team.ok("release", "list", "--root", "pin.json")
    other = Team(team.holdfast, team.path / "other")
    other.start("dev")
    (team.path / "pin.json").write_bytes(other.raw("root/1.json"))
    team.refused("pinned-root", "release", "list", "--root", "pin.json")


# --- a hostile store ------------------------------------------------------------------------------------------------


@pytest.fixture
def shipped(local):
    local.start("dev", "prod")
    local.one = local.push("one")
    local.write("roles/web/files/motd", "two\n")
    local.two = local.push("two")
    local.promote(local.one)
    local.old = local.raw("channels/dev/web.json")
    local.promote(local.two)
    return local


def verify_says(team, *words):
    done = team.run("release", "verify", "--deep")
    assert done.returncode == 7, done.stdout
    assert [r["refusal"] for r in json.loads(done.stdout) if not r["good"]] == list(words)


def test_replayed_pointer_is_what_the_log_contradicts(shipped):
    """A tool that reads only the store cannot know it is a replay; publishing it again is refused."""
    (shipped.path / "old.json").write_bytes(shipped.old)
    shipped.refused("replayed-pointer", "release", "publish", "old.json")


def test_pointer_of_dev_served_to_prod(shipped):
    (shipped.folder / "channels/prod").mkdir()
    shipped.put_raw("channels/prod/web.json", shipped.raw("channels/dev/web.json"))
    verify_says(shipped, "wrong-environment")


def test_pointer_of_another_fleet(shipped):
    shipped.put_raw("channels/dev/db.json", shipped.raw("channels/dev/web.json"))
    verify_says(shipped, "wrong-environment")


def test_tampered_object(shipped):
    victim = next(f for f in shipped.ok("release", "show", shipped.two)["files"] if f["path"].endswith("motd"))
    shipped.put_raw(f"objects/{victim['sha256'][:2]}/{victim['sha256']}", b"TWO\n")
    verify_says(shipped, "hash-mismatch")


def test_longer_object(shipped):
    victim = next(f for f in shipped.ok("release", "show", shipped.two)["files"] if f["path"].endswith("motd"))
    shipped.put_raw(f"objects/{victim['sha256'][:2]}/{victim['sha256']}", b"two\n" * 1000)
    verify_says(shipped, "size-mismatch")


def test_withheld_object(shipped):
    victim = next(f for f in shipped.ok("release", "show", shipped.two)["files"] if f["path"].endswith("motd"))
    (shipped.folder / f"objects/{victim['sha256'][:2]}/{victim['sha256']}").unlink()
    verify_says(shipped, "missing-object")
    shipped.ok("release", "push", "tree", "--name", "two")  # brings it back
    shipped.ok("release", "verify", "--deep")


def test_one_release_under_anothers_name(shipped):
    shipped.put_raw(f"releases/{shipped.two}.json", shipped.raw(f"releases/{shipped.one}.json"))
    verify_says(shipped, "hash-mismatch")


def test_log_entry_replaced_or_missing(shipped):
    entry = shipped.raw("log/dev/1.json")
    (shipped.folder / "log/dev/1.json").unlink()
    verify_says(shipped, "broken-log")
    shipped.put_raw("log/dev/1.json", entry)
    shipped.put_raw("log/dev/2.json", entry)
    verify_says(shipped, "broken-log")


def test_root_skipped(shipped):
    for _ in range(2):
        shipped.ok("release", "root", "--expires", "90d")
    (shipped.folder / "root/2.json").write_bytes(shipped.raw("root/3.json"))
    shipped.refused("root-gap", "release", "list")


@pytest.mark.parametrize("junk", [b"", b"<html>503</html>", b"{}", b"\0" * 100, b"[" * 50000, b"A" * (1 << 17)], ids=["empty", "html", "object", "zeros", "nested", "large"])
def test_junk_for_a_pointer(shipped, junk):
    shipped.put_raw("channels/dev/web.json", junk)
    done = shipped.run("release", "verify")
    assert done.returncode in (1, 7) and "Traceback" not in done.stderr
    # Work goes on: the number comes from the signed log.
    if len(junk) < 1 << 16:
        assert shipped.promote(shipped.one)["seq"] == 3


# --- garbage -----------------------------------------------------------------------------------------------------------


def age(team, seconds=100 * 86400):
    for p in team.folder.rglob("*"):
        if p.is_file():
            os.utime(p, (time.time() - seconds,) * 2)


def test_gc_keeps_what_may_be_needed(local):
    local.start("dev")
    names = []
    for i in range(6):
        local.write("site.yml", f"- hosts: all # {i}\n")
        names.append(local.push(f"r{i}"))
        if i < 5:
            local.promote(names[-1])
    local.ok("release", "revoke", names[0], "--reason", "x")
    local.write("young", "1")
    age(local)
    young = local.push("young")
    dry = local.ok("release", "gc", "--keep-log", "1", "--dry-run")
    assert len(local.ok("release", "list")["releases"]) == 7
    gone = local.ok("release", "gc", "--keep-log", "1")
    assert gone["releases_removed"] == dry["releases_removed"] == 3
    left = {r["release"] for r in local.ok("release", "list")["releases"]}
    # revoked (floor), previous and present pointer, and what is young
    assert left == {names[0], names[3], names[4], young}
    local.ok("release", "verify", *left - {names[0]}, "--deep")
    assert local.ok("release", "gc", "--keep-log", "1")["objects_removed"] == 0


def test_gc_removes_nothing_when_a_pointer_cannot_be_read(local):
    local.start("dev")
    local.promote(local.push("one"))
    local.write("site.yml", "- hosts: all\n")
    local.push("two")
    age(local)
    local.put_raw("channels/dev/web.json", local.raw("channels/dev/web.json")[:-40] + b"\n")
    before = sorted(p for p in local.folder.rglob("*"))
    local.refused("bad-envelope", "release", "gc")
    assert sorted(p for p in local.folder.rglob("*")) == before


# --- keys ---------------------------------------------------------------------------------------------------------------


def test_key_files(local):
    (local.path / "alice.pem").chmod(0o644)
    done = local.run("release", "init", "-E", "dev")
    assert done.returncode == 1 and "chmod 600" in done.stderr
    (local.path / "alice.pem").chmod(0o600)
    assert local.run("key", "generate", "alice.pem").returncode == 6  # never replaced
    local.ok("key", "generate", "safe.pem", HOLDFAST_KEY_PASSPHRASE="secret")
    done = local.run("release", "init", "-E", "dev", key="safe")
    assert done.returncode == 1 and "HOLDFAST_KEY_PASSPHRASE" in done.stderr
    done = local.run("release", "init", "-E", "dev", key="safe", HOLDFAST_KEY_PASSPHRASE="wrong")
    assert done.returncode == 1 and "does not open" in done.stderr
    (local.path / "pass").write_text("secret\n")
    local.ok("release", "init", "-E", "dev", "--passphrase-file", "pass", key="safe")


def test_what_cannot_run_is_no_release(local):
    """Lint before build: refused by name and place; --no-lint builds it, with the same hash rules."""
    local.write("site.yml", "- hosts: all\n  tasks:\n    - nobody.knows.this: {a: 1}\n")
    done = local.run("release", "build", "tree")
    assert done.returncode == 1 and "site.yml:3:7" in done.stderr and "nobody.knows.this" in done.stderr
    assert build(local, "tree", "--no-lint")
    local.write("site.yml", "- hosts: all\n  tasks:\n    - nobody.knows.this: {a: 1}\n      when: x is defined\n")
    done = local.run("release", "build", "tree")
    assert done.returncode == 0 and "may stumble" in done.stderr


def test_rotate_puts_a_new_key_in_every_place_of_the_old(team):
    """A root key that also deploys: root N+1 is signed by the old and the new one; the old one's signatures stop counting."""
    team.start("dev", "prod")
    release = team.push()
    team.promote(release)
    team.ok("key", "rotate", "alice", "bob.pem", key="alice")
    root = team.ok("release", "root")
    assert root["version"] == 2
    for role in (root["root"], root["release"], root["deploy"]["dev"], root["deploy"]["prod"]):
        assert [k["name"] for k in role["keys"]] == ["bob"]
    team.refused("unknown-key", "release", "promote", release, "-E", "dev", "-f", "web")
    assert team.push(key="bob") == release  # its document is signed anew
    assert team.promote(release, key="bob")["release"] == release
    assert team.run("key", "rotate", "alice.pem", "carol.pem", key="bob").returncode == 8
    team.refused("unknown-key", "key", "rotate", "bob.pem", "carol.pem", key="mallory")
    team.ok("release", "verify")


def test_expiry_is_told_a_month_ahead(local):
    local.ok("release", "init", "-E", "dev", "--expires", "20d")
    assert "root 1 expires on" in local.run("release", "list").stderr
    local.ok("release", "root", "--expires", "365d")
    assert local.run("release", "list").stderr == ""


def test_diff_names_files_and_tasks(local):
    local.start("dev")
    local.write("roles/web/tasks/main.yml", "- name: user\n  user: {name: a}\n- copy: {content: x, dest: /x}\n- block:\n    - name: inner\n      command: a\n- name: old\n  command: b\n")
    one = local.push("one")
    local.write("roles/web/tasks/main.yml", "- name: fresh\n  command: c\n- name: user\n  user: {name: b}\n- copy: {content: x, dest: /x}\n- block:\n    - name: inner\n      command: z\n")
    local.write("roles/web/files/motd", "other\n")
    local.write("roles/web/tasks/broken.yml", ": [\n")
    two = local.push("two")
    diff = local.ok("release", "diff", one, two)
    assert (diff["added"], diff["removed"], diff["changed"]) == (
        ["roles/web/tasks/broken.yml"], [], ["roles/web/files/motd", "roles/web/tasks/main.yml"])
    assert sorted((t["change"], t["task"]) for t in diff["tasks"]) == [("added", "fresh"), ("changed", "inner"), ("changed", "user"), ("removed", "old")]
    assert {t["file"] for t in diff["tasks"]} == {"roles/web/tasks/main.yml"}
    said = subprocess.run([local.holdfast, "release", "diff", one, two], env=local.env(), capture_output=True, text=True, check=True).stdout
    assert "~ roles/web/tasks/main.yml\n" in said and "    ~ task: user\n" in said
