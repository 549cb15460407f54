"""What no file tells of, on a Debian host with the real rpm, dnf, iptables and ufw, and with lists of kernel modules and a SELinux of the
test's own where the agent looks for the kernel's: changed by others it is told of and put right, or only told of where the policy says so.
And what a task does each time it is asked for (restarts, touches, flushes) is done by releases only: nothing of it is drift."""
import sys
import time

import pytest

from agent import AgentHost
from host import BESIDE, Host
from places import ROOT
from rpmrepo import BUILD as RPMS
from drift_machine import AGAIN, Machine, quiet

sys.path.insert(0, str(ROOT / "tests/modules"))
from engine_server import Engine, serve  # noqa: E402

PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - name: unit file
      copy:
        dest: /etc/systemd/system/nap.service
        content: "[Service]\\nExecStartPre=/bin/sh -c 'echo >>/srv/started'\\nExecStart=/bin/sleep infinity\\nExecReload=/bin/sh -c 'echo >>/srv/reloaded'\\n"
    - { name: restarted, systemd: { name: nap, state: restarted, daemon_reload: true } }
    - { name: reloaded, service: { name: nap, state: reloaded } }
    - { name: touched, file: { path: /srv/touched, state: touch, mode: "0640" } }
    - { name: flushed, iptables: { chain: OUTPUT, flush: true } }
    - { name: remounted, mount: { path: /mnt/scratch, src: tmpfs, fstype: tmpfs, state: remounted } }
    - { name: lists, apt: { update_cache: true } }
    - { name: reports of rpm, dnf: { update_cache: true } }
    - { name: disk, filesystem: { dev: /srv/disk, fstype: ext4, force: true } }
    - { name: job, at: { command: "true", count: 1, units: days } }

    - { name: rpm, dnf: { name: hf-demo, state: present } }
    - { name: rpm of a version, package: { name: hf-tool-x-1.0, use: dnf } }
    - { name: no rpm, dnf: { name: hf-tool-y, state: absent } }
    - { name: rpm of the report, dnf: { name: hf-mail-a, state: present }, vars: { holdfast_policy: report } }

    - { name: rule, iptables: { chain: INPUT, protocol: tcp, destination_port: "8080", jump: ACCEPT, comment: ours } }
    - { name: no rule, iptables: { chain: INPUT, protocol: tcp, destination_port: "23", jump: ACCEPT, state: absent } }
    - { name: chain, iptables: { chain: TRAINERS, chain_management: true } }
    - { name: rule of the report, iptables: { chain: INPUT, protocol: tcp, destination_port: "8081", jump: ACCEPT }, vars: { holdfast_policy: report } }
    - { name: ufw, ufw: { state: enabled } }
    - { name: rule of ufw, ufw: { rule: allow, port: "8443", proto: tcp } }

    - { name: module, modprobe: { name: hf_wanted, state: present } }
    - { name: no module, modprobe: { name: hf-unwanted, state: absent } }
    - { name: module of the report, modprobe: { name: hf_reported, state: present }, vars: { holdfast_policy: report } }
    - { name: mode of SELinux, selinux: { policy: targeted, state: enforcing } }
    - { name: boolean of SELinux, seboolean: { name: httpd_can_network, state: true } }
    - { name: settings, copy: { content: "one", dest: /srv/settings }, notify: nap again }
  handlers:
    - { name: nap again, systemd: { name: nap, state: restarted } }
