"""Fifteen ways a new machine can fail, injected one by one on one fresh host: each has its own code in the right phase, within
five seconds, on the console, in the journal and at the broker."""
import json
import ssl
import subprocess
import time

import pytest

from broker import Authority, Broker
from scene import TREE as ROOT
from host import CLOUD_PACKAGES, Host, mirror
from inside import Doors, deb, imds
from test_bootstrap import ENVIRONMENT, FLEET, INSTANCE, READY_SECONDS, UNIT, World, machine

SECONDS = 5
PATIENCE, TRIES = 60, 3
pytestmark = pytest.mark.alone  # within five seconds of the machine's own time


class Place:
    """One host, its doors, and what a row needs to break it and to put it right again."""

    def __init__(self, world, package):
        self.world, self.handler = world, imds(INSTANCE, access=world.s3.access_key, secret=world.s3.secret_key)
        self.bundle = world.bundle(package)
        self.host = Host(packages=CLOUD_PACKAGES).boot()
        self.doors = Doors(self.host)
        machine(world, self.doors, self.host, self.handler)
        self.tls = Authority(world.folder / "store-tls")
        self.stranger = Authority(world.folder / "stranger-tls")
        self.host.put("/usr/local/share/ca-certificates/store.crt", (self.tls.folder / "ca.crt").read_bytes())
        self.host.put("/usr/local/share/ca-certificates/broker.crt",
                      (world.broker.authority.folder / "ca.crt").read_bytes())
        self.host.run("update-ca-certificates", check=True)
        self.report = self._open_broker()

    def _open_broker(self):
        """A broker that hears failures from machines which have no certificate yet."""
        folder = self.world.folder / "open-broker"
        folder.mkdir()
        broker = Broker(folder)
        text = (folder / "mosquitto.conf").read_text()
        broker.authority = self.tls
        server = self.tls.issue("localhost-report", alternative="DNS:localhost,IP:127.0.0.1")
        for line in ("require_certificate true", "use_identity_as_username true"):
            text = text.replace(line + "\n", "")
        lines = [f"certfile {server['cert']}" if l.startswith("certfile") else f"keyfile {server['key']}" if
                 l.startswith("keyfile") else f"cafile {server['ca']}" if l.startswith("cafile") else l for l in text.splitlines()]
        (folder / "mosquitto.conf").write_text("\n".join(lines).replace("allow_anonymous false", "allow_anonymous true") + "\n")
        broker.start()
        self.doors.relay(("127.0.0.1", broker.port), ("127.0.0.1", broker.port))
        self.open_reader = broker.reader("hf/1/#")
        return broker

    def https(self, authority, days):
        """A store over TLS with a certificate of this authority."""
        made = authority.issue(f"store{days}", alternative="IP:127.0.0.1")
        if days <= 0:
            subprocess.run(["openssl", "x509", "-req", "-in", f"store{days}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-days", "-1",
                            "-extfile", f"store{days}.ext", "-out", f"store{days}.crt"], cwd=authority.folder, check=True,
                           capture_output=True)
        listener = self.doors.listen(("127.0.0.1", 0))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made["cert"], made["key"])

        def answer(connection):
            try:
                with context.wrap_socket(connection, server_side=True) as c:
                    c.recv(1000)
            except (OSError, ssl.SSLError):
                pass

        self.doors._accept(listener, answer)
        return f"https://127.0.0.1:{listener.getsockname()[1]}"

    def user_data(self, endpoint=None, environment=ENVIRONMENT):
        words = ["bootstrap", "user-data", "-E", environment, "-f", FLEET, "-s", "s3://fleet/holdfast", "-r", "us-east-1", "-b",
                 self.bundle, "--endpoint", endpoint or self.world.s3.endpoint, "--report", f"127.0.0.1:{self.report.port}"]
        return self.world.holdfast(*words)

    def boot(self, data):
        """Run user data as a unit; what was said from now on is this row's."""
        self.host.run("systemctl stop user-data holdfastd; systemctl reset-failed user-data; rm -rf /run/holdfast-boot "
                      "/var/lib/holdfast/state.db* /var/lib/holdfast/releases; : >/dev/console; journalctl --rotate -q; "
                      "journalctl --vacuum-time=1s -q")
        self.host.put("/run/user-data", data)
        self.host.put("/etc/systemd/system/user-data.service", UNIT.replace(
            "gzip -dc /var/lib/user-data.gz >/run/user-data && sh /run/user-data", "sh /run/user-data"))
        self.host.run("systemctl daemon-reload; systemctl start --no-block user-data", check=True)

    def said(self, code, reader, after):
        """Where the code was seen, and after how long."""
        start, seen = time.monotonic(), {}
        while time.monotonic() - start < PATIENCE and len(seen) < 3:
            now = round(time.monotonic() - start, 1)
            if code in self.host.run("cat /dev/console").out:
                seen.setdefault("console", now)
            if code in self.host.run("journalctl -q --no-pager -o cat -t holdfast -t holdfastd -t sh").out:
                seen.setdefault("journal", now)
            for m in reader.messages[after:]:
                if m.topic.endswith("/alarm") and m.body.get("code") == code:
                    seen.setdefault("broker", now)
            time.sleep(0.05)
        return seen

    def told_soon(self, code, reader, boot):
        """Where the code was seen in time: the best of a few tries, for a machine may do other work too."""
        for _ in range(TRIES):
            after = len(reader.messages)
            boot()
            seen = self.said(code, reader, after)
            soon = {where for where, seconds in seen.items() if seconds <= SECONDS}
            if len(soon) == 3:
                break
        return soon, seen

    def close(self):
        self.open_reader.close()
        self.report.close()
        self.host.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("world"))
    try:
        place = Place(world, deb(ROOT / "packaging/deb/build.sh"))
        try:
            yield place
        finally:
            place.close()
    finally:
        world.close()


