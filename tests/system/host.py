"""A whole Debian 12 host for tests: its own systemd, dpkg, network and disk, thrown away afterwards.

    with Host() as host:                       # boots in a second or two
        host.install(BUILD / "holdfast", "/usr/bin/holdfast")
        host.put("/root/site.yml", b"...")
        r = host.run("holdfast apply /root/site.yml")
        assert r.rc == 0, r
        host.power_cut(); host.boot()          # same disk, next boot

Two ways to boot the same root: systemd-nspawn, and, where that is not to be had, unshare and chroot; HF_HOST_WAY names
one of them. The disk is an overlay over a debootstrap'd root that is made once and kept (pristine.py).
By hand: `python3 tests/system/host.py shell` (also: root, roots, programs, run COMMAND...).
"""
import hashlib
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import host_build
from pristine import ALL, BESIDE, CLOUD_PACKAGES, CLOUD_PYTHON_PACKAGES, PACKAGES, TREE, HostError, cache_folder, mirror, root

__all__ = ["BESIDE", "CLOUD_PACKAGES", "CLOUD_PYTHON_PACKAGES", "PACKAGES", "TREE", "Host", "HostError", "Result", "cache_folder", "mirror",
           "root"]
BUILD = pathlib.Path(os.environ.get("HF_BUILD", TREE / "build"))
BOOT_SECONDS = 300
RUN_SECONDS = 900


class Result:
    """What a command left: rc, out, err (text)."""

    def __init__(self, command, done):
        self.command, self.rc = command, done.returncode
        self.out = done.stdout.decode(errors="replace")
        self.err = done.stderr.decode(errors="replace")

    def __repr__(self):
        return f"{self.command}: rc {self.rc}\n--- out\n{self.out}\n--- err\n{self.err}"