"""
PREPARE = f"""
mkdir -p /mnt/scratch
mount -t tmpfs tmpfs /mnt/scratch
truncate -s 8M /srv/disk
echo 'tmpfs /mnt/scratch tmpfs defaults 0 0' >>/etc/fstab
echo >/etc/apt/sources.list
{RPMS}
"""

# the task, what somebody does behind the agent's back, what shows how the host is
ROWS = [
    ("rpm", "removed", "again rpm -e hf-demo", "rpm -q hf-demo"),
    ("rpm of a version", "another one", "again rpm -e hf-tool-x", "rpm -q hf-tool-x"),
    ("no rpm", "installed", "again rpm -i /srv/rpms/hf-tool-y-1.0.rpm", "rpm -q hf-tool-y"),
    ("no rpm", "installed by dnf", "again dnf -q -y install hf-tool-y", "rpm -q hf-tool-y"),
    ("rpm of the report", "removed", "again rpm -e hf-mail-a", "rpm -q hf-mail-a"),
    ("rule", "deleted", "iptables -D INPUT -p tcp --dport 8080 -m comment --comment ours -j ACCEPT", "iptables -S INPUT | grep -c 'dport 8080'"),
    ("rule", "another target", "iptables -R INPUT $(iptables -nL INPUT --line-numbers | grep dpt:8080 | cut -d' ' -f1) -p tcp --dport 8080 -j DROP",
     "iptables -C INPUT -p tcp --dport 8080 -m comment --comment ours -j ACCEPT && echo there"),
    ("no rule", "inserted", "iptables -I INPUT -p tcp --dport 23 -j ACCEPT", "iptables -S INPUT | grep -c 'dport 23 '"),
    ("chain", "removed", "iptables -X TRAINERS", "iptables -S TRAINERS"),
    ("rule of the report", "deleted", "iptables -D INPUT -p tcp --dport 8081 -j ACCEPT", "iptables -S INPUT | grep -c 'dport 8081'"),
    ("rule of ufw", "deleted", "ufw delete allow 8443/tcp", "ufw status | grep -c '^8443/tcp .*ALLOW'; iptables -S ufw-user-input | grep -c 8443"),
    ("ufw", "off", "ufw disable", "ufw status | head -1"),
    ("ufw", "its chains gone", "iptables -F; iptables -X", "ufw status | head -1; iptables -S ufw-user-input | grep -c 8443"),
    ("module", "unloaded", "sed -i '/^hf_wanted /d' /srv/kernel/modules", "grep -c hf_wanted /srv/kernel/modules"),
    ("no module", "loaded", "echo 'hf_unwanted 1 0 - Live 0x0' >>/srv/kernel/modules", "grep -c hf_unwanted /srv/kernel/modules"),
    ("module of the report", "unloaded", "sed -i '/^hf_reported /d' /srv/kernel/modules", "grep -c hf_reported /srv/kernel/modules"),
    ("mode of SELinux", "permissive", "echo 0 >/srv/kernel/selinux/enforce", "cat /srv/kernel/selinux/enforce"),
    ("mode of SELinux", "in its file", "sed -i s/enforcing/permissive/ /etc/selinux/config", "cat /etc/selinux/config"),
    ("boolean of SELinux", "off", "echo '0 0' >/srv/kernel/selinux/booleans/httpd_can_network", "cat /srv/kernel/selinux/booleans/httpd_can_network"),
    ("restarted", "stopped", "systemctl stop nap", "systemctl is-active nap"),
    ("touched", "removed", "rm /srv/touched", "stat -c %a /srv/touched"),
    ("touched", "another mode", "chmod 600 /srv/touched", "stat -c %a /srv/touched"),
]
# A file system table and a firewall have several tasks; what one task's change does to another is its own.
BESIDES = {"ufw": {"rule of ufw", "rule", "rule of the report", "chain"}, "restarted": {"reloaded"}}


class Changed(Machine):
    def release(self, folder):
        folder.mkdir()
        (folder / "site.yml").write_text(PLAYBOOK)

    def told(self, title):
        return [e for e in self.known if e["title"] == title]

    def events(self):
        self.known = super().events()
        return self.known


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinds")
    (folder / "store").mkdir()
    with Host(binds={"/store": folder / "store"}, packages=BESIDE) as host:
        host.run(PREPARE, check=True)
        machine = Changed(host, [])
        machine.kernel(["httpd_can_network"])
        machine.start(folder, "look: 4s\nsweep: 5s\nhash_sweep: 7s\n")
        quiet(machine)
        yield machine


def count(machine, what):
    return len(machine.host.get(f"/srv/{what}"))


def test_what_is_done_each_time_is_no_drift(machine):
    """Before anything else is changed: looks and sweeps, some of each, have gone by."""
    def disk():
        return machine.host.run("blkid -o value -s UUID /srv/disk; atq | wc -l").out

    started, reloaded, at = count(machine, "started"), count(machine, "reloaded"), machine.host.run("stat -c %y /srv/touched").out
    uuid = disk()
    assert uuid.count("\n") == 2, "there is a file system, and a job"
    machine.host.run("iptables -A OUTPUT -p tcp --dport 25 -j DROP; rpm -q hf-demo; systemctl kill -s CONT nap; touch -a /srv/touched; atrm $(atq | cut -f1)")
    uuid = disk()
    time.sleep(8)
    assert machine.events() == []
    assert machine.status()["state"] == "ok"
    assert (count(machine, "started"), count(machine, "reloaded")) == (started, reloaded)
    assert disk() == uuid, "a file system that is there is left, and no second job is made"
    assert machine.host.run("iptables -S OUTPUT | grep -c 'dport 25'").out == "1\n", "a rule of somebody's stays"
    machine.host.run("iptables -D OUTPUT -p tcp --dport 25 -j DROP; echo line >>/srv/touched", check=True)
    time.sleep(3)
    assert machine.events() == []
    assert machine.host.run("stat -c %y /srv/touched").out != at, "the writer's own time is left to it"


def waves():
    """The rows, each task once a wave; what takes others' rules along comes alone."""
    left = list(ROWS)
    while left:
        wave, titles = [], set()
        for row in left:
            if row[0] not in titles and (row[1] != "its chains gone" or not wave):
                titles.add(row[0])
                wave.append(row)
            if row[1] == "its chains gone" and row in wave:
                break
        left = [row for row in left if row not in wave]
        yield wave