@pytest.fixture(scope="module")
def installed(place):
    """The same host with the package on it, as an image that was baked."""
    place.doors.mirror(("127.0.0.1", 3143), mirror())
    place.host.put("/etc/apt/sources.list", "deb http://127.0.0.1:3143 bookworm main\n")
    place.boot(place.user_data())
    end = time.monotonic() + READY_SECONDS
    while place.host.run("systemctl is-active user-data").out.strip() != "active" and time.monotonic() < end:
        time.sleep(0.2)
    assert place.host.run("holdfast --version").rc == 0, place.host.run("journalctl --no-pager -o cat -u user-data").out[-3000:]
    return place


# --- before the package is there: the user data says it -------------------------------------------------------------------
def no_instance(p):
    p.handler.broken = {"token"}
    return p.user_data()


def no_route(p):
    return p.user_data("http://10.255.255.1:80")


def no_name(p):
    return p.user_data("http://store.invalid:80")


def forbidden(p):
    p.host.put("/usr/local/bin/openssl", "#!/bin/sh\n[ \"$1\" = dgst ] && { cat >/dev/null; echo '= 00'; exit; }\n"
               "exec /usr/bin/openssl \"$@\"\n", 0o755)
    return p.user_data()


def clock(p):
    p.host.put("/usr/local/bin/date", "#!/bin/sh\nexec /bin/date -d '3 days ago' \"$@\"\n", 0o755)
    return p.user_data()


def wrong_authority(p):
    return p.user_data(p.https(p.stranger, 1))


def expired(p):
    return p.user_data(p.https(p.tls, 0))


def disk_full(p):
    p.host.run("mkdir -p /var/lib/holdfast; mount -t tmpfs -o size=1m tmpfs /var/lib/holdfast", check=True)
    return p.user_data()


def read_only(p):
    p.host.run("mkdir -p /etc/holdfast; mount --bind /etc/holdfast /etc/holdfast; mount -o remount,ro,bind /etc/holdfast; "
               "mkdir -p /var/lib/holdfast; mount --bind /var/lib/holdfast /var/lib/holdfast; "
               "mount -o remount,ro,bind /var/lib/holdfast", check=True)
    return p.user_data()


def no_apt(p):
    p.host.run("mv /usr/bin/apt-get /usr/bin/apt-get.away", check=True)
    return p.user_data()


LOCK = ("use Fcntl; open F, '>>', '/var/lib/dpkg/lock-frontend'; my $l = pack('s s l! l! i', F_WRLCK, 0, 0, 0, 0); "
        "fcntl(F, F_SETLK, $l) or die $!; $| = 1; print qq(held\n); sleep 600")


