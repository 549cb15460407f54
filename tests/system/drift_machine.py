"""A Debian host whose agent applies one release and is then disturbed by tests, with what stands in for the kernel's own lists: loaded
modules and SELinux, which nobody may touch on the machine that the tests run on."""
import json
import subprocess
import time

from places import BUILD, ROOT

# The agent's own /proc and /sys/fs, which programs of the host do not see: with a list of modules, and a SELinux. What else the two
# mount is the other's as well.
KERNEL = """#!/bin/sh -e
for place in /proc /run /sys; do mount --make-rprivate $place; done
mkdir -p /run/proc
mount --bind /proc /run/proc
mount -t tmpfs tmpfs /proc
for name in $(ls /run/proc); do case $name in [0-9]*|modules|sys) ;; *) ln -s /run/proc/$name /proc/$name ;; esac; done
mkdir /proc/sys
mount --rbind /run/proc/sys /proc/sys
ln -s /srv/kernel/modules /proc/modules
mount -t tmpfs tmpfs /sys/fs
mkdir /sys/fs/selinux
mount --bind /srv/kernel/selinux /sys/fs/selinux
exec "$@"
"""
# Whoever reads the list finds it whole.
MODPROBE = """#!/bin/sh
exec 9>/srv/kernel/lock; flock 9
if [ "$1" = -r ]; then sed -i "/^$(echo $2 | tr - _) /d" /srv/kernel/modules; exit; fi
{ cat /srv/kernel/modules; echo "$(echo $1 | tr - _) 16384 0 - Live 0x0"; } >/srv/kernel/modules.new; mv /srv/kernel/modules.new /srv/kernel/modules
"""
# Written over, never cut: whoever reads it finds one of the two.
SETSEBOOL = """#!/bin/sh
name=${1%=*}; echo "${1#*=} ${1#*=}" 1<>/srv/kernel/selinux/booleans/$name
"""
PATIENCE = 240
QUIET = 1.5  # longer than it takes to look at everything once more

# The lock of the packages or the accounts may be the agent's just now.
AGAIN = 'again() { in=$(mktemp); [ "$1 $2" != "dpkg --set-selections" ] || cat >$in; for i in $(seq 400); do "$@" <$in >/dev/null && return; sleep 0.5; done; echo "in vain: $*"; }\n'


class Machine:
    """The host, its agent and what it has told so far."""

    def __init__(self, host, things):
        self.host, self.things, self.since = host, things, 0

    def holdfast(self, *words):
        done = self.host.run(["holdfast", *words])
        assert done.rc == 0, f"{done}\n{self.log()}"
        return done.out

    def log(self):
        return self.host.run("journalctl -u holdfastd --no-pager -o cat | tail -30").out

    def status(self):
        done = self.host.run(["holdfast", "status", "--json"])
        return json.loads(done.out) if done.rc == 0 else {"state": "away"}

    def until(self, holds, what, seconds=PATIENCE):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if holds():
                return
            time.sleep(0.2)
        raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}\n"
                             f"{self.log()}")

    def looks(self, things):
        script = "".join(f"({t.look}) 2>/dev/null; echo '=== next'\n" for t in things)
        return dict(zip([t.title for t in things], self.host.run(script).out.split("=== next\n")))

    def events(self):
        events = json.loads(self.holdfast("drift", "--json", "--limit", "5000"))["events"]
        return [e for e in events if e["id"] > self.since]

    def kernel(self, booleans):
        """The agent, once it is started, sees these."""
        for path, text in (("/srv/kernel/with", KERNEL), ("/usr/local/sbin/modprobe", MODPROBE), ("/usr/local/sbin/setsebool", SETSEBOOL)):
            self.host.put(path, text, 0o755)
        self.host.put("/etc/systemd/system/holdfastd.service.d/kernel.conf",
                      "[Service]\nExecStart=\nExecStart=/usr/bin/unshare --mount --propagation unchanged /srv/kernel/with /usr/sbin/holdfastd\n")
        self.host.run("mount --make-shared /; mkdir -p /srv/kernel/selinux/booleans /etc/selinux; echo 'ext4 100 1 - Live 0x0' >/srv/kernel/modules; "
                      "echo 0 >/srv/kernel/selinux/enforce; printf 'SELINUX=enforcing\nSELINUXTYPE=targeted\n' >/etc/selinux/config; "
                      + "".join(f"echo '0 0' >/srv/kernel/selinux/booleans/{name}; " for name in booleans), check=True)

    def start(self, folder, config):
        """The agent, and the release that it takes from the store in folder."""
        for program, path in (("holdfast", "/usr/bin/holdfast"), ("holdfastd", "/usr/sbin/holdfastd")):
            self.host.install(BUILD / program, path)

        def run(*words):
            done = subprocess.run([str(BUILD / "holdfast"), *words], cwd=folder, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            return done.stdout

        run("key", "generate", "op.key")
        run("release", "init", "-s", f"file://{folder}/store", "-k", "op.key", "--environment", "dev")
        self.release(folder / "release")
        release = json.loads(run("release", "push", "release", "-s", f"file://{folder}/store", "-k", "op.key", "--name", "one", "--json"))["release"]
        run("release", "promote", release, "-s", f"file://{folder}/store", "-k", "op.key", "-E", "dev", "-f", "default")
        self.host.put("/etc/holdfast/root.json", (folder / "store/root/1.json").read_bytes())
        self.host.put("/etc/holdfast/holdfast.yaml", "environment: dev\nfleet: default\nhost: h1\nstore: file:///store\n" + config)
        for unit in (ROOT / "packaging/systemd").iterdir():
            self.host.put(f"/etc/systemd/system/{unit.name}", unit.read_text())
        self.host.run("getent passwd holdfast || useradd --system --no-create-home holdfast; systemctl daemon-reload; systemctl start holdfastd", check=True)
        self.until(lambda: self.status().get("installed"), "the release is installed")
        self.until(lambda: self.status()["state"] == "ok", lambda: f"the host is well: {self.status()}")


def quiet(machine):
    """What is put right may be told of once more when something else comes into its place: nothing came for a while."""
    known, since = None, time.monotonic()
    while time.monotonic() - since < QUIET:
        told = len(machine.events())
        if told != known:
            known, since = told, time.monotonic()
        time.sleep(0.2)


