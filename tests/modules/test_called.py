"""Modules against Ansible's own programs of them, those of its collections among them, asked anew every time.

For each: status, tree and result keys as ansible's; check touches nothing; a second run is ok; undo restores."""
import json
import subprocess

import pytest

from bundle import bundle
from kit import ask_holdfast, ask_modules, assert_check, assert_same, assert_second, build, take_back
from rows import CALLED as ROWS
from rows import load

load()
IDS = [r.title for r in ROWS]
# What a command did is known to the command only; some things cannot come back, and are said not to.
UNDONE = [r for r in ROWS if "expect" not in r.task and not r.options.get("gone")]
# The collections that belong to the ansible-core the tests pin, and what modules of them import.
BUNDLES = ["ansible==10.7.0", "pexpect==4.9.0", "ptyprocess==0.7.0"]
WANTED = (*(f"ansible_collections/{w}/" for w in ("community/general", "ansible/posix", "community/crypto")), "pexpect/", "ptyprocess/")


def collections():
    return bundle(BUNDLES, WANTED)


@pytest.fixture(scope="session")
def ansible(tmp_path_factory):
    return ask_modules(tmp_path_factory.mktemp("ansible"), ROWS, collections())


@pytest.fixture(scope="session")
def ours(tmp_path_factory, holdfast):
    return ask_holdfast(tmp_path_factory.mktemp("holdfast"), ROWS, holdfast)


@pytest.fixture(scope="session")
def undone(tmp_path_factory):
    return take_back(tmp_path_factory.mktemp("undo"), UNDONE)


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_same_as_ansible(i, ansible, ours):
    assert_same(ROWS[i], ansible[i], ours[i])


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_check_touches_nothing_and_tells(i, ours):
    assert_check(ROWS[i], ours[i])


@pytest.mark.parametrize("i", range(len(UNDONE)), ids=[r.title for r in UNDONE])
def test_undo_restores(i, undone):
    """Kinds, owners, modes, contents, links and the times of files are as before."""
    before, after = undone[i]
    assert after == before


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_second_run_is_ok(i, ours):
    assert_second(ROWS[i], ours[i])


@pytest.mark.parametrize("title", ["filesystem new", "filesystem new with a UUID", "filesystem another UUID"])
def test_undo_of_file_systems(title, tmp_path_factory):
    """What is wiped tells no more what it was, and a UUID comes back."""
    rows = [r for r in ROWS if r.title == title]
    device = tmp_path_factory.mktemp("undo") / "rows" / "0" / "d"

    def said():
        return subprocess.run(["blkid", "-p", "-o", "export", "-s", "TYPE", "-s", "UUID", device], capture_output=True, text=True).stdout

    build(device.parents[2], rows)
    before = said()
    take_back(device.parents[2], rows)
    assert said() == before


@pytest.mark.parametrize("public", [True, False], ids=["public key there", "no public key"])
@pytest.mark.parametrize("unsafe", [False, True], ids=["put in place", "written in place"])
def test_no_half_of_a_pair(holdfast, tmp_path, unsafe, public):
    """A private key that cannot be replaced, something being mounted on it, leaves the public one as it was."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "k"], check=True)
    if not public:
        (tmp_path / "k.pub").unlink()
    args = {"path": str(tmp_path / "k"), "type": "ecdsa", "unsafe_writes": unsafe}
    tasks = [{"community.crypto.openssh_keypair": args}]
    (tmp_path / "site.yml").write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    before = {p.name: p.read_text() for p in tmp_path.iterdir()}
    done = subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c",
                           'mount --bind "$1/k" "$1/k" && exec "$2" apply "$1/site.yml"', "-", tmp_path, holdfast],
                          capture_output=True, text=True)
    after = {p.name: p.read_text() for p in tmp_path.iterdir()}
    if not unsafe:
        assert done.returncode == 2 and "Device or resource busy" in done.stdout + done.stderr, done
        assert after == before
        return
    own = subprocess.run(["ssh-keygen", "-y", "-f", tmp_path / "k"], capture_output=True, text=True, check=True).stdout
    assert done.returncode == 0 and after["k"] != before["k"] and set(after) == {"k", "k.pub", "site.yml"}, done
    assert own.split()[:2] == after["k.pub"].split()[:2] and own.startswith("ecdsa-")


@pytest.mark.parametrize("backend,words", [("auto", "Cannot find either the OpenSSH binary in the PATH or cryptography >= 2.6 installed on this system"),
                                           ("opensshbin", "Cannot find the OpenSSH binary in the PATH")])
def test_keys_without_ssh_keygen(holdfast, tmp_path, backend, words):
    tasks = [{"community.crypto.openssh_keypair": {"path": str(tmp_path / "k"), "type": "ed25519", "backend": backend}}]
    (tmp_path / "site.yml").write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    done = subprocess.run([holdfast, "apply", "site.yml"], cwd=tmp_path, capture_output=True, text=True, env={"PATH": str(tmp_path)})
    assert done.returncode == 2 and words in done.stdout + done.stderr, done
