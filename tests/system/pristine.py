"""The disks that test hosts start from: made once, kept in HF_CACHE (build/cache), never changed.

    root(CLOUD_PACKAGES)          # the folder; made by whoever asks first, others wait
    python3 tests/system/host.py roots   # all that the tests ask for

One debootstrap makes what they share; each is a copy of that with its packages installed.
"""
import contextlib
import fcntl
import hashlib
import inspect
import os
import pathlib
import re
import shutil
import subprocess
import time

TREE = pathlib.Path(__file__).resolve().parent.parent.parent
SUITE = "bookworm"
ARCHIVE = "http://deb.debian.org/debian"
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
REMOVALS = 100
ATTEMPTS = 3  # of what is fetched from the archive
# As root; services are not started, and the disk is not waited for.
INSTALL = """set -e
mount -t proc proc "$0/proc"
printf '#!/bin/sh\\nexit 101\\n' >"$0/usr/sbin/policy-rc.d"
chmod 755 "$0/usr/sbin/policy-rc.d"
apt() { chroot "$0" apt-get -q -y -o APT::Sandbox::User=root -o Acquire::Retries=3 -o Acquire::Languages=none "$@"; }
install() { apt install --no-install-recommends -o Dpkg::Options::=--force-unsafe-io "$@"; }
# Lists that were kept may name what the archive has no longer.
[ -n "$(ls "$0/var/lib/apt/lists" | grep _Packages)" ] && install "$@" || { apt update && install "$@"; }
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
    """The archive of Debian this machine itself installs from; Debian's own where it is another system."""
    rows = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(CODENAME) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"],
        capture_output=True, text=True, check=True).stdout.split("\n")
    found = []
    for row in rows:
        # A source may say bookworm or stable; what stable is apt knows only when it has its lists.
        fields = row.split(" ", 3)
        if len(fields) == 4 and SUITE in fields[:2] and fields[2] == "main":
            found += _addresses(fields[3].strip())
    return next(iter(sorted(found, key=lambda uri: not uri.startswith("http:"))), ARCHIVE)


def _addresses(uri):
    """The web addresses that apt's URI stands for: itself, or those in a list of mirrors, as cloud images have them."""
    if uri.startswith("mirror+file:"):
        lines = pathlib.Path(uri.removeprefix("mirror+file:").rstrip("/")).read_text().split("\n")
        return [line.split()[0] for line in lines if re.match(r"https?:", line)]
    return [uri] if re.match(r"https?:", uri) else []


def _key(*words):
    """Names a root by what it is made of and how: who changes the recipe gets a new one."""
    recipe = [INSTALL, *MASKED, *(inspect.getsource(f) for f in (_fill, _shared, _debootstrap, _settle))]
    return hashlib.sha256("\0".join([SUITE, *words, *recipe]).encode()).hexdigest()[:12]


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
            scratch = cache_folder() / f"{name}.part"
            _remove(scratch)  # of one that was killed
            try:
                scratch.mkdir()
                scratch.chmod(0o755)
                make(scratch)
                scratch.rename(folder)
                break
            except HostError:  # an archive far away does not always answer
                if left == 0:
                    raise
                time.sleep(5)
            finally:
                _remove(scratch)
    return folder


def _remove(scratch):
    """All of it, though what was killed may still be writing its last."""
    for _ in range(REMOVALS):
        shutil.rmtree(scratch, ignore_errors=True)
        if not scratch.exists():
            return
        time.sleep(0.1)
    raise HostError(f"{scratch} cannot be removed")


def root(packages=None):
    """The folder with the pristine root of these packages."""
    packages = packages or PACKAGES
    return _made(f"{SUITE}-{_key(*packages)}", lambda scratch: _fill(scratch, packages))


def _fill(target, packages):
    source = mirror()
    if source.startswith("http:"):
        base = _made(f"{SUITE}-{_key('shared', *SHARED_PACKAGES)}", lambda scratch: _shared(scratch, source))
        _run("cp", "-a", "--reflink=auto", f"{base}/.", str(target))
        _run("sh", "-c", INSTALL, str(target), *packages)
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
    """In namespaces of its own: what it mounted and started ends with it, whatever ends it."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "DPKG_FORCE": "unsafe-io"}
    apart = ["unshare", "--mount", "--propagation", "private", "--pid", "--kill-child"]
    done = subprocess.run([*apart, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)
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
