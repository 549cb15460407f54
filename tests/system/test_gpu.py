"""holdfast.gpu, holdfast.gpu.health and holdfast.stack.check on hosts made of files and a driver's library made for tests."""
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import time

import pytest

from agent import AgentHost

HERE = pathlib.Path(__file__).resolve().parent
KERNEL = "6.1.0-25-amd64"
TRIES = 8


@pytest.fixture(scope="module")
def nvml(tmp_path_factory):
    library = tmp_path_factory.mktemp("nvml") / "libnvidia-ml.so.1"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(HERE / "fake_nvml.c")], check=True)
    return library


def play(holdfast, folder, tasks, env=None):
    """Apply tasks; the results that `register` would give, in order."""
    names = [f"r{i}" for i in range(len(tasks))]
    for name, task in zip(names, tasks):
        task.update(register=name, ignore_errors=True)
    tasks = [*tasks, {"ansible.builtin.copy": {"dest": f"{folder}/out.json",
                                               "content": "{{ [" + ", ".join(names) + "] | to_json }}"}}]
    (folder / "site.yml").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    done = subprocess.run([holdfast, "apply", str(folder / "site.yml")], capture_output=True, text=True,
                          env={**os.environ, **(env or {})})
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "out.json").read_text())


def test_facts_come_from_the_driver(holdfast, tmp_path, nvml):
    gpu = play(holdfast, tmp_path, [{"holdfast.gpu": {"library": str(nvml), "deadline_ms": 600000}}])[0]["ansible_facts"]["holdfast_gpu"]
    assert (gpu["count"], gpu["driver_version"], gpu["cuda_version"]) == (2, "550.90.07", "12.4")
    first = gpu["devices"][0]
    assert (first["name"], first["ecc"], first["mig"], first["throttle"]) == ("NVIDIA H100 80GB HBM3", True, False, ["idle"])
    assert first["serial"] is None  # this library has no such function


def test_a_host_without_a_driver_has_no_gpus(holdfast, tmp_path):
    result = play(holdfast, tmp_path, [{"holdfast.gpu": {"library": "/nowhere/libnvidia-ml.so.1"}}])[0]
    assert result["ansible_facts"]["holdfast_gpu"]["count"] == 0 and not result["failed"]


@pytest.mark.alone
def test_a_sick_driver_costs_its_deadline_and_no_more(holdfast, tmp_path, nvml):
    took = []
    while not took or (min(took) >= 1.5 and len(took) < TRIES):  # the least: what other programs take is not its own
        start = time.monotonic()
        result = play(holdfast, tmp_path, [{"holdfast.gpu": {"library": str(nvml), "deadline_ms": 300}}], {"FAKE_HANG": "1"})[0]
        took.append(time.monotonic() - start)
        assert "did not answer within 300 ms" in result["ansible_facts"]["holdfast_gpu"]["trouble"]
    assert min(took) < 1.5, took


def answer_ms(host):
    """How long the agent takes to say how it is, without the start of a program."""
    with socket.socket(socket.AF_UNIX) as s:
        start = time.monotonic()
        s.connect(host.env["HOLDFAST_SOCKET"])
        s.sendall(b'{"command":"status"}\n')
        text = b""
        while block := s.recv(65536):
            text += block
        return 1000 * (time.monotonic() - start), json.loads(text)["status"]["state"]


@pytest.mark.alone
def test_a_driver_that_ignores_signals_does_not_delay_the_agent(tmp_path, holdfast, holdfastd, nvml):
    host = AgentHost(tmp_path, holdfast, holdfastd, env={"FAKE_HANG": "1"})
    task = {"holdfast.gpu": {"library": str(nvml), "deadline_ms": 5000}}
    with host:
        idle = statistics.median(answer_ms(host)[0] for _ in range(15))
        host.promote(host.push("sick", {"site.yml": json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [task]}])}))
        host.until(lambda: answer_ms(host)[1] == "converging", "the task is at work")
        told = []
        while (answer := answer_ms(host))[1] == "converging":  # five seconds of it
            told.append(answer[0])
            time.sleep(0.1)
        assert len(told) >= 5
        assert statistics.median(told) - idle < 50, (idle, told)
        host.installed("sick")


