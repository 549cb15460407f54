"""The shipped roles for real on a Debian host with the distribution's packages: check mode touches nothing, a second run
changes nothing, and every status is the one ansible-playbook gives on such a host."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig

import pytest
import yaml

import vendor
from scene import BUILD, TREE as ROOT
from host import PACKAGES, Host, mirror
from inside import Doors

ROLES = sorted(p.name for p in (ROOT / "playbooks/roles").iterdir())
PYTHON = ["python3", "python3-apt", "python3-venv", "python3-pip"]
CALLBACK = '''
import json
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "rows"
    CALLBACK_NEEDS_ENABLED = True

    def line(self, r, status):
        if r._task.action.split(".")[-1] != "meta":
            with open("/run/rows", "a") as f:
                f.write(json.dumps([r._task.get_name(), status, r._result.get("msg", "") if status == "failed" else ""]) + "\\n")

    def v2_runner_on_ok(self, r):
        self.line(r, "changed" if r._result.get("changed") else "ok")

    def v2_runner_on_failed(self, r, ignore_errors=False):
        self.line(r, "failed")

    def v2_runner_on_skipped(self, r):
        self.line(r, "skipped")
'''
# What a container cannot have: kernel settings, a clock, a running docker.
VARIABLES = """chrony_manage_service: false
training_limits_load: false
docker_manage_service: false
docker_users: [ada]
users_groups: [research]
users_accounts:
  - { name: ada, groups: [research], keys_allowed: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDUm ada@example.org"] }
shared_storage_mounts:
  - { path: /mnt/shared, source: tmpfs, type: tmpfs, options: "size=1m" }
cuda_toolkit_versions: ["12.4", "12.6"]
cuda_toolkit_libraries: [libnccl2]
python_env_environments:
  - { name: train, requirements: train.lock }
nvidia_driver_source: runfile
nvidia_driver_runfile: files/driver.run
nvidia_driver_runfile_version: "550.90.07"
nvidia_driver_headers: make
""" + vendor.ROLE_VARIABLES
APPLIED = ["unattended_upgrades", "chrony", "training_limits", "users", "instance_store", "docker", "container_toolkit", "node_exporter",
           "shared_storage", "cloudwatch_agent", "ssm_agent", "dcgm", "nvidia_driver", "cuda_toolkit", "efa", "python_env", "miniforge", "jupyter"]
# What the installer of a driver leaves that the role looks at; the running kernel is this machine's, and has no headers here.
RUNFILE = ('#!/bin/sh\n[ "$1" = --silent ] && mkdir -p "/usr/src/$(basename "$0" .run)"\n'
           f"cat >/etc/systemd/system/nvidia-persistenced.service <<'END'\n{vendor.UNIT}END\n")
KERNEL = ("mkdir -p /lib/modules/$(uname -r)/build; printf '#!/bin/sh\n' >/usr/sbin/update-initramfs; "
          "chmod 755 /usr/sbin/update-initramfs")
FINGERPRINT = ("find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /dev -o -path /tmp -o -path /var/log -o -path "
               "/root -o -path /var/lib/apt -o -path /var/lib/dnf -o -name 'rpmdb.sqlite-shm' -o -path /var/cache \\) -prune -o -type f -printf '%p %m %u %g %s %T@\\n' -o -printf "
               "'%p %y %m %u %g\\n' | sort | sha256sum")


def wheel_lock(folder):
    """A package of nothing, and the lock that names it with its hash."""
    import zipfile
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "hfnothing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("hfnothing.py", "")
        z.writestr("hfnothing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: hfnothing\nVersion: 1.0\n")
        z.writestr("hfnothing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        z.writestr("hfnothing-1.0.dist-info/RECORD", "hfnothing.py,,\nhfnothing-1.0.dist-info/METADATA,,\n"
                   "hfnothing-1.0.dist-info/WHEEL,,\nhfnothing-1.0.dist-info/RECORD,,\n")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "train.lock").write_text(f"--no-index\n--find-links /srv/book/files\nhfnothing==1.0 --hash=sha256:{digest}\n")


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    shutil.copytree(ROOT / "playbooks/roles", folder / "roles")
    wheel_lock(folder / "files")
    (folder / "files/driver.run").write_text(RUNFILE)
    (folder / "files/jax.txt").write_text("@EXPLICIT\n")
    (folder / "vars.yml").write_text(VARIABLES + yaml.safe_dump(vendor.FETCHED))
    (folder / "site.yml").write_text("- hosts: localhost\n  connection: local\n  become: false\n  vars_files: [vars.yml]\n  roles:\n" +
                                     "".join(f"    - {r}\n" for r in APPLIED))
    (folder / "callbacks").mkdir()
    (folder / "callbacks/rows.py").write_text(CALLBACK)
    return folder, vendor.debs(tmp_path_factory.mktemp("vendor") / "archive")


ANSIBLE = ("cd /srv/book && rm -f /run/rows && env PYTHONPATH=/opt/ansible HOME=/root LC_ALL=C.UTF-8 "
           "ANSIBLE_CALLBACK_PLUGINS=/srv/book/callbacks ANSIBLE_CALLBACKS_ENABLED=rows ANSIBLE_LOCALHOST_WARNING=no "
           "ANSIBLE_COLLECTIONS_PATH=/opt/collections python3 -m ansible playbook site.yml {} >/run/said 2>&1; cat /run/rows")
HOLDFAST = "cd /srv/book && holdfast apply site.yml {} --output jsonl"


def statuses(engine, host, arguments=""):
    if engine == "ansible":
        done = host.run(ANSIBLE.format(arguments), timeout=3600)
        rows = [json.loads(line) for line in done.out.splitlines()]
        assert rows, host.run("cat /run/said").out[-3000:]
        return [(task, status) for task, status, _ in rows], [r for r in rows if r[1] == "failed"]
    done = host.run(HOLDFAST.format(arguments), timeout=3600)
    rows = [json.loads(line) for line in done.out.splitlines() if line.startswith("{")]
    rows = [r for r in rows if r["type"] == "task" and "item" not in r]
    return [(r["task"], r["status"]) for r in rows], [r for r in rows if r["status"] == "failed"] or (
        [done.err] if done.rc else [])


def prepared(book, archive, packages=PACKAGES + PYTHON):
    binds = {"/srv/book": book, "/srv/vendor": archive, "/opt/ansible": sysconfig.get_paths()["purelib"]}
    collections = pathlib.Path(os.environ.get("HF_CACHE", BUILD / "cache")) / "ansible-10.7.0"
    if collections.exists():
        binds["/opt/collections"] = collections
    return Host(packages=packages, binds=binds)


JUPYTER = "#!/bin/sh\nexec sleep infinity\n"


@pytest.fixture(scope="module")
def ran(book):
    """Check mode, first run, second run under each engine, each on a fresh host of the same root."""
    folder, archive = book
    told = {}
    for engine in ("holdfast", "ansible"):
        with prepared(folder, archive) as host, Doors(host) as doors:
            doors.mirror(("127.0.0.1", 3142), mirror())
            doors.serve(("127.0.0.1", 3143), vendor.Downloads)
            host.put("/etc/apt/sources.list", "deb http://127.0.0.1:3142 bookworm main\ndeb [trusted=yes] file:/srv/vendor ./\n")
            host.install(BUILD / "holdfast", "/usr/bin/holdfast")
            host.put("/opt/envs/jupyter/bin/jupyter", JUPYTER, 0o755)
            host.run(f"{KERNEL}; apt-get update", check=True)
            told[engine] = thrice(engine, host)
            told[engine]["fabric"] = host.run("dpkg-query -W -f '${Version}' nvidia-fabricmanager-550").out
            told[engine]["daemon"] = json.loads(host.get("/etc/docker/daemon.json"))
    return told


def thrice(engine, host):
    """Check mode, which must leave the disk as it is, and two runs."""
    before = host.run(FINGERPRINT).out
    check, stopped = statuses(engine, host, "--check")
    touched = host.run(FINGERPRINT).out != before
    first, failed = statuses(engine, host)
    second, failed_again = statuses(engine, host)
    return {"touched": touched, "check": check, "first": first, "second": second, "stopped": stopped, "failed": failed + failed_again}


# Two hosts and an hour of apt: the long form only. The host's Python 3.11 runs Ansible's compiled parts.
if (os.environ.get("HF_LONG") or os.environ.get("HF_ROLES")) and sys.version_info[:2] == (3, 11):

    class TestForReal:
        def test_no_task_fails(self, ran):
            assert not ran["holdfast"]["failed"] and not ran["ansible"]["failed"], ran

        def test_check_mode_touches_nothing(self, ran):
            assert not ran["holdfast"]["touched"]

        def test_check_mode_goes_to_the_end(self, ran):
            assert not ran["holdfast"]["stopped"] and not ran["ansible"]["stopped"], ran
            assert ran["holdfast"]["check"] == ran["ansible"]["check"]

        def test_a_second_run_changes_nothing(self, ran):
            assert [row for row in ran["holdfast"]["second"] if row[1] == "changed"] == []
            assert set(APPLIED) == set(ROLES)

        def test_statuses_are_ansibles(self, ran):
            assert ran["holdfast"]["first"] == ran["ansible"]["first"]
            assert ran["holdfast"]["second"] == ran["ansible"]["second"]

        def test_what_belongs_together_is_together(self, ran):
            """The fabric manager of the driver's version, though there is a newer one; docker's settings and its NVIDIA runtime in one file."""
            for engine in ("holdfast", "ansible"):
                assert ran[engine]["fabric"] == "550.90.07-1"
                assert ran[engine]["daemon"]["live-restore"] and "nvidia" in ran[engine]["daemon"]["runtimes"]
            assert ran["holdfast"]["daemon"] == ran["ansible"]["daemon"]


DRIVER = """- hosts: localhost
  connection: local
  vars: { nvidia_driver_packages: [nvidia-kernel-dkms], nvidia_driver_headers: linux-headers-amd64, nvidia_driver_persistence: false }
  roles: [nvidia_driver]
"""
# The kernel is this machine's; its modules are built with the headers of the distribution's, which lie in two folders.
HEADERS = ("name=$(apt-cache depends linux-headers-amd64 | awk '/Depends: linux-headers/ { print $2 }'); "
           "mkdir -p /lib/modules/$(uname -r) && ln -s /usr/src/$name /lib/modules/$(uname -r)/build && "
           "ln -s /usr/src/${name%-amd64}-common /lib/modules/$(uname -r)/source && "
           "printf '#!/bin/sh\\n' >/usr/sbin/update-initramfs && chmod 755 /usr/sbin/update-initramfs")
BUILT = "dkms status nvidia-current; find /lib/modules/$(uname -r)/updates -name 'nvidia*.ko*' | sort"

# Half an hour of one processor: compiled for real.
if os.environ.get("HF_LONG") or os.environ.get("HF_DRIVER"):

    def test_the_distributions_driver_is_built_for_real(tmp_path):
        shutil.copytree(ROOT / "playbooks/roles", tmp_path / "roles")
        (tmp_path / "site.yml").write_text(DRIVER)
        with Host(binds={"/srv/book": tmp_path}) as host, Doors(host) as doors:
            doors.mirror(("127.0.0.1", 3142), mirror())
            host.put("/etc/apt/sources.list", "deb http://127.0.0.1:3142 bookworm main contrib non-free non-free-firmware\n")
            host.install(BUILD / "holdfast", "/usr/bin/holdfast")
            host.run(f"apt-get update && {HEADERS}", check=True)
            done = host.run("cd /srv/book && holdfast apply site.yml", timeout=7200)
            said = host.run("find /var/lib/dkms -name make.log -exec tail -n 40 {} +").out
            assert done.rc == 0, f"{done}\n{said}"
            version = host.run("dpkg-query -W -f '${source:Upstream-Version}' nvidia-kernel-dkms").out
            built = host.run(BUILT).out
            assert version in built and "nvidia-current.ko" in built, f"{built}\n{said}"
            print(built)
            again = host.run("cd /srv/book && holdfast apply site.yml", timeout=600)
            assert "changed=0" in again.out, again


@pytest.mark.parametrize("role", ROLES)
def test_every_variable_is_documented(role):
    """Each default is an option of the role's argument_specs, and each option's name starts with the role's."""
    folder = ROOT / "playbooks/roles" / role
    spec = yaml.safe_load((folder / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]
    names = {name for name in yaml.safe_load((folder / "defaults/main.yml").read_text()) or {}}
    helpers = {n for n in names if n.endswith(("_package_names", "_package", "_headers"))}
    assert names - set(spec["options"]) - helpers == set()
    assert [n for n in spec["options"] if not n.startswith(role)] == [] and spec["short_description"]


def test_both_engines_accept_every_role_and_playbook(tmp_path, holdfast):
    (tmp_path / "site.yml").write_text("- hosts: localhost\n  roles:\n" + "".join(f"    - {r}\n" for r in ROLES))
    env = {**os.environ, "ANSIBLE_ROLES_PATH": str(ROOT / "playbooks/roles"), "LC_ALL": "C.UTF-8"}
    books = [*sorted(map(str, (ROOT / "playbooks").glob("*.yml"))), "site.yml"]
    assert len(books) > 3
    ours = subprocess.run([holdfast, "apply", "--syntax-check", *books], cwd=tmp_path, env=env, capture_output=True, text=True)
    theirs = subprocess.run([sys.executable, "-m", "ansible", "playbook", "--syntax-check", *books], cwd=tmp_path, env=env,
                            capture_output=True, text=True)
    assert ours.returncode == 0, ours.stderr
    # ansible-core alone has no collections: what it misses then is a module of one of ours that names it.
    missing = re.findall(r"couldn't resolve module/action '([\w.]+)'", theirs.stdout + theirs.stderr)
    assert theirs.returncode == 0 or missing in (["ansible.posix.mount"],), theirs.stderr
