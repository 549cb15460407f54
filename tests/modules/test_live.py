"""Modules that change a running host, beside Ansible's own on an identical second host: in check mode, applied and applied again both
say the same, and leave the same behind."""
import json
import pathlib
import subprocess
import sys
import sysconfig

import pytest

from beside import ansible_plan, by_row, holdfast_play, same
from places import BUILD, ROOT
from rows import LIVE, load
from test_called import collections

sys.path.insert(0, str(ROOT / "tests/system"))
import aptrepo  # noqa: E402
from host import BESIDE, Host  # noqa: E402

load()
# firewalld is the last: it takes away what ufw lets through.
ROWS = sorted(LIVE, key=lambda row: row.module.endswith(".firewalld"))


def boot(archive, binds):
    host = Host(binds={"/srv/archive": archive, **binds}, packages=BESIDE).__enter__()
    host.put("/etc/apt/sources.list", "# nothing here\n")
    return host


def make_archive(folder, home):
    """An archive of packages, and two keys."""
    aptrepo.build(folder)
    home.chmod(0o700)
    for name in ("a", "b"):
        gpg = ["gpg", "--homedir", home, "--batch", "--quiet", "--passphrase", ""]
        subprocess.run([*gpg, "--quick-gen-key", f"{name}@example.org", "ed25519", "cert,sign", "never"], check=True)
        for suffix, words in (("asc", ["--armor"]), ("gpg", [])):
            subprocess.run([*gpg, *words, "--output", folder / f"{name}.{suffix}", "--export", f"{name}@example.org"], check=True)
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)
    return folder


def ask_ansible(archive):
    site = pathlib.Path(sysconfig.get_paths()["purelib"])
    binds = {"/opt/site": site, "/opt/tests": ROOT / "tests/modules", "/opt/collections": collections()}
    host = boot(archive, binds)
    try:
        host.put("/root/plan.json", json.dumps(ansible_plan(ROWS)))
        host.run("python3 /opt/tests/run_modules.py /root/plan.json /root/out.json", env={"PYTHONPATH": "/opt/site:/opt/collections"}, timeout=3600,
                 check=True)
        return by_row(ROWS, json.loads(host.get("/root/out.json")))
    finally:
        host.close()


def ask_holdfast(archive):
    host = boot(archive, {})
    try:
        host.install(BUILD / "holdfast", "/usr/bin/holdfast")
        host.put("/root/play.json", json.dumps(holdfast_play(ROWS, "/root/out.json")))
        done = host.run("holdfast apply /root/play.json", timeout=3600)
        assert host.exists("/root/out.json"), done
        return by_row(ROWS, json.loads(host.get("/root/out.json")))
    finally:
        host.close()


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return make_archive(tmp_path_factory.mktemp("archive"), tmp_path_factory.mktemp("gpg"))


@pytest.fixture(scope="module")
def theirs(archive):
    return ask_ansible(archive)


@pytest.fixture(scope="module")
def ours(archive):
    return ask_holdfast(archive)


@pytest.mark.parametrize("i", range(len(ROWS)), ids=[r.title for r in ROWS])
def test_same_as_ansible(i, theirs, ours):
    want, got = same(ROWS[i], theirs[i], ours[i])
    assert got == want
