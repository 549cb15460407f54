"""What the shipped roles choose on each distribution they are for: the facts are set, both engines are asked, and what they say is compared
with each other and with what the distribution and its vendors call these things. In the long form the roles run so, for real, with the
real apt and dnf and repositories of dummies that are called as the vendors' packages are."""
import contextlib
import json
import os
import shutil
import subprocess
import sys

import pytest
import yaml

import test_roles as real
import vendor
from host import BESIDE
from inside import Doors
from scene import BUILD, TREE as ROOT

ROLES = ROOT / "playbooks/roles"
# distribution, family, version, package manager
DISTRIBUTIONS = {"debian-12": ("Debian", "Debian", "12", "apt"), "ubuntu-22.04": ("Ubuntu", "Debian", "22.04", "apt"),
                 "ubuntu-24.04": ("Ubuntu", "Debian", "24.04", "apt"), "amazon-2023": ("Amazon", "RedHat", "2023", "dnf"),
                 "rhel-9": ("RedHat", "RedHat", "9.4", "dnf"), "rocky-9": ("Rocky", "RedHat", "9.4", "dnf"),
                 "alma-9": ("AlmaLinux", "RedHat", "9.4", "dnf"), "oracle-9": ("OracleLinux", "RedHat", "9.4", "dnf")}
# Variables that rows below set, and one that a loop of the role's gives.
GIVEN = """cuda_toolkit_version: "12.4"
cuda_toolkit_versions: ["12.4", "12.6"]
miniforge_version: 24.3.0-0
efa_version: 1.34.0
shared_storage_mounts:
  - { path: /a, source: "a:/", type: nfs4 }
  - { path: /b, source: "b@tcp:/b", type: lustre }
  - { path: /c, source: fs-1, type: efs }
  - { path: /d, source: tmpfs, type: tmpfs }
"""
KERNEL = "6.1.0-9-x86_64"
LINUX = ["debian-12", "ubuntu-22.04", "ubuntu-24.04"], ["amazon-2023"], ["rhel-9", "rocky-9", "alma-9", "oracle-9"]
DEBIAN, UBUNTU, AMAZON, REDHAT = ["debian-12"], ["ubuntu-22.04", "ubuntu-24.04"], *LINUX[1:]
APT, DNF = DEBIAN + UBUNTU, AMAZON + REDHAT
DEVEL = f"kernel-devel-{KERNEL}"
EXPECTED = [
    (APT, "chrony_service", "chrony"), (DNF, "chrony_service", "chronyd"),
    (APT, "chrony_config", "/etc/chrony/chrony.conf"), (DNF, "chrony_config", "/etc/chrony.conf"),
    (APT, "docker_packages", ["docker.io"]), (AMAZON, "docker_packages", ["docker"]),
    (REDHAT, "docker_packages", ["docker-ce", "docker-ce-cli", "containerd.io"]),
    (APT + AMAZON, "docker_repository", ""), (REDHAT, "docker_repository", "https://download.docker.com/linux/rhel/$releasever/$basearch/stable"),
    (APT, "python_env_packages", ["python3-venv", "python3-pip"]), (DNF, "python_env_packages", ["python3", "python3-pip"]),
    (UBUNTU, "ssm_agent_service", "snap.amazon-ssm-agent.amazon-ssm-agent"), (DEBIAN + DNF, "ssm_agent_service", "amazon-ssm-agent"),
    (DEBIAN, "shared_storage_packages", ["nfs-common", "amazon-efs-utils"]),
    (UBUNTU, "shared_storage_packages", ["nfs-common", f"lustre-client-modules-{KERNEL}", "lustre-client-modules-aws", "amazon-efs-utils"]),
    (AMAZON, "shared_storage_packages", ["nfs-utils", "lustre-client", "amazon-efs-utils"]),
    (REDHAT, "shared_storage_packages", ["nfs-utils", "kmod-lustre-client", "lustre-client", "amazon-efs-utils"]),
    (APT, "nvidia_driver_source", "distribution"), (DNF, "nvidia_driver_source", "nvidia"),
    (APT, "nvidia_driver_headers", f"linux-headers-{KERNEL}"), (DNF, "nvidia_driver_headers", DEVEL),
    (DEBIAN, "nvidia_driver_packages", ["nvidia-kernel-dkms", "nvidia-driver-bin", "nvidia-persistenced"]),
    (UBUNTU, "nvidia_driver_packages", ["nvidia-headless-550-server-open", "nvidia-utils-550-server"]),
    (DNF, "nvidia_driver_packages", ["nvidia-driver-cuda", "kmod-nvidia-open-dkms"]), (DNF, "nvidia_driver_stream", "550-open"),
    (APT, "nvidia_driver_fabric_manager_package", "nvidia-fabricmanager-550"),
    (DNF, "nvidia_driver_fabric_manager_package", "nvidia-fabric-manager"),
    (APT + DNF, "cuda_toolkit_package", "cuda-toolkit-12-4"), (APT + DNF, "cuda_toolkit_default", "12.6"),
]


