"""The programs that test hosts get: those of the build folder, or, where this machine's C library is newer than the hosts',
the same tree built once more inside their Debian, in the build folder's "host".

    programs()                    # the folder they are in; made, or made anew, by whoever asks first
    run([script, …], **more)      # in that Debian where they were made there: what packs them looks at its libraries

HF_HOST_BUILD=root builds them there whatever the C library is.
"""
import fcntl
import functools
import os
import pathlib
import re
import shlex
import subprocess
import tempfile

from pristine import PACKAGES, TREE, HostError, cache_folder, root

BUILD = pathlib.Path(os.environ.get("HF_BUILD", TREE / "build")).resolve()
LIBC_OF_HOST = (2, 36)
CONFIGURE = ("CFLAGS=-O2 -g",)
# The tree and the caches are where they are outside; what else is written is thrown away.
ENTER = """set -e
mkdir "$0/upper" "$0/work" "$0/root"
mount -t overlay -o "lowerdir=$1,upperdir=$0/upper,workdir=$0/work" overlay "$0/root"
mount -t proc proc "$0/root/proc"
mount --rbind /dev "$0/root/dev"
shift
while [ "$1" != -- ]; do
	mkdir -p "$0/root$1"
	mount --bind "$1" "$0/root$1"
	shift
done
shift
exec chroot "$0/root" "$@"
"""


@functools.cache
def apart():
    """Whether the hosts' programs are built in their own Debian."""
    libc = tuple(map(int, os.confstr("CS_GNU_LIBC_VERSION").split()[1].split(".")))
    return os.environ.get("HF_HOST_BUILD") == "root" or libc > LIBC_OF_HOST


def packages():
    """Of the root they are built in: what the hosts have, and what the package of the tree is built with."""
    control = (TREE / "packaging/deb/debian/control").read_text()
    wanted = re.search(r"^Build-Depends:(.*?)^\S", control, re.M | re.S).group(1)
    names = [row.split("|")[0].split("(")[0].strip() for row in wanted.split(",")]
    return [*PACKAGES, "build-essential", "git", "patchelf", *(name.removesuffix("-compat") for name in names)]


def run(argv, env=None, **more):
    """subprocess.run of it: here, or in the Debian of the hosts."""
    env = {**os.environ, **(env or {})}
    if not apart():
        return subprocess.run(argv, env=env, **more)
    git = subprocess.run(["git", "-C", str(TREE), "rev-parse", "--path-format=absolute", "--git-common-dir"], capture_output=True, text=True)
    # Places of their own: a folder that lies in another one is there already.
    places = [TREE, BUILD, *([pathlib.Path(git.stdout.strip())] if git.returncode == 0 else [])]
    places += [pathlib.Path(word) for word in map(str, argv) if word.startswith("/") and pathlib.Path(word).is_dir()]
    places = [p for p in dict.fromkeys(places) if not any(other in p.parents for other in places)]
    for name in ("CC", "CFLAGS", "LDFLAGS", "LD_LIBRARY_PATH", "PYTHONPATH"):
        env.pop(name, None)
    env["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    with tempfile.TemporaryDirectory(prefix="hf-host-build-", dir=cache_folder()) as scratch:
        enter = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, scratch]
        return subprocess.run([*enter, str(root(packages())), *map(str, places), "--", *map(str, argv)], env=env, **more)


@functools.cache
def programs():
    """The folder of the programs that run on the hosts."""
    if not apart():
        return BUILD
    folder = BUILD / "host"
    folder.mkdir(parents=True, exist_ok=True)
    configure = shlex.join([str(TREE / "configure"), "-q", *CONFIGURE])
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run(["sh", "-c", f'cd "$0" && {{ [ -f Makefile ] || {configure}; }} && make -s -j{os.cpu_count()}', str(folder)],
                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise HostError(f"the programs of the hosts cannot be built in their Debian:\n{done.stdout[-3000:]}")
    return folder
