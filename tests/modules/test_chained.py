"""What the modules of the system return on a real host, beside ansible-core's own on an identical second host: both take the same
tasks in the same order, from the same start, and every result agrees in status and keys."""
import json
import pathlib
import sys
import sysconfig

import pytest

from places import BUILD, ROOT
from rows import CHAINED as ROWS
from rows import load

sys.path.insert(0, str(ROOT / "tests/system"))
import aptrepo  # noqa: E402
from host import BESIDE, Host  # noqa: E402

load()

UNIT = "[Unit]\nDescription=nap\n[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n"
# What a run, a clock or the program beneath gives, and Ansible's own bookkeeping.
VOLATILE = {"invocation", "diff", "warnings", "deprecations", "stdout", "stderr", "stdout_lines", "stderr_lines", "ansible_facts",
            "cache_update_time", "exception", "failed", "backup_file", "status", "_ansible_no_log"}


def make(folder, binds):
    host = Host(binds={"/srv/archive": folder, **binds}, packages=BESIDE).__enter__()
    host.put("/etc/apt/sources.list", "deb [trusted=yes] file:/srv/archive ./\n")
    host.put("/etc/dpkg/dpkg.cfg.d/fast", "force-unsafe-io\n")
    host.put("/etc/systemd/system/nap.service", UNIT)
    host.run("apt-get update && systemctl daemon-reload", check=True)
    return host


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return aptrepo.build(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def wanted(archive):
    """ansible-core's results."""
    site = pathlib.Path(sysconfig.get_paths()["purelib"])
    host = make(archive, {"/opt/site": site, "/opt/tests": ROOT / "tests/modules"})
    try:
        host.put("/root/plan.json", json.dumps([[f"ansible.modules.{r.module}", r.args, "/root"] for r in ROWS]))
        host.run("python3 /opt/tests/run_modules.py /root/plan.json /root/out.json", env={"PYTHONPATH": "/opt/site"}, timeout=1200, check=True)
        return json.loads(host.get("/root/out.json"))
    finally:
        host.close()


@pytest.fixture(scope="module")
def ours(archive):
    host = make(archive, {})
    try:
        host.install(BUILD / "holdfast", "/usr/bin/holdfast")
        tasks = [{r.module: r.args, "register": f"r_{i}", "ignore_errors": True} for i, r in enumerate(ROWS)]
        dump = "{{ [" + ", ".join(f"r_{i}" for i in range(len(ROWS))) + "] | to_json }}"
        tasks.append({"copy": {"content": dump, "dest": "/root/out.json"}})
        host.put("/root/play.json", json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
        host.run("holdfast apply /root/play.json", timeout=1200)
        return json.loads(host.get("/root/out.json"))
    finally:
        host.close()


def status(result):
    return "failed" if result.get("failed") else "changed" if result.get("changed") else "ok"


@pytest.mark.parametrize("i", range(len(ROWS)), ids=[r.title for r in ROWS])
def test_same_result(i, wanted, ours):
    loose = ROWS[i].loose
    want, got = wanted[i], ours[i]
    if "changed" not in loose:
        assert status(got) == status(want), (want, got)
    drop = VOLATILE | loose
    if want.get("failed"):
        drop |= set(want) ^ set(got)
    assert {k: v for k, v in got.items() if k not in drop} == {k: v for k, v in want.items() if k not in drop}
