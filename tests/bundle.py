"""Parts of packages from PyPI, taken out of their wheels once and kept in the cache folder."""
import fcntl
import os
import shutil
import subprocess
import sys
import time
import zipfile

from places import ROOT

TRIES = 3


def cache_folder():
    folder = type(ROOT)(os.environ.get("HF_CACHE") or ROOT / "build/cache")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def bundle(packages, wanted, more=""):
    """Folder with what begins with one of wanted. packages: NAME==VERSION, which together (and more) name the folder."""
    folder = cache_folder() / ("-".join(packages).replace("==", "-") + more)
    if folder.exists():
        return folder
    with open(f"{folder}.lock", "w") as lock:  # test files run side by side: one fetches, the others wait
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            fetch(packages, wanted, folder)
    return folder


def download(packages, scratch):
    """An index far away does not always answer."""
    for left in range(TRIES - 1, -1, -1):
        done = subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--ignore-requires-python", "-d", scratch, *packages], check=left == 0)
        if done.returncode == 0:
            return
        time.sleep(5)


def fetch(packages, wanted, folder):
    scratch = cache_folder() / f"{folder.name}.{os.getpid()}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    download(packages, scratch)
    for wheel in scratch.glob("*.whl"):
        with zipfile.ZipFile(wheel) as z:
            z.extractall(scratch, [n for n in z.namelist() if n.startswith(wanted)])
        wheel.unlink()
    scratch.rename(folder)