def locked(p):
    holder = p.host.start(["perl", "-e", LOCK], stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"held\n"
    return p.user_data()


EARLY = [("no instance id", "HF-B01", no_instance), ("no route", "HF-B04", no_route), ("DNS", "HF-B03", no_name),
         ("clock", "HF-B07", clock), ("403", "HF-B08", forbidden), ("wrong CA", "HF-B05", wrong_authority),
         ("expired certificate", "HF-B06", expired), ("disk full", "HF-B13", disk_full),
         ("read-only root", "HF-B14", read_only), ("no apt", "HF-B15", no_apt), ("lock held", "HF-B16", locked)]
REPAIR = ("umount /etc/holdfast /var/lib/holdfast 2>/dev/null; rm -f /usr/local/bin/openssl /usr/local/bin/date; "
          "[ ! -e /usr/bin/apt-get.away ] || mv /usr/bin/apt-get.away /usr/bin/apt-get; "
          "for p in $(ps -C perl -o pid=); do kill $p; done")


@pytest.mark.parametrize("row", EARLY, ids=lambda r: r[0])
def test_before_the_package(place, row):
    _, code, break_it = row
    def repair():
        place.handler.broken = set()
        place.host.run(f"systemctl stop user-data; {REPAIR}")

    def boot():
        repair()
        place.boot(break_it(place))

    try:
        soon, seen = place.told_soon(code, place.open_reader, boot)
        text = place.host.run("journalctl -q --no-pager -o cat -t holdfast -t sh").out
    finally:
        repair()
    assert soon == {"console", "journal", "broker"}, (seen, text[-2000:])


# --- once the agent is there: it says it ----------------------------------------------------------------------------------
def site(p, name, text):
    folder = p.world.folder / name
    folder.mkdir()
    (folder / "site.yml").write_text("- hosts: all\n  gather_facts: false\n  tasks:\n" + text)
    (folder / "more.yml").write_text("- debug: { msg: [ }\n" if name == "yaml" else "- debug: { msg: well }\n")
    p.world.promote(folder, "--no-lint")  # lint would say it before any host meets it
    return ENVIRONMENT


def bad_yaml(p):
    return site(p, "yaml", "    - include_tasks: more.yml\n")


def unknown_module(p):
    return site(p, "module", "    - no_such_module_anywhere: { a: 1 }\n")


def pointer(p, environment):
    return f"/fleet/holdfast/channels/{environment}/{FLEET}.json"


def bad_signature(p):
    site(p, "signed", "    - debug: { msg: well }\n")
    data = json.loads(p.world.s3.request("GET", pointer(p, ENVIRONMENT))[1])
    signature = data["signatures"][0]["sig"]
    data["signatures"][0]["sig"] = ("B" if signature[0] == "A" else "A") + signature[1:]
    p.world.s3.request("PUT", pointer(p, ENVIRONMENT), json.dumps(data, separators=(",", ":")).encode())
    return ENVIRONMENT


def wrong_environment(p):
    """The host was told prod; somebody put dev's pointer there, and nobody may deploy to prod."""
    p.world.s3.request("PUT", pointer(p, "prod"), p.world.s3.request("GET", pointer(p, ENVIRONMENT))[1])
    return "prod"


LATE = [("bad YAML", "HF-B18", bad_yaml), ("unknown module", "HF-B19", unknown_module),
        ("bad signature", "HF-B11", bad_signature), ("wrong environment", "HF-B12", wrong_environment)]


@pytest.mark.parametrize("row", LATE, ids=lambda r: r[0])
def test_with_the_agent(installed, row):
    p, (_, code, break_it) = installed, row
    environment = break_it(p)
    reader = p.world.broker.reader("hf/1/#", name=f"reader-{code}")
    try:
        soon, seen = p.told_soon(code, reader, lambda: p.boot(p.user_data(environment=environment)))
        log = p.host.run("journalctl -q --no-pager -o cat -u holdfastd").out
    finally:
        reader.close()
    assert soon == {"console", "journal", "broker"}, (seen, log[-3000:])


def test_every_code_is_its_own():
    codes = [r[1] for r in EARLY + LATE]
    assert len(codes) == 15 and len(set(codes)) == 15
