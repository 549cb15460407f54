"""The test host itself: what system tests rely on holds in both ways of booting it."""
import os
import shutil
import subprocess
import sys

import pytest

import host_build
from host import BUILD, Host


@pytest.fixture(params=[w for w in ("nspawn", "unshare") if w == "unshare" or shutil.which("systemd-nspawn")])
def host(request):
    with Host(way=request.param) as booted:
        yield booted


def test_disk_outlives_a_power_cut_and_a_poweroff(host):
    host.put("/srv/kept", b"one\n")
    first = host.run("cat /proc/sys/kernel/random/boot_id; cat /proc/1/stat | cut -d' ' -f22").out
    host.power_cut()
    host.boot()
    assert host.get("/srv/kept") == b"one\n"
    assert host.run("cat /proc/sys/kernel/random/boot_id; cat /proc/1/stat | cut -d' ' -f22").out != first
    host.poweroff()
    host.boot()
    assert host.get("/srv/kept") == b"one\n"


def test_hosts_share_nothing_but_the_pristine_root(host):
    host.put("/etc/mine", b"1")
    # What a network of one's own begins with: loopback, and what modules of this machine's kernel put into every one.
    bare = subprocess.run(["unshare", "--net", "ip", "-o", "link"], capture_output=True, text=True, check=True).stdout.splitlines()
    with Host(way=host.way) as other:
        assert not other.exists("/etc/mine")
        assert other.run("ip -o link | wc -l").out.strip() == host.run("ip -o link | wc -l").out.strip() == str(len(bare))


def test_units_start_and_stop(host):
    host.put("/etc/systemd/system/nap.service", "[Service]\nExecStart=/bin/sleep 1000\n")
    host.run("systemctl daemon-reload && systemctl start nap", check=True)
    assert host.run("systemctl is-active nap").out.strip() == "active"
    host.run("systemctl stop nap", check=True)
    assert host.run("systemctl is-active nap").rc == 3


def test_programs_run_on_the_host(host):
    """Whatever this machine is, what it builds for hosts finds there the C library and all else that it needs."""
    for name in ("holdfast", "holdfastd"):
        host.install(BUILD / name, f"/usr/bin/{name}")
        assert host.run(f"{name} --version", check=True).out.startswith(f"{name} ")


def test_only_a_newer_c_library_has_them_built_twice(monkeypatch):
    monkeypatch.delenv("HF_HOST_BUILD", raising=False)
    for libc, apart in (("glibc 2.35", False), ("glibc 2.36", False), ("glibc 2.39", True), ("glibc 2.100", True)):
        host_build.apart.cache_clear()
        monkeypatch.setattr(os, "confstr", lambda name, libc=libc: libc)
        assert host_build.apart() == apart
    host_build.apart.cache_clear()


if os.environ.get("HF_LONG"):  # minutes: a root with compilers, and the whole tree built in it

    def test_programs_built_in_the_hosts_own_debian():
        done = subprocess.run([sys.executable, host_build.__file__.replace("host_build", "host"), "run", "holdfast", "--version"],
                              env={**os.environ, "HF_HOST_BUILD": "root"}, capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout.startswith("holdfast "), done.stdout + done.stderr
        assert (BUILD / "host/holdfast").exists()
