"""Package and system modules on a real Debian host: real dpkg, real systemd units, real accounts.

A row is one task. For each: check mode says what would change and touches nothing; applying changes it; applying again
changes nothing; taking the undo record back leaves the host as it was."""
import json
import pathlib
import sys
import textwrap

import pytest

from places import BUILD
from rows import HOSTED as ROWS
from rows import load

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
import aptrepo  # noqa: E402
from host import Host  # noqa: E402

load()
UNIT = "[Unit]\nDescription=nap\n[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n"


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    archive = aptrepo.build(tmp_path_factory.mktemp("archive"))
    with Host(binds={"/srv/archive": archive}) as booted:
        booted.install(BUILD / "holdfast", "/usr/bin/holdfast")
        booted.install(BUILD / "tests/system/undo_door", "/usr/bin/undo_door")
        booted.put("/etc/apt/sources.list", "deb [trusted=yes] file:/srv/archive ./\n")
        booted.put("/etc/dpkg/dpkg.cfg.d/fast", "force-unsafe-io\n")
        booted.run("apt-get update", check=True)
        booted.put("/etc/systemd/system/nap.service", UNIT)
        booted.run("systemctl daemon-reload", check=True)
        booted.install(HERE / "ufw_shim.sh", "/usr/sbin/ufw")
        for name in ("firewall-cmd", "firewall-offline-cmd"):
            booted.install(HERE / "firewall_shim.sh", f"/usr/bin/{name}")
        yield booted


def playbook(tasks):
    """One play on this host, facts not gathered."""
    text = tasks if isinstance(tasks, str) else json.dumps(tasks)
    return "- hosts: localhost\n  gather_facts: no\n  tasks:\n" + textwrap.indent(textwrap.dedent(text).strip("\n"), "    ")


def apply(host, tasks, *options):
    """Run tasks; the task results, one dict a task."""
    host.put("/root/play.yml", playbook(tasks) + "\n")
    return tasks_of(host.run(["holdfast", "apply", "/root/play.yml", "--output", "jsonl", *options]))


def tasks_of(r):
    """Task results in what a run printed."""
    lines = [json.loads(line) for line in r.out.splitlines() if line.startswith("{")]
    rows = [line for line in lines if line.get("type") == "task" and "item" not in line]
    assert rows, r
    return rows


# Rows that leave no probe text of their own: what is compared is the probe before and after.
CLEAN = """
dpkg-query -W 'hf-*' 2>/dev/null | grep -q . && apt-get -y --allow-change-held-packages purge '^hf-.*'
rm -rf /etc/apt/sources.list.d/* /etc/sysctl.d/9* /etc/modprobe.d/blacklist-ansible.conf /etc/modprobe.d/hf.conf /etc/hf-selinux /etc/cron.d/jobs
userdel -r ada; userdel daemon2; groupdel crew; crontab -r; umount /mnt/t /mnt/u; systemctl stop nap2
rm -rf /run/firewall /etc/firewalld /etc/ufw /etc/default/ufw; atq | cut -f1 | xargs -r atrm
rm -f /etc/systemd/system/nap2.service; sed -i '/mnt/d' /etc/fstab
"""


@pytest.mark.parametrize("name,given,task,probe,wanted", ROWS, ids=[r[0] for r in ROWS])
def test_row(host, name, given, task, probe, wanted):
    host.run(CLEAN)
    host.run(given)
    before = host.run(probe).out
    checked = apply(host, task, "--check")
    assert [r["status"] for r in checked] == ["changed"] * len(checked), checked
    assert host.run(probe).out == before, "check mode touched the host"

    host.run("rm -rf /root/undo")
    applied = tasks_of(host.run("undo_door apply /root/play.yml /root/undo"))
    assert [r["status"] for r in applied] == ["changed"] * len(applied), applied
    assert host.run(probe).out.strip() == wanted
    again = apply(host, task)
    assert [r["status"] for r in again] == ["ok"] * len(again), again

    back = host.run("undo_door undo /root/undo")
    assert back.rc == 0, back
    assert host.run(probe).out == before, "undo did not bring the host back"


