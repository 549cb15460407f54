"""A module that says it shows differences shows one for a change, in check mode and with --diff; one that says it does not shows
none. The changes are the rows of the other tests, and those below for modules of the system, which only check mode runs."""
import collections
import json
import subprocess

import pytest

from kit import BUILD, build, run
from rows import CALLED, PLAYED, Disk, Row, load

load()

TABLES = {m["name"]: m for m in json.loads(subprocess.run([BUILD / "holdfast", "modules", "--json"], capture_output=True,
                                                         check=True).stdout)}
SYSTEM = {
    "cron": {"name": "hf-test", "job": "true", "user": "root", "cron_file": "hf-diff-test"},
    "ansible.posix.mount": {"path": "@/m", "src": "tmpfs", "fstype": "tmpfs", "state": "present", "fstab": "@/fstab"},
    "ansible.posix.sysctl": {"name": "vm.swappiness", "value": "7", "sysctl_file": "@/s.conf", "reload": False},
    "community.general.pam_limits": {"domain": "ann", "limit_type": "soft", "limit_item": "nofile", "value": "64", "dest": "@/l.conf"},
    "community.general.kernel_blacklist": {"name": "nouveau", "blacklist_file": "@/b.conf"},
    "community.general.timezone": {"name": "Pacific/Tongatapu"},
    "hostname": {"name": "hf-diff-test"},
    "group": {"name": "hf-diff-test"},
    "user": {"name": "hf-diff-test"},
    "yum_repository": {"name": "hf", "description": "d", "baseurl": "http://127.0.0.1/", "reposdir": "@"},
    "apt_repository": {"repo": "deb http://127.0.0.1/ stable main", "filename": "hf-diff-test", "update_cache": False},
    "deb822_repository": {"name": "hf-diff-test", "uris": "http://127.0.0.1/", "suites": "stable", "components": "main"},
    "community.general.ini_file": {"path": "@/i.ini", "section": "a", "option": "b", "value": "c"},
    "community.general.filesystem": {"dev": "@/d", "fstype": "ext4"},
    "community.general.modprobe": {"name": "dummy", "persistent": "present"},
}
GIVEN = {"fstab": "", "s.conf": "", "l.conf": "", "b.conf": "", "d": Disk()}
ROWS = (PLAYED + CALLED
        + [Row(f"system {name}", GIVEN, {name: args}) for name, args in SYSTEM.items()])
# What says yes and is not asked here: it wants what the machines of the tests have not, as do those of
# docker.
ELSEWHERE = {"alternatives", "apt", "debconf", "locale_gen", "mdadm", "modprobe", "nmcli", "sefcontext", "selinux", "systemd"}


@pytest.fixture(scope="module")
def shown(tmp_path_factory, holdfast):
    """For each module: of its changes, how many showed a difference."""
    book = build(tmp_path_factory.mktemp("diffs"), ROWS)
    done = run([holdfast, "apply", "--check", "--diff", "--output", "jsonl", book], book.parent.parent, book.parent)
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    tasks = [e for e in events if e.get("type") == "task" and "item" not in e]
    assert len(tasks) == len(ROWS) + 1, done.stderr[-2000:]
    out = collections.defaultdict(list)
    for e in tasks:
        if e["status"] == "changed":
            out[e["module"].split(".")[-1]].append(bool(e.get("diff")))
    return out


@pytest.mark.parametrize("name", [n for n, m in TABLES.items() if m["diff"] and m["lasting"] and n not in ELSEWHERE
                                  and m["collection"] != "community.docker"])
def test_shows_differences(name, shown):
    assert shown[name], "no row changes anything"
    assert any(shown[name])


@pytest.mark.parametrize("name", [n for n, m in TABLES.items() if not m["diff"]])
def test_shows_none(name, shown):
    assert not any(shown.get(name, []))
