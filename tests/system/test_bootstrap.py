"""From user data to a host fit for training, unattended: a fresh Debian 12 with its own systemd and nothing of ours on it,
a metadata service, an S3 server that checks signatures, a broker, the distribution's mirror, the .deb, the shipped ml-base."""
import gzip
import json
import pathlib
import shutil
import subprocess
import time

import pytest

from scene import BUILD, TREE as ROOT
from broker import Broker
from host import CLOUD_PACKAGES, Host, mirror
from inside import Doors, address_add, deb, imds
from s3server import S3Server
from scene import Scene

ENVIRONMENT, FLEET, INSTANCE = "dev", "gpu", "i-0123456789abcdef0"
READY_SECONDS = 900
UNIT = """[Unit]
Description=what cloud-init does with user data
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'gzip -dc /var/lib/user-data.gz >/run/user-data && sh /run/user-data'
"""


class World:
    """Store, broker, keys and a release; hosts are added to it."""

    def __init__(self, folder):
        self.folder = folder
        self.s3 = S3Server()
        self.s3.start()
        self.s3.make_bucket("fleet")
        self.broker = Broker(folder / "broker").start()
        self.reader = self.broker.reader(f"hf/1/{ENVIRONMENT}/#")
        self.key = folder / "operator.key"
        self.signed = ["--store", "s3://fleet/holdfast", "--key", str(self.key)]
        self.holdfast("key", "generate", str(self.key))
        self.holdfast("release", "init", *self.signed, "--environment", ENVIRONMENT)
        (folder / "root.json").write_bytes(self.s3.request("GET", "/fleet/holdfast/root/1.json")[1])

    def holdfast(self, *words):
        done = subprocess.run([str(BUILD / "holdfast"), *map(str, words)], capture_output=True,
                              env={"PATH": "/usr/bin:/bin", **self.s3.env()})
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def promote(self, release, *more):
        pushed = json.loads(self.holdfast("release", "push", release, *self.signed, *more, "--name", release.name, "--json"))
        self.holdfast("release", "promote", pushed["release"], *self.signed, "-E", ENVIRONMENT, "-f", FLEET, "--reason", "first")

    def bundle(self, package):
        tls = self.broker.client(INSTANCE)
        agent = self.folder / "agent.yaml"
        agent.write_text("poll: 2s\nsplay: 0s\nmqtt:\n  host: 127.0.0.1\n"
                         f"  port: {self.broker.port}\n" + "".join(f"  {n}: /etc/holdfast/tls/{n}.pem\n" for n in tls))
        variables = self.folder / "environment"
        variables.write_text(f"AWS_ENDPOINT_URL_S3={self.s3.endpoint}\n")
        return self.holdfast("bootstrap", "bundle", "--store", "s3://fleet/holdfast", "--root", self.folder / "root.json",
                             "--package", package, "--agent-config", agent, "--env-file", variables, "--ca", tls["ca"],
                             "--cert", tls["cert"], "--cert-key", tls["key"]).decode().strip()

    def user_data(self, bundle, *more):
        return self.holdfast("bootstrap", "user-data", "-E", ENVIRONMENT, "-f", FLEET, "-s", "s3://fleet/holdfast", "-r",
                             "us-east-1", "-b", bundle, "--endpoint", self.s3.endpoint, "--gzip", *more)

    def close(self):
        self.reader.close()
        self.broker.close()
        self.s3.stop()


def ml_base(folder):
    """The shipped play as a release; a container may set neither its clock nor the kernel's settings."""
    release = folder / "ml-base"
    shutil.copytree(ROOT / "playbooks", release)
    (release / "ml-base.yml").rename(release / "site.yml")
    (release / "group_vars").mkdir()
    (release / "group_vars" / "all.yml").write_text("chrony_manage_service: false\ntraining_limits_load: false\n")
    return release


@pytest.fixture(scope="module")
def package():
    return deb(ROOT / "packaging/deb/build.sh")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("world"))
    yield world
    world.close()


def machine(world, doors, host, handler):
    address_add(host, "169.254.169.254")
    doors.serve(("169.254.169.254", 80), handler)
    doors.relay(("127.0.0.1", world.s3.port), ("127.0.0.1", world.s3.port))
    doors.relay(("127.0.0.1", world.broker.port), ("127.0.0.1", world.broker.port))
    doors.mirror(("127.0.0.1", 3142), mirror())
    host.put("/etc/apt/sources.list", "deb http://127.0.0.1:3142 bookworm main\n")
    host.put("/etc/systemd/system/user-data.service", UNIT)