class Host:
    """One host. network: "private" (loopback only), "host" (this machine's own, for servers on 127.0.0.1 of the test),
    "veth" (a cable between the two: host.address inside, host.gateway on this side). binds: {path inside: path outside},
    read-only."""

    def __init__(self, name=None, network="private", binds=None, way=None, memory_max=None, packages=None):
        self.name = name or f"hf{os.getpid()}x{int(time.monotonic() * 1000) % 100000}"
        self.network, self.binds, self.memory_max = network, dict(binds or {}), memory_max
        self.packages = packages
        self.way = way or os.environ.get("HF_HOST_WAY") or ("nspawn" if shutil.which("systemd-nspawn") else "unshare")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{self.name}-", dir=cache_folder()))
        self.disk, self.console = self.folder / "disk", self.folder / "console"
        self.process, self.leader = None, None
        number = int(hashlib.sha256(self.name.encode()).hexdigest()[:4], 16)
        self.gateway = f"10.{200 + number % 50}.{number // 50 % 250}.1"
        self.address = self.gateway[:-1] + "2"
        self._cgroups = []
        self._mount()

    def __enter__(self):
        try:
            return self.boot()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()

    # --- the disk -------------------------------------------------------------------------------------------------
    def _mount(self):
        for part in ("upper", "work", "disk"):
            (self.folder / part).mkdir()
            (self.folder / part).chmod(0o755)
        options = f"lowerdir={root(self.packages)},upperdir={self.folder / 'upper'},workdir={self.folder / 'work'}"
        subprocess.run(["mount", "-t", "overlay", "-o", options, f"hf-{self.name}", str(self.disk)], check=True)

    # --- boot -----------------------------------------------------------------------------------------------------
    def boot(self, timeout=BOOT_SECONDS):
        """Start the host's systemd and wait until it is up. On a host that was cut off: the next boot of its disk."""
        if self.process is not None and self.process.poll() is None:
            raise HostError(f"{self.name} is running")
        start = {"nspawn": self._nspawn, "unshare": self._unshare}[self.way]
        with open(self.console, "ab") as log:
            self.process = subprocess.Popen(start(), stdin=subprocess.PIPE, stdout=log, stderr=log,
                                            env=self._environment(), preexec_fn=self._enter_cgroup)
        end = time.monotonic() + timeout
        state = ""
        self.leader = None
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise HostError(f"{self.name} ended while booting:\n{self._console_tail()}")
            self.leader = self.leader or self._find_leader()
            if self.leader:
                if self.network == "veth":
                    self._cable()
                state = self._system_state()
                if state in ("running", "degraded"):
                    # Where its console is /dev/null, init takes that for a terminal and closes it to others.
                    self.run("chmod 0666 /dev/null", check=True)
                    return self
            time.sleep(0.05)
        self.power_cut()
        raise HostError(f"{self.name} is not up after {timeout} s ({state}):\n{self._console_tail()}")

    def _system_state(self):
        try:
            return self.run("systemctl is-system-running", timeout=60).out.strip()
        except subprocess.TimeoutExpired:
            return "no answer"

    def _environment(self):
        env = dict(os.environ)
        env.update(SYSTEMD_NSPAWN_UNIFIED_HIERARCHY="1", SYSTEMD_NSPAWN_TMPFS_TMP="0")
        return env

    def _enter_cgroup(self):
        # Where no systemd runs outside, each host is put into a cgroup of its own.
        if not pathlib.Path("/run/systemd/system").exists():
            for base in self._cgroup_bases():
                path = base / self.name
                path.mkdir(exist_ok=True)
                (path / "cgroup.procs").write_text(str(os.getpid()))
        os.setsid()

    @staticmethod
    def _cgroup_bases():
        top = pathlib.Path("/sys/fs/cgroup")
        if (top / "cgroup.controllers").exists():
            return [top]
        return [top / g for g in ("systemd", "unified") if (top / g).is_dir()]

    def _nspawn(self):
        argv = ["systemd-nspawn", "--quiet", "--boot", "-D", str(self.disk), "-M", self.name, "--console=pipe",
                "--link-journal=no", "--resolv-conf=off", "--timezone=off", "--notify-ready=no",
                "--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self fanotify_init"]
        if not pathlib.Path("/run/systemd/system").exists():
            argv += ["--register=no", "--keep-unit"]
        if self.network == "private":
            argv.append("--private-network")
        elif self.network == "veth":
            argv.append(f"--network-veth-extra={self._link()}:host0")
        argv += [f"--bind-ro={outside}:{inside}" for inside, outside in self.binds.items()]
        return argv

    def _unshare(self):
        disk = shlex.quote(str(self.disk))
        lines = ["set -e", "mount --make-rprivate /", f"mount --bind {disk} {disk}", f"cd {disk}",
                 "mount -t proc proc proc", "mount -t sysfs -o ro sysfs sys", "mount -t tmpfs tmpfs run",
                 "mount -t tmpfs -o mode=755 tmpfs dev", "mkdir dev/pts dev/shm", "mount -t tmpfs tmpfs dev/shm",
                 "mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts", "ln -s pts/ptmx dev/ptmx",
                 "for d in null zero full random urandom tty; do touch dev/$d; mount --bind /dev/$d dev/$d; done",
                 "ln -s /proc/self/fd dev/fd", "mknod -m 0600 dev/console c 1 3 || ln -s null dev/console"]
        if pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists():
            lines.append("mount -t cgroup2 cgroup2 sys/fs/cgroup")
        else:
            lines += ["mount -t tmpfs tmpfs sys/fs/cgroup", "umount sys/fs/cgroup", "mount -t cgroup2 cgroup2 sys/fs/cgroup"]
        for inside, outside in self.binds.items():
            place = shlex.quote(inside.lstrip("/"))
            make = "mkdir -p" if pathlib.Path(outside).is_dir() else "touch"
            lines += [f"mkdir -p $(dirname {place}); {make} {place}", f"mount --bind {shlex.quote(str(outside))} {place}"]
        lines.append(f"hostname {self.name}")
        lines.append("exec env -i container=holdfast-test PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot . "
                     "/lib/systemd/systemd --system --log-target=null")
        argv = ["unshare", "--pid", "--fork", "--mount", "--uts", "--ipc", "--cgroup", "--kill-child"]
        if self.network != "host":
            argv.append("--net")
        return argv + ["sh", "-c", "; ".join(lines)]

    def _find_leader(self):
        """PID of the host's init: the child of nspawn (or of unshare) that has become systemd."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        try:
            for pid in children.read_text().split():
                if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "systemd":
                    return int(pid)
        except OSError:
            pass
        return None

    # --- the network ----------------------------------------------------------------------------------------------
    def _link(self):
        return "hf" + hashlib.sha256(self.name.encode()).hexdigest()[:9]

    def _cable(self):
        link = self._link()
        if pathlib.Path(f"/sys/class/net/{link}").exists() and self.way == "nspawn":
            pass
        elif not pathlib.Path(f"/sys/class/net/{link}").exists():
            subprocess.run(["ip", "link", "add", link, "type", "veth", "peer", "name", "host0", "netns",
                            str(self.leader)], check=True)
        subprocess.run(["ip", "address", "replace", f"{self.gateway}/30", "dev", link], check=True)
        subprocess.run(["ip", "link", "set", link, "up"], check=True)
        self.run(f"ip address replace {self.address}/30 dev host0; ip link set host0 up; ip link set lo up; "
                 f"ip route replace default via {self.gateway}")

    # --- use ------------------------------------------------------------------------------------------------------
    def argv(self, command, unit=False):
        """What runs `command` (text for sh, or a list) inside."""
        inner = ["/bin/sh", "-c", command] if isinstance(command, str) else [str(c) for c in command]
        enter = ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-r", "-w", "--"]
        clean = ["/usr/bin/env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
                 "USER=root", "LOGNAME=root", "SHELL=/bin/bash", "LANG=C.UTF-8", "TERM=dumb"]
        if unit:
            return enter + clean + ["systemd-run", "--quiet", "--wait", "--collect", "--pipe", "--", *inner]
        return enter + clean + inner

    def run(self, command, input=b"", timeout=RUN_SECONDS, env=None, unit=False, check=False):
        """Run a shell text or an argument list inside; unit: as a transient unit of the host's systemd."""
        if self.leader is None:
            raise HostError(f"{self.name} is not running")
        if env:
            words = [f"{k}={v}" for k, v in env.items()]
            inner = ["/bin/sh", "-c", command] if isinstance(command, str) else [str(c) for c in command]
            command = ["/usr/bin/env", *words, *inner]
        done = subprocess.run(self.argv(command, unit), input=input, capture_output=True, timeout=timeout)
        result = Result(command, done)
        if check and result.rc != 0:
            raise HostError(str(result))
        return result

    def start(self, command, **popen):
        """A program inside that the test goes on talking to: subprocess.Popen."""
        return subprocess.Popen(self.argv(command), **popen)

    def put(self, path, data, mode=0o644):
        """Write a file inside; parent directories are made."""
        data = data.encode() if isinstance(data, str) else data
        where = shlex.quote(str(path))
        self.run(f'mkdir -p "$(dirname {where})" && cat >{where} && chmod {mode:o} {where}', input=data, check=True)

    def get(self, path):
        """Bytes of a file inside; FileNotFoundError when there is none."""
        done = subprocess.run(self.argv(["cat", "--", str(path)]), capture_output=True)
        if done.returncode != 0:
            raise FileNotFoundError(f"{self.name}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout

    def exists(self, path):
        return self.run(["test", "-e", str(path)]).rc == 0

    def install(self, program, path):
        """Copy a program of this machine into the host, executable; of one that was built, what was built for hosts."""
        program = pathlib.Path(program)
        if program.is_relative_to(BUILD):
            program = host_build.programs() / program.relative_to(BUILD)
        self.put(path, program.read_bytes(), 0o755)

    # --- the end --------------------------------------------------------------------------------------------------
    def power_cut(self):
        """Off at once: init is killed, and with it everything; only what was written to the disk stays."""
        if self.leader is not None:
            try:
                os.kill(self.leader, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self.process is not None:
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.leader = None

    def poweroff(self, timeout=BOOT_SECONDS):
        """An orderly shutdown."""
        if self.leader is None:
            return
        self.run("systemctl poweroff --no-block || kill -s RTMIN+4 1")
        try:
            self.process.wait(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.power_cut()
            raise HostError(f"{self.name} did not power off within {timeout} s") from None
        self.leader = None

    def rebooted(self, timeout=BOOT_SECONDS):
        """After something inside asked for a reboot: wait for the end, then boot again where the way does not itself."""
        try:
            self.process.wait(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise HostError(f"{self.name} did not go down within {timeout} s") from None
        self.leader = None
        return self.boot()

    def close(self):
        self.power_cut()
        subprocess.run(["umount", "-l", str(self.disk)], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        for base in self._cgroup_bases():
            for path in sorted(base.glob(f"{self.name}/**/"), reverse=True):
                try:
                    path.rmdir()
                except OSError:
                    pass  # a cgroup that still empties itself goes with the next host

    def _console_tail(self):
        return self.console.read_bytes()[-3000:].decode(errors="replace")


def main(words):
    """shell, run COMMAND…, root, roots, programs."""
    if words[:1] in (["root"], ["roots"]):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # what is half made goes
        wanted = [PACKAGES] if words[0] == "root" else ALL
        for packages in wanted + ([host_build.packages()] if host_build.apart() else []):
            start = time.monotonic()
            print(f"{root(packages)} ({time.monotonic() - start:.0f} s)", flush=True)
        return 0
    if words[:1] == ["programs"]:
        if host_build.apart():
            print(f"programs of the test hosts, built in their own Debian: {host_build.programs()}")
        return 0
    if words[:1] not in (["shell"], ["run"]):
        print(__doc__, file=sys.stderr)
        return 2
    with Host(network=os.environ.get("HF_HOST_NETWORK", "private")) as host:
        for program, path in (("holdfast", "/usr/bin/holdfast"), ("holdfastd", "/usr/sbin/holdfastd")):
            if (BUILD / program).exists():
                host.install(BUILD / program, path)
        command = "cd /root; exec bash -i" if words[0] == "shell" else " ".join(words[1:])
        return subprocess.run(host.argv(command)).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
