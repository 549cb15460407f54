"""The .deb on a Debian host with its own systemd: installed, upgraded, downgraded, removed, purged; state and reports survive."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest

import host_build
from scene import BUILD, TREE as ROOT
from inside import deb
from scene import Scene

SCRIPT = ROOT / "packaging/deb/build.sh"


@pytest.fixture(scope="module")
def packages():
    """The package, and the same with another version number, made from it: what an upgrade replaces."""
    first = pathlib.Path(deb(SCRIPT))
    tree = first.parent / "newer"
    shutil.rmtree(tree, ignore_errors=True)
    subprocess.run(["dpkg-deb", "-R", str(first), str(tree)], check=True)
    control = (tree / "DEBIAN/control").read_text()
    version = next(line for line in control.splitlines() if line.startswith("Version:")).split()[1]
    (tree / "DEBIAN/control").write_text(control.replace(f"Version: {version}", "Version: 9.9.9"))
    newer = first.parent / "newer.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", str(tree), str(newer)], check=True, capture_output=True)
    return {"old": first, "new": newer, "version": version}


TRACES = ("find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /dev -o -path /tmp -o -path /var/lib/dpkg -o -path "
          "/var/cache -o -path /var/log -o -path /root \\) -prune -o -name '*holdfast*' -print | sort")


def history(host):
    """What every run ended as, by its number."""
    done = host.run("holdfast history --json")
    return {r["id"]: r["release"] for r in json.loads(done.out)["runs"]} if done.rc == 0 else {}


def link(host):
    """The agent's connection to the broker, as it tells it."""
    done = host.run("holdfast status --json")
    return json.loads(done.out)["mqtt"] if done.rc == 0 else {"connected": False}


def until(holds, what, seconds=180):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def test_install_upgrade_downgrade_purge(packages):
    with Scene() as scene:
        host = scene.host
        host.run("rm -f /usr/bin/holdfast /usr/sbin/holdfastd")
        for name in ("old", "new"):
            host.put(f"/root/{name}.deb", pathlib.Path(packages[name]).read_bytes())
        version = "dpkg-query -W -f '${Version}' holdfast"

        host.run("dpkg -i /root/old.deb", check=True)
        assert host.run("systemctl is-enabled holdfastd").out.strip() == "enabled"
        assert host.run("getent passwd holdfast").rc == 0
        assert host.run("systemd-analyze verify holdfastd.service 2>&1 | grep -v \"Command 'man\"").out == ""
        host.run("systemctl start holdfastd", check=True)
        release = scene.push(scene.release_folder())
        scene.promote(release)
        scene.reader.wait(lambda m: m.topic.endswith("/run") and m.body.get("status") == "ok", seconds=240)

        scene.reader.wait(lambda m: m.topic.endswith("/link") and m.body.get("s") == "on")
        role = json.loads(host.run("holdfast status --json").out)["mqtt"]["pid"]
        assert "/holdfastd-net@" in host.get(f"/proc/{role}/cgroup").decode(), "the network role is a unit of its own"
        owner = host.run(f"ps -o user= -p {role}; grep -E 'NoNewPrivs|CapEff' /proc/{role}/status").out.split()
        assert owner == ["holdfast", "CapEff:", "0" * 16, "NoNewPrivs:", "1"]

        runs, pid = history(host), host.run("systemctl show -p MainPID --value holdfastd").out
        host.run("dpkg -i /root/new.deb", check=True)
        assert host.run(version).out == "9.9.9"
        until(lambda: host.run("systemctl is-active holdfastd").out.strip() == "active", "the agent is started again")
        until(lambda: host.run("systemctl show -p MainPID --value holdfastd").out.strip() not in ("0", pid.strip()), "the new program runs")
        until(lambda: runs.items() <= history(host).items(), "the runs are remembered")

        until(lambda: link(host)["connected"] and link(host)["waiting"] == 0, "everything is told")
        seen = len(scene.reader.messages)
        host.run("dpkg -i /root/old.deb", check=True)
        assert host.run(version).out == packages["version"]
        until(lambda: runs.items() <= history(host).items(), "the runs are remembered")
        scene.reader.wait(lambda m: m.topic.endswith("/link") and m.body.get("s") == "on", after=seen)

        def numbers():
            return sorted({m.body["n"] for m in scene.reader.messages[:] if m.text and "n" in m.body})

        until(lambda: numbers() == list(range(1, len(numbers()) + 1)), "no report was lost over two restarts")

        host.run("dpkg --remove holdfast", check=True)
        assert host.run("systemctl is-active holdfastd").out.strip() != "active"
        assert host.exists("/var/lib/holdfast/state.db") and host.exists("/etc/holdfast/holdfast.yaml")
        host.run("dpkg --purge holdfast", check=True)
        assert host.run(TRACES).out == ""


