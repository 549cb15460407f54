"""What the modules of the system return on a real host, beside ansible-core's own on an identical second host: both take the same
tasks in the same order, from the same start, and every result agrees in status and keys."""
import json
import pathlib
import sysconfig

import pytest

import aptrepo
from host import BESIDE, Host
from places import BUILD, ROOT

UNIT = "[Unit]\nDescription=nap\n[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n"
# What a run, a clock or the program beneath gives, and Ansible's own bookkeeping.
VOLATILE = {"invocation", "diff", "warnings", "deprecations", "stdout", "stderr", "stdout_lines", "stderr_lines", "ansible_facts",
            "cache_update_time", "exception", "failed", "backup_file", "status", "_ansible_no_log"}
POSIX = "ansible_collections.ansible.posix.plugins.modules."
TASKS = [
    # module, arguments, keys that may differ
    ("apt", {"name": "hf-demo=1.0"}),
    ("apt", {"name": "hf-demo=1.0"}),
    ("apt", {"name": "hf-demo", "state": "latest"}),
    ("apt", {"name": "hf-demo=1.1"}, ["msg"]),
    ("apt", {"name": "hf-demo=1.1", "allow_downgrade": True}),
    ("apt", {"name": "no-such-package"}),
    ("apt", {"name": ["hf-tool-x", "hf-tool-y"], "force_apt_get": True, "install_recommends": False}),
    ("apt", {"name": "hf-tool-*", "only_upgrade": True}),
    ("apt", {"name": "hf-tool-x", "state": "absent", "purge": True}),
    ("apt", {"name": "hf-tool-x", "state": "absent"}),
    ("apt", {"deb": "/srv/archive/hf-tool-x_1.0_all.deb"}),
    ("apt", {"deb": "/srv/archive/hf-tool-x_1.0_all.deb"}),
    ("apt", {"autoremove": True}),
    ("apt", {"clean": True}),
    ("apt", {"autoclean": True}),
    ("apt", {"upgrade": "dist"}, ["msg"]),
    ("apt", {"update_cache": True, "update_cache_retries": 2, "update_cache_retry_max_delay": 1}, ["cache_updated", "changed"]),
    ("systemd", {"name": "nap", "state": "started", "enabled": True}),
    ("systemd", {"name": "nap", "state": "started", "enabled": True}),
    ("systemd", {"name": "nap", "state": "stopped", "enabled": False}),
    ("systemd", {"name": "cron.service", "masked": True}),
    ("systemd", {"name": "cron.service", "masked": False}),
    ("systemd", {"name": "no-such-unit", "state": "started"}),
    ("systemd", {"daemon_reload": True}, ["changed"]),
    ("group", {"name": "crew", "gid": 4321}),
    ("group", {"name": "crew", "gid": 4321}),
    ("user", {"name": "ada", "uid": 1815, "comment": "Ada L", "shell": "/bin/sh", "groups": "crew,games"}),
    ("user", {"name": "ada", "uid": 1815, "comment": "Ada L", "shell": "/bin/sh", "groups": "crew,games"}),
    ("user", {"name": "ada", "shell": "/bin/bash", "append": True, "groups": "crew"}),
    ("user", {"name": "ada", "password_lock": True}),
    ("user", {"name": "eve", "group": "no-such-group"}),
    ("user", {"name": "ada", "state": "absent", "remove": True}),
    ("user", {"name": "ada", "state": "absent"}),
    ("group", {"name": "crew", "state": "absent"}),
    ("hostname", {"name": "box.example.org"}),
    ("hostname", {"name": "box.example.org"}),
    ("cron", {"name": "say hello", "minute": "5", "job": "echo hello"}),
    ("cron", {"name": "say hello", "minute": "5", "job": "echo hello"}),
    ("cron", {"name": "PATH", "env": True, "job": "/bin"}),
    ("cron", {"name": "j", "cron_file": "jobs", "user": "root", "job": "/bin/true", "special_time": "daily"}),
    ("cron", {"name": "say hello", "state": "absent"}),
    ("getent", {"database": "passwd", "key": "root"}),
    ("getent", {"database": "passwd", "key": "nobody-has-this"}),
    ("dpkg_selections", {"name": "hf-demo", "selection": "hold"}),
    ("dpkg_selections", {"name": "hf-demo", "selection": "hold"}),
    ("apt", {"name": "hf-demo", "state": "latest"}, ["msg"]),
    ("apt", {"name": "hf-demo", "state": "latest", "allow_change_held_packages": True}),
]
IDS = [f"{i} {t[0]} {' '.join(f'{k}={v}' for k, v in t[1].items())}" for i, t in enumerate(TASKS)]


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
    host = make(archive, {"/opt/site": site, "/opt/tests": ROOT / "tests/differential"})
    try:
        host.put("/root/plan.json", json.dumps([[f"ansible.modules.{t[0]}", t[1], "/root"] for t in TASKS]))
        host.run("python3 /opt/tests/run_modules.py /root/plan.json /root/out.json", env={"PYTHONPATH": "/opt/site"}, timeout=1200, check=True)
        return json.loads(host.get("/root/out.json"))
    finally:
        host.close()


@pytest.fixture(scope="module")
def ours(archive):
    host = make(archive, {})
    try:
        host.install(BUILD / "holdfast", "/usr/bin/holdfast")
        tasks = [{t[0]: t[1], "register": f"r_{i}", "ignore_errors": True} for i, t in enumerate(TASKS)]
        dump = "{{ [" + ", ".join(f"r_{i}" for i in range(len(TASKS))) + "] | to_json }}"
        tasks.append({"copy": {"content": dump, "dest": "/root/out.json"}})
        host.put("/root/play.json", json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
        host.run("holdfast apply /root/play.json", timeout=1200)
        return json.loads(host.get("/root/out.json"))
    finally:
        host.close()


def status(result):
    return "failed" if result.get("failed") else "changed" if result.get("changed") else "ok"


@pytest.mark.parametrize("i", range(len(TASKS)), ids=IDS)
def test_same_result(i, wanted, ours):
    loose = set(TASKS[i][2]) if len(TASKS[i]) > 2 else set()
    want, got = wanted[i], ours[i]
    if "changed" not in loose:
        assert status(got) == status(want), (want, got)
    drop = VOLATILE | loose
    if want.get("failed"):
        drop |= set(want) ^ set(got)
    assert {k: v for k, v in got.items() if k not in drop} == {k: v for k, v in want.items() if k not in drop}