def action_of(title):
    return "reported" if title.endswith("of the report") else "corrected"


def looks(machine, wave):
    script = "".join(f"({probe}) 2>/dev/null; echo '=== next'\n" for _, _, _, probe in wave)
    return machine.host.run(script).out.split("=== next\n")


def disturb(machine, wave):
    """Everything of the wave at once: the texts before and after, and what was told."""
    quiet(machine)
    machine.since = max([machine.since] + [e["id"] for e in machine.events()])
    before = looks(machine, wave)
    done = machine.host.run(AGAIN + "\n".join(disturb for _, _, disturb, _ in wave))
    assert "in vain" not in done.out, f"the test's own change was not made: {done}"

    def missing():
        machine.events()
        return [(title, what) for title, what, _, _ in wave if [e["action"] for e in machine.told(title)][-1:] != [action_of(title)]]

    machine.until(lambda: not missing(), lambda: f"{missing()}: {machine.events()}")
    quiet(machine)
    machine.until(lambda: not missing(), lambda: f"{missing()}: {machine.events()}")
    events = machine.events()
    known = {row[0] for row in wave}.union(*(BESIDES.get(row[0], set()) for row in wave))
    others = [e for e in events if e["title"] not in known]
    assert not others, f"told of what nobody touched: {others}"
    return [(b, a, [e for e in events if e["title"] == row[0]]) for row, b, a in zip(wave, before, looks(machine, wave))]


def test_handlers_of_what_is_put_right_do_their_work(machine):
    quiet(machine)
    before = count(machine, "started")
    machine.host.run("echo two >/srv/settings")
    machine.until(lambda: count(machine, "started") == before + 1, "and what reads it is restarted")


@pytest.fixture(scope="module")
def disturbed(machine):
    found = {}
    for wave in waves():
        found.update(zip([row[:2] for row in wave], disturb(machine, wave)))
    return found