HEALTH = [
    # title, kernel log, environment of the library, options, verdict, whether the task fails
    ("well", "", {}, {}, "ready", False),
    ("a job's own error", "NVRM: Xid (PCI:0000:3b:00): 31, pid=1\n", {}, {}, "ready", False),
    ("fell off the bus", "NVRM: GPU 0000:3b:00.0: GPU has fallen off the bus.\n", {}, {}, "drain", True),
    ("a number nobody knows", "NVRM: Xid (PCI:0000:3b:00): 999, x\n", {}, {}, "degraded", False),
    ("degraded may fail", "NVRM: Xid (PCI:0000:3b:00): 999, x\n", {}, {"fail_on": "degraded"}, "degraded", True),
    ("a number people added", "NVRM: Xid (PCI:0000:3b:00): 999, x\n", {}, {"xids": {"999": "fatal"}}, "drain", True),
    ("a GPU does not answer", "", {"FAKE_LOST": "1"}, {}, "drain", True),
    ("memory errors", "", {"FAKE_ECC": "2"}, {}, "drain", True),
    ("slowed down by hardware", "", {"FAKE_THROTTLE": "64"}, {}, "degraded", False),
    ("fewer than there should be", "", {}, {"count": 8}, "drain", True),
    ("no module loaded", "", {"FAKE_INIT": "9"}, {}, "drain", True),
    ("never fail", "", {"FAKE_ECC": "2"}, {"fail_on": "never"}, "drain", False),
]


@pytest.mark.parametrize("row", HEALTH, ids=lambda r: r[0])
def test_health(holdfast, tmp_path, nvml, row):
    _, log, env, options, verdict, fails = row
    (tmp_path / "kmsg").write_text(log)
    task = {"deadline_ms": 600000, "kmsg": str(tmp_path / "kmsg"), "library": str(nvml), "ready_file": str(tmp_path / "ready"), **options}
    result, again = play(holdfast, tmp_path, [{"holdfast.gpu.health": dict(task)}, {"holdfast.gpu.health": dict(task)}], env)
    assert (result["verdict"], result["failed"]) == (verdict, fails)
    assert (tmp_path / "ready").read_text() == verdict + "\n"
    assert result["changed"] != fails or fails  # a failing task tells its failure, and the file is written all the same
    assert not again["changed"]