def phases(host, start):
    """Seconds from the start of the user data to each line the journal knows."""
    rows = host.run("journalctl --no-pager -o short-unix _SYSTEMD_UNIT=user-data.service + _SYSTEMD_UNIT=holdfastd.service"
                    " + SYSLOG_IDENTIFIER=holdfast").out.splitlines()
    return [f"{float(row.split(' ', 1)[0]) - start:7.1f} s  {row.split(': ', 1)[-1]}" for row in rows if row[:1].isdigit()]


def ready(world, host):
    """Until the broker heard that the host is at its release; soon when the user data itself has failed."""
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        try:
            return world.reader.wait(lambda m: m.topic.endswith(f"/{INSTANCE}/state") and m.body.get("state") == "ok" and
                                     m.body.get("installed", {}).get("name") == "ml-base", seconds=1)
        except AssertionError:
            if host.run("systemctl is-failed user-data").rc == 0:
                break
    raise AssertionError(host.run("journalctl --no-pager -o cat -u user-data -u holdfastd").out[-6000:])


def test_user_data_makes_a_training_host(world, package):
    world.promote(ml_base(world.folder))
    bundle = world.bundle(package)
    data = world.user_data(bundle)
    assert len(data) <= 2048
    handler = imds(INSTANCE, access=world.s3.access_key, secret=world.s3.secret_key)
    with Host(packages=CLOUD_PACKAGES) as host, Doors(host) as doors:
        machine(world, doors, host, handler)
        host.put("/var/lib/user-data.gz", data)
        assert not host.exists("/usr/bin/holdfast") and not host.exists("/usr/bin/python3")
        start = time.time()
        host.run("systemctl daemon-reload; systemctl start --no-block user-data")
        try:
            state = world.reader.wait(lambda m: m.topic.endswith(f"/{INSTANCE}/state") and m.body.get("state") == "ok" and
                              m.body.get("installed", {}).get("name") == "ml-base", seconds=READY_SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{host.run('journalctl --no-pager -o cat').out[-6000:]}") from None
        print("\n".join(phases(host, start)), "\n" + host.run("holdfast status | grep 'ready in'").out)
        took = state.body["ready_in"]
        assert {"bootstrap_ms", "fetch_ms", "verify_ms", "apply_ms", "gates_ms"} <= set(took)
        assert took["total_ms"] >= took["bootstrap_ms"] + took["apply_ms"] > 0
        assert host.run("systemctl is-active holdfastd user-data").out.split() == ["active", "active"]
        assert "chrony" in host.run("dpkg-query -W -f '${Package} ' chrony prometheus-node-exporter").out
        assert "nvidia-" in host.get("/etc/apt/apt.conf.d/52holdfast-unattended-upgrades").decode()
        assert host.run("holdfast --version").rc == 0 and host.exists("/usr/share/man/man8/holdfastd.8.gz")
        # Again, as after a reboot of an image: nothing is installed, started or written anew.
        before = host.run("systemctl show -p MainPID holdfastd; stat -c %Y.%i /etc/holdfast/*").out
        host.run("sh /run/user-data", check=True)
        assert host.run("systemctl show -p MainPID holdfastd; stat -c %Y.%i /etc/holdfast/*").out == before
        assert "HF-B" not in host.run("journalctl --no-pager -t holdfast -o cat").out


TRIES = 8


@pytest.mark.alone
def test_the_first_report_comes_within_a_second():
    """A host without Python: from the start of the agent to what the broker hears first, which is before anything is run."""
    with Scene() as scene:
        assert not scene.host.exists("/usr/bin/python3")
        slow = scene.folder / "slow"
        slow.mkdir()
        (slow / "site.yml").write_text("- hosts: all\n  gather_facts: false\n  tasks:\n    - command: sleep 5\n")
        scene.install_units()
        took = []
        for last in (*TRIES * [False], True):
            if not last and took and min(took) <= 1.0:
                continue  # it can: what other machines take of this one's time is not the agent's
            if last:
                scene.promote(scene.push(slow))
            after = len(scene.reader.messages)
            start = time.monotonic()
            scene.start_agent()
            message = scene.reader.wait(lambda m: m.topic.endswith("/state"), after=after)
            took.append(message.at - start)
            if last:
                assert message.body["state"] in ("starting", "converging"), "it comes before the run is over"
                run = scene.reader.wait(lambda m: m.topic.endswith("/run"), after=after)
                assert (message.body["n"], message.at) < (run.body["n"], run.at)
            scene.stop_agent()
            scene.reader.wait(lambda m: m.topic.endswith("/link") and m.body["s"] == "bye", after=after)
            scene.host.run("rm -rf /var/lib/holdfast", check=True)
        print([round(t, 3) for t in took])
        assert min(took) <= 1.0, took