@pytest.mark.parametrize("title,what", [r[:2] for r in ROWS], ids=[f"{r[0]}: {r[1]}" for r in ROWS])
def test_it_is_told_and_put_right(disturbed, title, what):
    before, after, events = disturbed[title, what]
    if action_of(title) == "corrected":
        assert after == before
        assert {e["class"] for e in events} <= {"external", "corrective"}
    else:
        assert after != before, "it stays as somebody left it"
        assert {e["class"] for e in events} == {"external"}


FORCED = """
- hosts: all
  gather_facts: false
  tasks:
    - name: container
      docker_container: {{ docker_host: "unix://{f}/engine", name: trainer, image: "busybox:1", restart: true, pull: always }}
    - name: container made anew
      docker_container: {{ docker_host: "unix://{f}/engine", name: other, image: "busybox:1", recreate: true }}
    - name: network
      docker_network: {{ docker_host: "unix://{f}/engine", name: fabric, force: true }}
    - name: image
      docker_image: {{ docker_host: "unix://{f}/engine", name: "web:2", source: pull, force_source: true }}
    - name: environment
      pip: {{ name: hf-wheel, virtualenv: "{f}/env", state: forcereinstall }}
    - name: upgraded
      pip: {{ name: hf-wheel, virtualenv: "{f}/env", extra_args: -U }}
    - name: keys
      community.crypto.openssh_keypair: {{ path: "{f}/target/key", type: ed25519, force: true }}
    - name: private key
      community.crypto.openssl_privatekey: {{ path: "{f}/target/pem", type: Ed25519, regenerate: always }}
    - name: public key
      community.crypto.openssl_publickey: {{ path: "{f}/target/public", privatekey_path: "{f}/target/pem", force: true }}
    - name: file
      copy: {{ content: "text", dest: "{f}/target/file" }}
"""
PIP = '#!/bin/sh\ncase "$*" in *install*) echo >>{f}/installs; echo Successfully installed hf-wheel-1.0 ;; esac\n'


def test_what_is_forced_is_forced_by_releases_only(tmp_path, holdfast, holdfastd):
    site = tmp_path / "env/lib/python3.11/site-packages/hf_wheel-1.0.dist-info"
    site.mkdir(parents=True)
    (site / "METADATA").write_text("Metadata-Version: 2.1\nName: hf-wheel\nVersion: 1.0\n")
    (tmp_path / "env/bin").mkdir()
    (tmp_path / "env/bin/activate").touch()
    (tmp_path / "env/bin/pip").write_text(PIP.format(f=tmp_path))
    (tmp_path / "env/bin/pip").chmod(0o755)
    engine = Engine()
    server = serve(tmp_path / "engine", engine)
    host = AgentHost(tmp_path, holdfast, holdfastd, look="1s", log_level="info")
    host.promote(host.push("one", {"site.yml": FORCED.format(f=tmp_path)}))

    def events():
        return [(e["title"], e["action"]) for e in host.ask("drift", "--limit", "1000")["events"]]

    def ids():
        return [engine.container("trainer")["Id"], engine.container("other")["Id"], engine.network("fabric")["Id"],
                *((tmp_path / "target" / name).read_text() for name in ("key", "pem"))]

    try:
        with host:
            host.installed("one")
            before, touched, installs = ids(), engine.touched, (tmp_path / "installs").read_text()
            assert installs, "the release reinstalls"
            time.sleep(5)  # some looks
            assert (events(), ids(), engine.touched, (tmp_path / "installs").read_text()) == ([], before, touched, installs)
            # What is gone comes back all the same.
            del engine.containers[before[0]]
            (site / "METADATA").unlink()
            site.rmdir()
            (tmp_path / "target/key.pub").unlink()
            (tmp_path / "target/pem").chmod(0o644)
            titles = {"container", "environment", "keys", "private key"}
            host.until(lambda: {(title, "corrected") for title in titles} <= set(events()), "all are put right")
            assert {title for title, _ in events()} <= titles | {"upgraded"}
            assert (tmp_path / "target/key.pub").exists() and ids()[3:] == before[3:]
            assert (tmp_path / "target/pem").stat().st_mode & 0o777 == 0o600
    finally:
        server.shutdown()