def defaults():
    """Every variable that a role has a default for."""
    return {name for path in sorted(ROLES.glob("*/defaults/main.yml")) for name in yaml.safe_load(path.read_text()) or {}}


def facts(name):
    distribution, family, version, manager = DISTRIBUTIONS[name]
    return {"ansible_distribution": distribution, "ansible_os_family": family, "ansible_distribution_version": version,
            "ansible_distribution_major_version": version.split(".")[0], "ansible_pkg_mgr": manager, "ansible_kernel": KERNEL,
            "ansible_architecture": "x86_64", "ansible_hostname": "node", "ansible_devices": {}}


@pytest.fixture(scope="module")
def chosen(tmp_path_factory, holdfast):
    """What every variable is on every distribution, by engine: {engine: {distribution: {name: value}}}."""
    folder = tmp_path_factory.mktemp("chosen")
    (folder / "given.yml").write_text(GIVEN)
    tasks = [{"ansible.builtin.include_vars": str(path)} for path in sorted(ROLES.glob("*/defaults/main.yml"))]
    tasks.append({"ansible.builtin.include_vars": "given.yml"})
    values = {name: "{{ %s }}" % name for name in sorted(defaults())}
    book = [{"hosts": "localhost", "gather_facts": False, "vars": {"values": values}, "tasks": [
        {"ansible.builtin.set_fact": {**facts(name), "cacheable": True}}, *tasks,
        {"ansible.builtin.copy": {"dest": "{{ playbook_dir }}/{{ out }}-%s.json" % name, "content": " {{ values | to_json }}"}}]}
        for name in DISTRIBUTIONS]
    (folder / "site.yml").write_text(yaml.safe_dump(book, sort_keys=False))
    told = {}
    for engine, argv in (("holdfast", [holdfast, "apply"]), ("ansible", [sys.executable, "-m", "ansible", "playbook"])):
        done = subprocess.run([*argv, "site.yml", "-e", f"out={engine}"], cwd=folder, capture_output=True, text=True,
                              env={**os.environ, "LC_ALL": "C.UTF-8", "ANSIBLE_LOCALHOST_WARNING": "no"})
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        told[engine] = {name: json.loads((folder / f"{engine}-{name}.json").read_text()) for name in DISTRIBUTIONS}
    return told


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_every_default_has_a_value_in_both_engines(chosen, distribution):
    assert set(chosen["holdfast"][distribution]) == defaults()
    assert chosen["holdfast"][distribution] == chosen["ansible"][distribution]


@pytest.mark.parametrize("distribution, name, value", [(d, name, value) for where, name, value in EXPECTED for d in where],
                         ids=lambda v: v if isinstance(v, str) and len(v) < 40 else "")
def test_things_are_called_as_the_distribution_calls_them(chosen, distribution, name, value):
    assert chosen["holdfast"][distribution][name] == value


def test_every_task_file_is_read_by_both_engines(tmp_path, holdfast):
    """Files that are included when they are reached are not read by a check of the syntax; here they are imported."""
    files = sorted(ROLES.glob("*/tasks/*.yml")) + sorted(ROLES.glob("*/handlers/*.yml"))
    collections = [f for f in files if "ansible.posix" in f.read_text()]
    assert len(files) > 25
    book = [{"hosts": "localhost", "tasks": [{"import_tasks": str(f)} for f in files if f not in collections]}]
    (tmp_path / "site.yml").write_text(yaml.safe_dump(book))
    for argv in ([holdfast, "apply"], [sys.executable, "-m", "ansible", "playbook"]):
        done = subprocess.run([*argv, "--syntax-check", "site.yml"], cwd=tmp_path, capture_output=True, text=True,
                              env={**os.environ, "LC_ALL": "C.UTF-8", "ANSIBLE_LOCALHOST_WARNING": "no"})
        assert done.returncode == 0, done.stdout + done.stderr


# What is the same everywhere; python_env only installs, because an environment would want the distribution's own Python.
REAL = """training_limits_load: false
docker_users: [ada]
users_accounts:
  - { name: ada, keys_allowed: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDUm ada@example.org"] }
shared_storage_packages: "{{ ['nfs4', 'efs', 'lustre'] | map('extract', shared_storage_known) | flatten }}"
cuda_toolkit_versions: ["12.4", "12.6"]
""" + vendor.ROLE_VARIABLES
NVIDIA = {"nvidia_driver_repository": "file:///srv/rpms/nvidia", **vendor.EXPORTER}
OWN = {"ubuntu-24.04": {"shared_storage_packages": ["nfs-common"]}, "amazon-2023": NVIDIA,
       "rhel-9": {**NVIDIA, "docker_repository": "file:///srv/rpms/docker", "docker_repository_key": ""}}
