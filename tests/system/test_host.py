"""The test host itself: what system tests rely on holds in both ways of booting it."""
import shutil
import subprocess

import pytest

from host import Host


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