def test_an_upgrade_inside_a_run_does_not_end_the_run(packages):
    """The agent installs its own next version: the run ends well, and then the new program is started."""
    with Scene() as scene:
        host = scene.host
        for name in ("old", "new"):
            host.put(f"/root/{name}.deb", pathlib.Path(packages[name]).read_bytes())
        host.run("rm -f /usr/bin/holdfast /usr/sbin/holdfastd; dpkg -i /root/old.deb && systemctl start holdfastd", check=True)
        folder = scene.folder / "self"
        folder.mkdir()
        (folder / "site.yml").write_text("- hosts: all\n  gather_facts: false\n  tasks:\n    - command: dpkg -i /root/new.deb\n"
                                         "    - shell: systemctl show -p MainPID --value holdfastd >/root/after\n")
        pid = host.run("systemctl show -p MainPID --value holdfastd").out
        scene.promote(scene.push(folder))
        scene.reader.wait(lambda m: m.topic.endswith("/run") and m.body.get("status") == "ok", seconds=240)
        assert host.get("/root/after").decode() == pid, "the run went on under the agent that began it"


def test_the_network_role_is_fenced():
    """The exposure that systemd reckons: 0 is best, 10 is worst."""
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                           str(ROOT / "packaging/systemd/holdfastd-net@.service")], capture_output=True, text=True)
    exposure = float(done.stdout.rsplit(".service: ", 1)[1].split()[0])
    assert exposure <= 2.0, done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_name_every_command(shell):
    told = subprocess.run([str(BUILD / "holdfast"), "--help"], capture_output=True, text=True, check=True).stdout
    made = subprocess.run([str(BUILD / "holdfast"), "completion", shell], capture_output=True, text=True, check=True).stdout
    commands = set(re.findall(r"^  ([a-z-]+)(?: |$)", told, re.M))
    assert {"apply", "release", "status", "bootstrap"} <= commands
    assert [c for c in commands if not re.search(rf"\b{c}\b", made)] == []
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=made, text=True, check=True)


def test_lintian_has_nothing_to_say(packages):
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "warning", str(packages["old"])], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout == "", done.stdout


def test_the_same_bytes_twice(packages):
    out = host_build.programs() / "packages-again"
    out.mkdir(exist_ok=True)
    host_build.run([SCRIPT, out], check=True, capture_output=True, env={"HF_PACKAGE_FROM": str(host_build.programs())})
    assert next(out.glob("*.deb")).read_bytes() == pathlib.Path(packages["old"]).read_bytes()


@pytest.fixture(scope="module")
def rpm_package(tmp_path_factory):
    return built_rpm(tmp_path_factory.mktemp("rpm"))


def built_rpm(folder):
    subprocess.run([str(ROOT / "packaging/rpm/build.sh"), str(folder)], check=True, capture_output=True,
                   env={**os.environ, "HF_PACKAGE_FROM": str(BUILD)})
    return next(folder.glob("*.rpm"))


def test_rpmlint_has_nothing_to_say(rpm_package):
    """What is left out, and why, is said in rpmlint.toml."""
    folder = ROOT / "packaging/rpm"
    done = subprocess.run(["/usr/bin/rpmlint", "--strict", "-c", str(folder / "rpmlint.toml"), str(folder / "holdfast.spec"), str(rpm_package)],
                          capture_output=True, text=True)
    assert done.returncode == 0 and "0 errors, 0 warnings" in done.stdout, done.stdout + done.stderr


def test_the_same_rpm_twice(rpm_package, tmp_path):
    assert built_rpm(tmp_path).read_bytes() == rpm_package.read_bytes()


def test_the_rpm_installs_verifies_and_goes(rpm_package, tmp_path):
    """No RPM system is at hand: rpm's own database in an empty root."""
    package, root = rpm_package, tmp_path / "root"
    rpm = ["rpm", "--root", str(root), "--nodeps"]
    root.mkdir()
    subprocess.run(["rpm", "--root", str(root), "--initdb"], check=True, capture_output=True)
    subprocess.run([*rpm, "-i", "--noscripts", str(package)], check=True, capture_output=True)
    done = subprocess.run([str(root / "usr/bin/holdfast"), "--version"], capture_output=True, text=True)
    assert done.stdout.startswith("holdfast ")
    assert (root / "usr/lib/systemd/system/holdfastd.service").exists()
    assert (root / "usr/share/man/man1/holdfast.1.gz").exists() and (root / "usr/share/man/man8/holdfastd.8.gz").exists()
    assert subprocess.run([*rpm, "-V", "holdfast"], capture_output=True, text=True).stdout == ""
    subprocess.run([*rpm, "-e", "--noscripts", "holdfast"], check=True, capture_output=True)
    assert [p for p in (root / "usr").rglob("*") if p.is_file()] == []