# The driver's role brings NVIDIA's repository, from which others install.
ORDER = ["unattended_upgrades", "chrony", "training_limits", "users", "instance_store", "nvidia_driver", "docker", "container_toolkit",
         "node_exporter", "shared_storage", "cloudwatch_agent", "ssm_agent", "dcgm", "cuda_toolkit", "efa", "python_env", "miniforge", "jupyter"]
SNAP = f"""#!/bin/sh
mkdir -p "/snap/$2"
cat >"/etc/systemd/system/snap.$2.$2.service" <<'END'
{vendor.UNIT}END
"""
READY = ("mkdir -p /etc/dnf/modules.d /etc/pki/rpm-gpg /srv/kept; printf '#!/bin/sh\\n' >/usr/sbin/dracut; chmod 755 /usr/sbin/dracut; "
         "cp /usr/sbin/dracut /usr/sbin/update-initramfs")


def scene(folder, name):
    """A host that takes itself for that distribution's, and the book for it."""
    shutil.copytree(ROLES, folder / "roles")
    (folder / "files").mkdir()
    (folder / "files/jax.txt").write_text("@EXPLICIT\n")
    (folder / "vars.yml").write_text(REAL + yaml.safe_dump({**vendor.FETCHED, **OWN[name]}))
    said = {k: v for k, v in facts(name).items() if k not in ("ansible_hostname", "ansible_devices")}
    said["ansible_kernel"] = vendor.KERNELS[said["ansible_pkg_mgr"]]
    (folder / "site.yml").write_text(yaml.safe_dump([{
        "hosts": "localhost", "connection": "local", "vars_files": ["vars.yml"],
        "pre_tasks": [{"ansible.builtin.set_fact": {**said, "cacheable": True}}], "roles": ORDER}], sort_keys=False))
    (folder / "callbacks").mkdir()
    (folder / "callbacks/rows.py").write_text(real.CALLBACK)


@contextlib.contextmanager
def booted(book, archive, name):
    with real.prepared(book, archive, BESIDE) as host, Doors(host) as doors:
        doors.serve(("127.0.0.1", 3143), vendor.Downloads)
        host.put("/etc/apt/sources.list", "deb [trusted=yes] file:/srv/vendor ./\n")
        host.install(BUILD / "holdfast", "/usr/bin/holdfast")
        host.put("/opt/envs/jupyter/bin/jupyter", real.JUPYTER, 0o755)
        host.put("/usr/bin/snap", SNAP, 0o755)
        host.run(f"{READY}; apt-get update", check=True)
        if DISTRIBUTIONS[name][3] == "dnf":
            vendor.rpms(host)
        yield host


# Each is a host of its own for each engine, and some minutes of Ansible: the long form only.
if (os.environ.get("HF_LONG") or os.environ.get("HF_ROLES")) and sys.version_info[:2] == (3, 11):

    @pytest.fixture(scope="class", params=OWN)
    def ran(request, tmp_path_factory):
        folder = tmp_path_factory.mktemp("book")
        scene(folder, request.param)
        archive = vendor.debs(tmp_path_factory.mktemp("vendor") / "archive", vendor.UBUNTU)
        told = {"distribution": request.param}
        for engine in ("holdfast", "ansible"):
            with booted(folder, archive, request.param) as host:
                told[engine] = real.thrice(engine, host)
                told[engine]["fabric"] = host.run("dpkg-query -W -f '${Version}' nvidia-fabricmanager-550 2>/dev/null || rpm -q "
                                                  "--qf '%{VERSION}' nvidia-fabric-manager").out
                told[engine]["daemon"] = json.loads(host.get("/etc/docker/daemon.json"))
        return told

    class TestForReal:
        def test_no_task_fails(self, ran):
            assert not ran["holdfast"]["failed"] and not ran["ansible"]["failed"], ran

        def test_check_mode_touches_nothing_and_goes_to_the_end(self, ran):
            assert not ran["holdfast"]["touched"]
            assert not ran["holdfast"]["stopped"] and not ran["ansible"]["stopped"], ran
            assert ran["holdfast"]["check"] == ran["ansible"]["check"]

        def test_a_second_run_changes_nothing(self, ran):
            assert [row for row in ran["holdfast"]["second"] if row[1] == "changed"] == []
            assert sorted(ORDER) == sorted(p.name for p in ROLES.iterdir())

        def test_statuses_are_ansibles(self, ran):
            assert ran["holdfast"]["first"] == ran["ansible"]["first"]
            assert ran["holdfast"]["second"] == ran["ansible"]["second"]

        def test_what_belongs_together_is_together(self, ran):
            for engine in ("holdfast", "ansible"):
                assert ran[engine]["fabric"].startswith("550.90.07")
                assert ran[engine]["daemon"]["live-restore"] and "nvidia" in ran[engine]["daemon"]["runtimes"]