def write(root, path, text=""):
    (root / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
    (root / path.lstrip("/")).write_text(text)


def link(root, path, target):
    (root / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
    (root / path.lstrip("/")).symlink_to(target)


def gpu_host(root, gpus=8, switch=False, kernel=KERNEL, headers=True, built="550.90.07", loaded="550.90.07", library="550.90.07",
             fabric=None, cuda=None, nccl=None, efa=None, torch=None, nouveau=False, next_kernel=None, next_built=True, packages=()):
    """The files that such a host has."""
    write(root, "/proc/sys/kernel/osrelease", kernel + "\n")
    for i in range(gpus):
        write(root, f"/sys/bus/pci/devices/0000:{i:02x}:00.0/vendor", "0x10de\n")
        write(root, f"/sys/bus/pci/devices/0000:{i:02x}:00.0/class", "0x030200\n")
    if switch:
        write(root, "/sys/bus/pci/devices/0000:c0:00.0/vendor", "0x10de\n")
        write(root, "/sys/bus/pci/devices/0000:c0:00.0/class", "0x068000\n")
    for name, has in ((kernel, built is not None), (next_kernel, next_built)):
        if name:
            write(root, f"/boot/vmlinuz-{name}")
            write(root, f"/lib/modules/{name}/modules.dep", "updates/dkms/nvidia.ko: kernel/x.ko\n" if has else "kernel/x.ko:\n")
            if has:
                write(root, f"/var/lib/dkms/nvidia/{built}/{name}/x86_64/log/make.log")
    if headers:
        write(root, f"/lib/modules/{kernel}/build/Makefile")
    if loaded:
        write(root, "/sys/module/nvidia/version", loaded + "\n")
    if nouveau:
        write(root, "/sys/module/nouveau/refcnt", "1\n")
    if library:
        link(root, "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1", f"libnvidia-ml.so.{library}")
    rows = list(packages)
    if fabric:
        rows.append(("nvidia-fabricmanager-550", f"{fabric}-1"))
    if nccl:
        rows.append(("libnccl2", nccl))
    if cuda:
        link(root, "/usr/local/cuda", f"/usr/local/cuda-{cuda}")
    if efa:
        write(root, "/opt/amazon/efa_installed_packages", f"# EFA installer version: {efa}\n")
    if torch is not None:
        write(root, "/opt/envs/train/lib/python3.11/site-packages/torch/version.py",
              f"__version__ = '2.4.0'\ndebug = False\ncuda: Optional[str] = {torch!r}\n")
    write(root, "/var/lib/dpkg/status", "\n".join(f"Package: {n}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {v}\n"
                                                  for n, v in rows))


DOCKER, TOOLKIT = ("docker.io", "20.10"), ("nvidia-container-toolkit", "1.16.1-1")
HOSTS = [
    # title, the host, plan, codes
    ("all fits", {}, {}, []),
    ("no GPU at all", {"gpus": 0, "loaded": None, "library": None, "built": None}, {}, []),
    ("NVSwitches and their fabric manager", {"switch": True, "fabric": "550.90.07"}, {}, []),
    ("CUDA, NCCL, EFA and PyTorch", {"cuda": "12.4", "nccl": "2.21.5-1+cuda12.4", "efa": "1.33.0", "torch": "12.4"}, {}, []),
    ("docker with the toolkit", {"packages": (DOCKER, TOOLKIT)}, {}, []),
    ("a new kernel with its driver", {"next_kernel": "6.1.0-26-amd64"}, {}, []),
    ("an older kernel beside it", {"next_kernel": "6.1.0-21-amd64", "next_built": False}, {}, []),
    ("headers of another kernel", {"headers": False, "built": None, "loaded": None}, {}, ["no-headers"]),
    ("not built for this kernel", {"built": None, "loaded": None}, {}, ["module-missing"]),
    ("built and not loaded", {"loaded": None}, {}, ["module-not-loaded"]),
    ("nouveau has the card", {"loaded": None, "nouveau": True}, {}, ["nouveau"]),
    ("an unattended upgrade of the libraries", {"library": "550.107.02"}, {}, ["library-mismatch"]),
    ("an unattended upgrade of everything", {"built": "550.107.02", "library": "550.107.02"}, {},
     ["module-replaced", "library-mismatch"]),
    ("an upgraded kernel without a driver", {"next_kernel": "6.1.0-26-amd64", "next_built": False}, {}, ["next-kernel"]),
    ("no fabric manager", {"switch": True}, {}, ["fabric-missing"]),
    ("a fabric manager of another version", {"switch": True, "fabric": "550.54.15"}, {}, ["fabric-mismatch"]),
    ("CUDA too new", {"cuda": "13.0"}, {}, ["cuda-too-new"]),
    ("NCCL of another CUDA", {"cuda": "12.4", "nccl": "2.16.2-1+cuda11.8"}, {}, ["nccl-cuda"]),
    ("NCCL that wants a newer EFA", {"nccl": "2.21.5-1+cuda12.4", "efa": "1.27.0"}, {}, ["nccl-efa"]),
    ("PyTorch without CUDA", {"torch": None, "packages": ()}, {}, []),
    ("PyTorch built for a CPU", {"torch": False}, {}, ["torch-cpu"]),
    ("PyTorch too new", {"torch": "13.0"}, {}, ["torch-too-new"]),
    ("docker without the toolkit", {"packages": (DOCKER,)}, {}, ["toolkit-missing"]),
    ("a plan that fits", {"switch": True, "fabric": "550.90.07"}, {"driver": "580.65.06", "fabric_manager": "580.65.06",
                                                               "cuda": "13.0"}, []),
    ("a plan that forgets the fabric manager", {"switch": True, "fabric": "550.90.07"}, {"driver": "580.65.06"},
     ["fabric-mismatch"]),
    ("a plan with a CUDA too new", {}, {"cuda": "13.0"}, ["cuda-too-new"]),
]


def test_there_are_enough_hosts():
    assert len(HOSTS) >= 20


@pytest.fixture(scope="module")
def verdicts(holdfast, tmp_path_factory):
    """Every host looked at in one run."""
    folder = tmp_path_factory.mktemp("hosts")
    tasks = []
    for i, (_, host, plan, _) in enumerate(HOSTS):
        gpu_host(folder / f"root{i}", **host)
        tasks.append({"holdfast.stack.check": {"root": f"{folder}/root{i}", "plan": plan}})
    return dict(zip((h[0] for h in HOSTS), play(holdfast, folder, tasks)))


@pytest.mark.parametrize("row", HOSTS, ids=lambda r: r[0])
def test_stack(verdicts, row):
    result = verdicts[row[0]]
    assert [f["code"] for f in result["findings"]] == row[3], result["findings"]
    assert result["failed"] == bool(row[3])


WATCHED = """
- hosts: all
  gather_facts: false
  tasks:
    - name: stack
      holdfast.stack.check: {{ root: {root} }}
    - name: health
      holdfast.gpu.health: {{ kmsg: {kmsg}, library: {library}, ready_file: {t}/ready, deadline_ms: 60000 }}
    - name: selinux
      selinux: {{ state: disabled, configfile: {selinux} }}
"""


def test_an_agent_watches_the_driver_beside_its_libraries(holdfast, holdfastd, tmp_path, nvml):
    root, kmsg, selinux = tmp_path / "root", tmp_path / "kmsg", tmp_path / "selinux"
    gpu_host(root)
    kmsg.write_text("")
    selinux.write_text("SELINUX=disabled\nSELINUXTYPE=targeted\n")
    host = AgentHost(tmp_path / "agent", holdfast, holdfastd, look="1s")
    host.promote(host.push("one", {"site.yml": WATCHED.format(root=root, kmsg=kmsg, library=nvml, selinux=selinux, t=host.target)}))

    def last(title):
        return ([e for e in host.ask("drift", "--limit", "500")["events"] if e["title"] == title and e["action"] != "correcting"] or [None])[-1]

    with host:
        host.wait(lambda s: s["state"] == "ok" and s.get("installed"))
        assert (host.target / "ready").read_text() == "ready\n"
        link(root, "/usr/lib/x86_64-linux-gnu/new", "libnvidia-ml.so.550.107.02")  # as an unattended upgrade does
        (root / "usr/lib/x86_64-linux-gnu/new").rename(root / "usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1")
        host.until(lambda: last("stack"), "the libraries are other ones")
        assert (last("stack")["class"], last("stack")["action"]) == ("external", "correction-failed")
        assert "driver 550.90.07 and libraries 550.107.02 differ" in last("stack")["message"]
        host.wait(lambda s: (s["drifted"], s["state"]) == (1, "drifted"))
        write(root, "/sys/module/nvidia/version", "550.107.02\n")
        write(root, f"/var/lib/dkms/nvidia/550.107.02/{KERNEL}/x86_64/log/make.log")
        shutil.rmtree(root / "var/lib/dkms/nvidia/550.90.07")
        host.until(lambda: last("stack")["action"] == "resolved", "the driver was loaded anew")
        kmsg.write_text("NVRM: GPU 0000:3b:00.0: GPU has fallen off the bus.\n")
        host.until(lambda: last("health"), "a GPU is gone")
        host.until(lambda: (host.target / "ready").read_text() == "drain\n", "and the scheduler can read it")
        selinux.write_text("SELINUX=enforcing\nSELINUXTYPE=targeted\n")
        host.until(lambda: selinux.read_text().startswith("SELINUX=disabled\n"), "SELinux stays as it was declared")
        host.until(lambda: (last("selinux") or {}).get("action") == "corrected", "and it is told")