REFUSALS = [
    ("- ansible.posix.firewalld: service=ssh state=enabled", "firewall is not currently running"),
    ("- ansible.posix.firewalld: port=80 permanent=true state=enabled", "improper port format (missing protocol?)"),
    ("- ansible.posix.firewalld: service=ssh permanent=true state=present",
     "absent and present state can only be used in zone level operations"),
    ("- ansible.posix.firewalld: service=nonsense permanent=true state=enabled", "INVALID_SERVICE: nonsense"),
    ("- community.general.ufw: rule=allow direction=incoming", 'For rules, direction must be one of "in" and "out"'),
    ("- community.general.ufw: rule=allow interface_in=a interface_out=b",
     "Only route rules can combine interface_in and interface_out"),
    ("- ansible.posix.at: command=true", "present state requires count and units"),
    ("- ansible.posix.seboolean: name=httpd_can_network_connect state=yes", "SELinux is disabled on this host."),
    ("- ansible.posix.selinux: state=disabled", "Unable to find file /etc/selinux/config"),
    ("- ansible.posix.selinux: state=permissive policy=nonsense configfile=/etc/hostname", "Policy nonsense does not exist in /etc/selinux/"),
    ("- community.general.modprobe: name=no-such-module", "modprobe: FATAL: Module no-such-module not found in directory /lib/modules/"),
    ("- apt: name=no-such-package", "No package matching 'no-such-package' is available"),
    ("- apt: name=hf-demo=9.9", "no available installation candidate for hf-demo=9.9"),
    ("- systemd: name=no-such-unit state=started", "Could not find the requested service no-such-unit: host"),
    ("- user: name=ada group=no-such-group", "Group no-such-group does not exist"),
    ("- reboot:", "Running reboot with local connection would reboot the control node."),
    ("- community.general.timezone: name=Mars/Base", 'given timezone "Mars/Base" is not available'),
]


@pytest.mark.parametrize("task,words", REFUSALS, ids=[w for _, w in REFUSALS])
def test_refusal(host, task, words):
    host.run(CLEAN)
    rows = apply(host, task)
    assert rows[-1]["status"] == "failed" and words in rows[-1]["msg"]


def test_a_key_is_fetched_when_it_is_added_and_not_to_tell_of_it(host):
    host.run(CLEAN)
    task = "- apt_key: {keyserver: keys.invalid, id: 4D1BB29D63D98E422B2113B19334A25F8507EFA5}"
    assert [r["status"] for r in apply(host, task, "--check")] == ["changed"]
    assert "error getting key id from url: https://keys.invalid/pks/lookup" in apply(host, task)[-1]["msg"]


def test_apt_shows_what_would_come(host):
    host.run(CLEAN)
    [row] = apply(host, "- apt: name=hf-demo", "--check", "--diff")
    shown = row["diff"][0]["prepared"] if isinstance(row["diff"], list) else row["diff"]["prepared"]
    assert "The following NEW packages will be installed:\n  hf-demo hf-lib" in shown


def test_apt_waits_for_the_lock_and_names_its_holder(host):
    host.run(CLEAN)
    # dpkg itself holds the lock while a maintainer script sleeps.
    host.put("/root/slow/DEBIAN/control", "Package: hf-slow\nVersion: 1\nArchitecture: all\nMaintainer: t <t@e.org>\n"
             "Description: slow\n")
    host.put("/root/slow/DEBIAN/postinst", "#!/bin/sh\nwhile [ ! -e /root/slow/go ]; do sleep 0.1; done\n", 0o755)
    host.run("dpkg-deb -b /root/slow /root/slow.deb", check=True)
    slow = host.start("dpkg -i /root/slow.deb")
    host.run("while ! dpkg-query -W hf-slow 2>/dev/null; do sleep 0.05; done")
    try:
        short = apply(host, "- apt: name=hf-tool-x lock_timeout=0")
    finally:
        host.run("(sleep 2; touch /root/slow/go) >/dev/null 2>&1 &")
    assert short[-1]["status"] == "failed"
    assert "is held by process" in short[-1]["msg"] and "dpkg" in short[-1]["msg"]
    waited = apply(host, "- apt: name=hf-tool-x")
    assert waited[-1]["status"] == "changed"
    assert slow.wait() == 0


def test_nothing_to_do_starts_no_program(host):
    host.run(CLEAN)
    apply(host, "- apt: name=hf-demo")
    host.put("/root/play.yml", playbook([{"apt": {"name": "hf-demo"}}, {"systemd": {"name": "cron", "state": "started"}},
                                         {"user": {"name": "root"}}]) + "\n")
    # A PATH without programs: whatever had to be started would fail.
    r = host.run(["env", "PATH=/nowhere", "/usr/bin/holdfast", "apply", "/root/play.yml", "--output", "jsonl"])
    assert [t["status"] for t in tasks_of(r)] == ["ok", "ok", "ok"], r


def test_daemon_reload_only_after_a_unit_file_changed(host):
    host.run(CLEAN)
    loaded = "busctl get-property org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager "\
        "UnitsLoadTimestamp"
    apply(host, "- systemd: daemon_reload=yes")
    before = host.run(loaded).out
    apply(host, "- systemd: daemon_reload=yes")
    assert host.run(loaded).out == before
    host.put("/etc/systemd/system/nap.service.d/x.conf", "[Service]\nNice=5\n")
    apply(host, "- systemd: daemon_reload=yes")
    assert host.run(loaded).out != before
    assert host.run("systemctl show -p Nice nap").out.strip() == "Nice=5"
