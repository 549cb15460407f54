"""The disks that test hosts start from: made once, kept in HF_CACHE (build/cache), never changed.

    root(CLOUD_PACKAGES)          # the folder; made by whoever asks first, others wait
    python3 tests/system/host.py roots   # all that the tests ask for

One debootstrap makes what they share; each is a copy of that with its packages installed.
"""
import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

TREE = pathlib.Path(__file__).resolve().parent.parent.parent
SUITE = "bookworm"
# systemd and what a server has; then the libraries our programs are linked with. No Python: holdfast needs none.
PACKAGES = """systemd systemd-sysv dbus udev libpam-systemd kmod procps iproute2 iptables cron at sudo adduser passwd
    locales tzdata ca-certificates gpgv debconf lsb-base util-linux mount sysvinit-utils ethtool xz-utils parted e2fsprogs
    libssl3 libcurl4 libyaml-0-2 libjansson4 libpcre2-8-0 libsystemd0 libmosquitto1 libsqlite3-0 libarchive13
    libseccomp2 libcrypt1 libexpat1 libmicrohttpd12 libzstd1""".split()
# A cloud image before anything of ours is there: what fetches user data, and nothing our programs are linked with.
CLOUD_PACKAGES = """systemd systemd-sysv dbus udev kmod procps iproute2 ca-certificates curl openssl gpgv adduser""".split()
# With Python, so that Ansible's own modules run there, and what they ask for: its bindings of apt, gpg, both firewalls, RPM's programs.
BESIDE = PACKAGES + "python3 python3-apt python3-debian gnupg ufw firewalld rpm dnf createrepo-c".split()
# Where python3 fetches the user data.
CLOUD_PYTHON_PACKAGES = CLOUD_PACKAGES + ["python3"]
ALL = [PACKAGES, CLOUD_PACKAGES, BESIDE, CLOUD_PYTHON_PACKAGES]
SHARED_PACKAGES = [p for p in CLOUD_PACKAGES if p in PACKAGES]
# Units that only wait for hardware or for a network that is not there.
MASKED = ("systemd-udevd.service", "systemd-timesyncd.service", "e2scrub_reap.service", "apt-daily.timer", "apt-daily-upgrade.timer",
          "dpkg-db-backup.timer", "fstrim.timer", "e2scrub_all.timer")
ATTEMPTS = 3  # of what is fetched from the archive
# As root, in a mount namespace of its own; services are not started, and the disk is not waited for.
INSTALL = """set -e
mount --make-rprivate /
mount -t proc proc "$0/proc"
printf '#!/bin/sh\\nexit 101\\n' >"$0/usr/sbin/policy-rc.d"
chmod 755 "$0/usr/sbin/policy-rc.d"
apt() { chroot "$0" apt-get -q -y -o APT::Sandbox::User=root -o Acquire::Retries=3 -o Acquire::Languages=none "$@"; }
[ -n "$(ls "$0/var/lib/apt/lists" | grep _Packages)" ] || apt update
apt install --no-install-recommends -o Dpkg::Options::=--force-unsafe-io "$@"
rm "$0/usr/sbin/policy-rc.d"
"""


class HostError(Exception):
    """The host could not be made, booted or reached."""


def cache_folder():
    """Where the root is kept between runs."""
    folder = pathlib.Path(os.environ.get("HF_CACHE") or TREE / "build" / "cache")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def mirror():
    """The archive this machine itself installs from."""
    rows = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"],
        capture_output=True, text=True, check=True).stdout.split("\n")
    for row in rows:
        if row.startswith(f"{SUITE} main "):
            return row.split(" ", 2)[2].strip()
    raise HostError(f"apt on this machine has no source for {SUITE} main: a host cannot be made")


@contextlib.contextmanager
def _once(path):
    """One process at a time, of all that use this cache."""
    with open(path, "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _made(name, make):
    """The folder of that name in the cache, which make(scratch) fills when it is not there."""
    folder = cache_folder() / name
    done = folder / "etc/debian_version"
    if done.exists():
        return folder
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        raise HostError("a test host needs root and debootstrap")
    with _once(f"{folder}.lock"):
        if done.exists():
            return folder
        for left in range(ATTEMPTS - 1, -1, -1):
            scratch = pathlib.Path(tempfile.mkdtemp(prefix=f"{SUITE}-", dir=cache_folder()))
            try:
                scratch.chmod(0o755)
                make(scratch)
                scratch.rename(folder)
                break
            except HostError:  # an archive far away does not always answer
                if left == 0:
                    raise
                time.sleep(5)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    return folder


def root(packages=None):
    """The folder with the pristine root of these packages."""
    packages = packages or PACKAGES
    key = hashlib.sha256(" ".join([SUITE, *packages]).encode()).hexdigest()[:12]
    return _made(f"{SUITE}-{key}", lambda scratch: _fill(scratch, packages))


def _fill(target, packages):
    source = mirror()
    if source.startswith("http:"):
        shared = hashlib.sha256(" ".join([SUITE, "shared", *SHARED_PACKAGES]).encode()).hexdigest()[:12]
        base = _made(f"{SUITE}-{shared}", lambda scratch: _shared(scratch, source))
        _run("cp", "-a", "--reflink=auto", f"{base}/.", str(target))
        _run("unshare", "--mount", "sh", "-c", INSTALL, str(target), *packages)
    else:  # apt inside knows no certificates of this machine's
        _debootstrap(target, packages, source)
    _settle(target)


def _shared(target, source):
    """What every root has, with apt's lists and this machine's way to the archive."""
    _debootstrap(target, SHARED_PACKAGES, source)
    (target / "etc/apt/sources.list").write_text(f"deb {source} {SUITE} main\n")


def _debootstrap(target, packages, source):
    _run("debootstrap", "--variant=minbase", f"--include={','.join(packages)}", SUITE, str(target), source)


def _run(*argv):
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "DPKG_FORCE": "unsafe-io"}
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)
    if done.returncode != 0:
        raise HostError(f"{argv[0]}: {done.stdout[-2000:]}")


def _settle(target):
    """Nothing of this machine's, and nothing that would make two hosts differ."""
    for folder in ("var/cache/apt/archives", "var/lib/apt/lists"):
        shutil.rmtree(target / folder, ignore_errors=True)
        (target / folder / "partial").mkdir(parents=True)
    for path in [*(target / "var/log/apt").glob("*"), *(target / "var/cache/apt").glob("*.bin"), target / "var/lib/apt/extended_states",
                 target / "etc/resolv.conf"]:
        path.unlink(missing_ok=True)
    for name, text in {"apt/sources.list": "", "hostname": "holdfast-test\n", "machine-id": "", "resolv.conf": ""}.items():
        (target / "etc" / name).write_text(text)
    for unit in MASKED:
        link = target / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")
    # Firewalls wait until a test starts one.
    for unit in ("ufw.service", "firewalld.service"):
        (target / "etc/systemd/system/multi-user.target.wants" / unit).unlink(missing_ok=True)
